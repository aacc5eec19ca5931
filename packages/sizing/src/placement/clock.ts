import { SizingError } from "../sizing-error.ts";

/** The time to decide at: a clock that jumps back stands still instead. @throws SizingError INVALID_REQUEST */
export function readClock(cluster: { nowMs: number }, nowMs: number): number {
  if (!Number.isFinite(nowMs) || nowMs < 0 || nowMs > 8.64e15)
    throw new SizingError("INVALID_REQUEST", `The time ${nowMs} is not a time in milliseconds since 1970.`, { nowMs });
  return Math.max(cluster.nowMs, nowMs);
}
