import { AnnealError } from "@anneal/core/errors";
import { collectBytes, limitBytes } from "../content.ts";
import { readAccounts, type PosixAccounts } from "../posix/accounts.ts";
import { posixPrincipals, type PosixPrincipals } from "../posix/audience.ts";
import type { PosixPermissionsConfig } from "../posix/config.ts";
import type { SftpConfig } from "./config.ts";
import type { SftpSession } from "./sftp-session.ts";

const accountsBytes = 32 * 1024 * 1024;
const pieceBytes = 32 * 1024;

/**
 * The server's lists of accounts and groups.
 * @throws AnnealError that names the list which cannot be read
 */
export async function readRemoteAccounts(session: SftpSession, config: PosixPermissionsConfig): Promise<PosixAccounts> {
  const accounts = await readAccounts(config, (path) => readText(session, path));
  if (accounts.accounts.length > 0) return accounts;
  throw new AnnealError("SOURCE_FORBIDDEN", `"${config.passwdPath}" lists no account.`, {
    action: "Name a file in the form of passwd(5) that this user may read, for example a copy without passwords.",
  });
}

/** null where permissions are not read. */
export function principalsOf({ permissions, host }: Pick<SftpConfig, "permissions" | "host">): PosixPrincipals | null {
  return permissions === "off" ? null : posixPrincipals("sftp", host.toLowerCase());
}

async function readText(session: SftpSession, path: string): Promise<string> {
  const file = await session.open(path);
  try {
    const pieces = (async function* () {
      for (let offset = 0; ; offset += pieceBytes) {
        const bytes = await file.read(offset, pieceBytes);
        yield bytes;
        if (bytes.byteLength < pieceBytes) return;
      }
    })();
    return new TextDecoder().decode(await collectBytes(limitBytes(path, pieces, accountsBytes, "fixed")));
  } finally {
    file.close();
  }
}
