import { setTimeout as sleep } from "node:timers/promises";

/** What waits are measured and slept by; in milliseconds. */
export type Clock = {
  now(): number;
  /** Ends at once, by throwing, when the signal is aborted. */
  sleep(waitMs: number, signal: AbortSignal): Promise<void>;
};

/** Since 1970, so that it can be held against the dates that services tell. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (waitMs, signal) => sleep(waitMs, undefined, { signal }),
};
