import { AnnealError, type ErrorReport } from "../errors.ts";

/** So many waits in a row may bring a sync no further; a Retry-After of an hour is then kept to for two days and a half. */
export const maxIdleWaits = 6;
const defaultWaitMs = 15_000;
const maxWaitMs = 24 * 60 * 60_000;

/** `idleWaits`: how many waits in a row, this one included, began without anything new since the one before. */
export type Wait = { waitMs: number; idleWaits: number };

/**
 * What a sync does that its source makes wait: it waits as long as the source asks for, and twice as long each time that
 * nothing came of the wait before. One that gets on between its waits goes on for ever.
 * @param error RATE_LIMITED, with `details.retryAfterMs` where the source told it
 * @param now.idleWaits those before this one
 * @param now.advanced whether something new was stored since the last wait
 */
export function planWait(
  name: string,
  error: AnnealError,
  now: { idleWaits: number; advanced: boolean },
): { wait: Wait } | { giveUp: ErrorReport } {
  const idleWaits = now.advanced ? 1 : now.idleWaits + 1;
  if (idleWaits > maxIdleWaits) return { giveUp: tooManyWaits(name, error) };
  const { retryAfterMs } = error.details;
  const askedMs = typeof retryAfterMs === "number" && retryAfterMs > 0 ? retryAfterMs : defaultWaitMs;
  return { wait: { waitMs: Math.min(askedMs * 2 ** (idleWaits - 1), maxWaitMs), idleWaits } };
}

/**
 * A content that its source refuses without a word of when or why: the source may be busy, or fail at this document alone.
 * One wait tells them apart: who is refused before it and after it is set aside, and the sync reads on. So is all that a
 * sync meets which two waits in a row have brought no further, before it has got on again.
 * @param now.before whether this sync has waited for this document
 * @param now.advanced whether something new was stored since the last wait
 * @returns what is wrong with the document, or null where the source makes the sync wait
 */
export function planRefusal(
  error: AnnealError,
  now: { before: boolean; idleWaits: number; advanced: boolean },
): AnnealError | null {
  if (error.code !== "RATE_LIMITED" || error.details["unexplained"] !== true) return null;
  if (!now.before && (now.advanced || now.idleWaits < 2)) return null;
  const { retryAfterMs: _, unexplained: __, ...details } = error.details;
  return new AnnealError("SOURCE_UNREACHABLE", `It is refused without a reason, also after a wait: ${error.message}`, {
    action: "Open it at its source; once it opens there, read again what failed.",
    details,
    retryable: true,
  });
}

function tooManyWaits(name: string, error: AnnealError): ErrorReport {
  return {
    code: "RATE_LIMITED",
    message: `“${name}” made the sync wait ${maxIdleWaits} times in a row and let nothing be read between: ${error.message}`,
    action: "Let fewer programs read it at once, or have its limit raised; then read it again.",
    details: error.details,
  };
}
