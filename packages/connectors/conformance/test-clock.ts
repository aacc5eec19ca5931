import type { Clock } from "../src/clock.ts";

/** A clock that only sleeping moves. */
export type TestClock = Clock & {
  /** In all, since it was made. */
  readonly sleptMs: number;
};

/** @param startMs since 1970 */
export function createTestClock(startMs = Date.now()): TestClock {
  let sleptMs = 0;
  return {
    get sleptMs() {
      return sleptMs;
    },
    now: () => startMs + sleptMs,
    async sleep(waitMs, signal) {
      signal.throwIfAborted();
      sleptMs += waitMs;
    },
  };
}
