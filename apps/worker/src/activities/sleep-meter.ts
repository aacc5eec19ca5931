import { systemClock, type Clock } from "@anneal/connectors/clock";

/** Counts for how long requests of one sync sleep because their source asked for that. */
export type SleepMeter = {
  /** For the connector, which sleeps by it. */
  clock: Clock;
  /** In all so far; a time in which several slept counts once. */
  sleptMs(): number;
};

export function createSleepMeter(clock: Clock = systemClock): SleepMeter {
  let sleepers = 0;
  let since = 0;
  let endedMs = 0;
  return {
    clock: {
      now: () => clock.now(),
      async sleep(waitMs, signal) {
        if (sleepers === 0) since = performance.now();
        sleepers += 1;
        try {
          await clock.sleep(waitMs, signal);
        } finally {
          sleepers -= 1;
          if (sleepers === 0) endedMs += performance.now() - since;
        }
      },
    },
    sleptMs: () => endedMs + (sleepers > 0 ? performance.now() - since : 0),
  };
}
