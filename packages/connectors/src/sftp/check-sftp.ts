import type { SourceAcl } from "@anneal/core/access/acl-origins";
import type { AnnealError } from "@anneal/core/errors";
import type { CapabilityCheck, CheckResult, ConnectContext } from "../connector.ts";
import { failedCheck, reportOf } from "../failure.ts";
import { checkAccounts } from "../posix/check-accounts.ts";
import { hiddenLists } from "../posix/hidden-lists.ts";
import { keepToldDenials } from "../posix/told-denials.ts";
import { addToPreview, describePreview, sampleCount, type Preview } from "../preview.ts";
import type { SftpConfig, SftpSecrets } from "./config.ts";
import { principalsOf, readRemoteAccounts } from "./remote-accounts.ts";
import { remoteContent } from "./sftp-content.ts";
import { serverName } from "./sftp-errors.ts";
import { openSftp, type SftpSession } from "./sftp-session.ts";
import { openRoot, walkRemote, type RemoteRoot } from "./walk.ts";

const checkedFiles = 1000;
const checkMs = 5_000;

export async function checkSftp(
  config: SftpConfig,
  secrets: SftpSecrets,
  context: ConnectContext,
): Promise<CheckResult> {
  try {
    const session = await openSftp(config, secrets, context);
    try {
      const principals = principalsOf(config);
      const root = await openRoot(session, config, principals);
      const { preview, unreadable, acls } = await look(session, root, config, context);
      const [first] = unreadable;
      if (first !== undefined && preview.count === 0) return failedCheck("read", first);
      const content: CapabilityCheck =
        first === undefined
          ? { capability: "read", status: "ok", message: `"${root.path}" can be listed.` }
          : { capability: "read", status: "warning", message: first.message, action: first.action };
      try {
        return {
          checks: [content, await checkPermissions(session, config, acls)],
          summary: `"${root.path}" on ${serverName(config)} can be read and holds ${describePreview(preview, "file")}.`,
          error: null,
        };
      } catch (error) {
        const failed = failedCheck("permissions", error);
        return { ...failed, checks: [content, ...failed.checks] };
      }
    } finally {
      await session.close();
    }
  } catch (error) {
    context.signal.throwIfAborted();
    return failedCheck("read", error);
  }
}

async function look(
  session: SftpSession,
  root: RemoteRoot,
  config: SftpConfig,
  context: ConnectContext,
): Promise<{ preview: Preview; unreadable: AnnealError[]; acls: SourceAcl[] }> {
  const preview: Preview = { count: 0, complete: true, samples: [] };
  const acls: SourceAcl[] = [];
  const unreadable: AnnealError[] = [];
  const until = performance.now() + checkMs;
  for await (const entry of walkRemote(session, root, config, principalsOf(config), context.signal)) {
    // Only the first files are tried: a folder whose files are all of another user is found by them.
    const tried = preview.samples.length < sampleCount && entry.type === "file";
    const error =
      entry.type === "failure" ? entry.error : tried ? await readError(session, root, entry.path, context) : null;
    if (error !== null && entry.ref === "") throw error;
    if (error !== null) unreadable.push(error);
    else addToPreview(preview, entry.ref);
    if (entry.type === "file" && entry.acl !== null) acls.push(entry.acl);
    preview.complete = preview.count < checkedFiles && performance.now() < until;
    if (!preview.complete) break;
  }
  return { preview, unreadable, acls };
}

async function readError(
  session: SftpSession,
  root: RemoteRoot,
  path: string,
  { signal, limits }: ConnectContext,
): Promise<AnnealError | null> {
  try {
    for await (const _ of await remoteContent(session, root.path, path, limits.documentBytes).open(signal)) break;
    return null;
  } catch (error) {
    reportOf(error);
    // A large file is told of when it is read; it can be.
    return (error as AnnealError).code === "DOCUMENT_TOO_LARGE" ? null : (error as AnnealError);
  }
}

/**
 * @param acls of the files that were met
 * @throws AnnealError as a sync would end with, or would show to nobody all that it reads for
 */
async function checkPermissions(
  session: SftpSession,
  config: SftpConfig,
  acls: readonly SourceAcl[],
): Promise<CapabilityCheck> {
  const capability = "permissions";
  const principals = principalsOf(config);
  if (principals === null) {
    return {
      capability,
      status: "warning",
      message: "File permissions are not read: every document gets the source's default audience.",
    };
  }
  if (config.hiddenAccessLists === "possible") throw hiddenLists("SFTP");
  const accounts = await readRemoteAccounts(session, config);
  return checkAccounts(accounts, config, principals, acls.map(keepToldDenials(accounts, principals)));
}
