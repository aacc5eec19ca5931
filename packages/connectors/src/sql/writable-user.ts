import { AnnealError } from "@anneal/core/errors";
import type { CapabilityCheck } from "../connector.ts";
import type { SqlConfig } from "./config.ts";
import type { Dialect, SqlSession, WriteAccess } from "./dialect.ts";

/**
 * Nothing here writes, and the server is told to allow nothing else where it can be told. A user that cannot write is
 * the lock behind that lock, so another one is refused until a person says that they know.
 */
export async function refuseWritableUser<Session extends SqlSession>(
  dialect: Dialect<Session>,
  session: Session,
  config: SqlConfig,
): Promise<void> {
  if (config.allowWritableUser) return;
  const access = await dialect.readWriteAccess(session, config);
  if (access.canWrite) throw writableUser(config.user, access.remedy);
}

export function writableUser(user: string, remedy: string): AnnealError {
  return new AnnealError("FORBIDDEN", `User "${user}" can write, so it is not used.`, {
    action: `${remedy} Or confirm that a user that can write is accepted.`,
  });
}

export function describeWriteAccess(
  access: WriteAccess,
  { user, allowWritableUser }: { user: string; allowWritableUser: boolean },
): CapabilityCheck {
  if (!access.canWrite) return { capability: "read-only", status: "ok", message: `User "${user}" can only read.` };
  if (allowWritableUser) {
    return {
      capability: "read-only",
      status: "warning",
      message: `User "${user}" could write. Nothing is ever written, but a user that cannot is safer: ${access.remedy}`,
    };
  }
  const { message, action } = writableUser(user, access.remedy);
  return { capability: "read-only", status: "missing", message, action };
}
