export type AttemptLimiter = {
  /** Milliseconds to wait before the next attempt; 0 when it may happen now. */
  waitMs(key: string, nowMs: number): number;
  recordFailure(key: string, nowMs: number): void;
  clear(key: string): void;
};

/**
 * Slows guessing: after `free` failures each further one doubles the wait, from one second to `maxWaitMs`. Kept in
 * memory; `capacity` bounds it, the key that failed longest ago leaves first.
 */
export function createAttemptLimiter({ free = 5, maxWaitMs = 60_000, capacity = 10_000 } = {}): AttemptLimiter {
  const failures = new Map<string, { count: number; lastMs: number }>();
  return {
    waitMs(key, nowMs) {
      const entry = failures.get(key);
      if (!entry || entry.count < free) return 0;
      const penaltyMs = Math.min(maxWaitMs, 1000 * 2 ** (entry.count - free));
      return Math.max(0, entry.lastMs + penaltyMs - nowMs);
    },
    recordFailure(key, nowMs) {
      const entry = failures.get(key);
      // A day of quiet forgives.
      const count = entry && nowMs - entry.lastMs < 86_400_000 ? entry.count + 1 : 1;
      failures.delete(key);
      failures.set(key, { count, lastMs: nowMs });
      const oldest = failures.keys().next().value;
      if (failures.size > capacity && oldest !== undefined) failures.delete(oldest);
    },
    clear(key) {
      failures.delete(key);
    },
  };
}
