import { AnnealError } from "@anneal/core/errors";
import type { CapabilityCheck } from "../connector.ts";
import type { SqlConfig } from "./config.ts";
import type { Dialect, SqlSession, WriteAccess } from "./dialect.ts";
import { isAboutOneRelation } from "./relation.ts";

/** Of a right to write, or of one that nobody can rule out. */
export type WritableAccess = Exclude<WriteAccess, { writes: "no" }>;

/** A server that refuses to tell leaves it open, which is not the same as a user that can only read. */
export async function readWriteAccess<Session extends SqlSession>(
  dialect: Dialect<Session>,
  session: Session,
  config: SqlConfig,
): Promise<WriteAccess> {
  try {
    return await dialect.readWriteAccess(session, config);
  } catch (error) {
    // A lost connection says nothing about the user.
    if (!isAboutOneRelation(error)) throw error;
    return { writes: "unknown", reason: error.message, remedy: "Make a user that can only SELECT." };
  }
}

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
  const access = await readWriteAccess(dialect, session, config);
  if (access.writes !== "no") throw writableUser(config.user, access);
}

export function writableUser(user: string, access: WritableAccess): AnnealError {
  const message =
    access.writes === "yes"
      ? `User "${user}" can write, so it is not used.`
      : `It is not known whether user "${user}" can write, so it is not used: ${access.reason}`;
  return new AnnealError("FORBIDDEN", message, {
    action: `${access.remedy} Or confirm that a user that can write is accepted.`,
  });
}

export function describeWriteAccess(
  access: WriteAccess,
  { user, allowWritableUser }: { user: string; allowWritableUser: boolean },
): CapabilityCheck {
  if (access.writes === "no") {
    return { capability: "read-only", status: "ok", message: `User "${user}" can only read.` };
  }
  if (allowWritableUser) {
    const could =
      access.writes === "yes"
        ? `User "${user}" could write.`
        : `It is not known whether user "${user}" could write: ${access.reason}`;
    return {
      capability: "read-only",
      status: "warning",
      message: `${could} Nothing is ever written, but a user that cannot is safer: ${access.remedy}`,
    };
  }
  const { message, action } = writableUser(user, access);
  return { capability: "read-only", status: "missing", message, action };
}

const mostRemedies = 10;

/** @param count how many there are in all, where not all are given */
export function listRemedies(statements: readonly string[], count = statements.length): string {
  const named = statements.slice(0, mostRemedies);
  const more = count - named.length;
  return [...named, ...(more > 0 ? [`And ${more} more such ${more === 1 ? "right" : "rights"}.`] : [])].join(" ");
}
