import { AnnealError } from "./errors.ts";

/**
 * Bulk data (objects, checkpoints, an index) is refused while less than this is free: the database and the workflow
 * service, which share the disk, must still be able to write down what happened. 512 MiB.
 */
export const diskReserveBytes = 512 * 1024 ** 2;

/** What the operating system and PostgreSQL call it. */
const fullCodes = new Set<unknown>(["ENOSPC", "EDQUOT", "53100"]);

/** Whether a full disk is behind an error, however deep libraries have wrapped it. */
export function isDiskFull(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    if ("code" in cause && fullCodes.has(cause.code)) return true;
  }
  return false;
}

/** @param where what was to be written to, as a person would name it: "the disk of /var/lib/anneal". */
export function diskFullError(where: string, cause?: unknown): AnnealError {
  return new AnnealError("DISK_FULL", `There is no room left on ${where}.`, {
    action: "Free some space and try again; nothing already stored was lost.",
    cause,
  });
}
