import type { AnnealError, ErrorReport } from "../errors.ts";

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

function tooManyWaits(name: string, error: AnnealError): ErrorReport {
  return {
    code: "RATE_LIMITED",
    message: `“${name}” made the sync wait ${maxIdleWaits} times in a row and let nothing be read between: ${error.message}`,
    action: "Let fewer programs read it at once, or have its limit raised; then read it again.",
    details: error.details,
  };
}
