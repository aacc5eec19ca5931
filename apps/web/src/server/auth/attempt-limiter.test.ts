import { expect, it } from "vitest";
import { createAttemptLimiter } from "./attempt-limiter.ts";

it("lets a person mistype a few times without waiting", () => {
  const limiter = createAttemptLimiter({ free: 3 });
  for (const at of [0, 1, 2]) {
    expect(limiter.waitMs("ada", at)).toBe(0);
    limiter.recordFailure("ada", at);
  }
  expect(limiter.waitMs("ada", 2)).toBe(1000);
});

it("doubles the wait with each further failure, up to the limit, and for this address only", () => {
  const limiter = createAttemptLimiter({ free: 1, maxWaitMs: 4_000 });
  const waits = [1, 2, 3, 4, 5].map(() => {
    limiter.recordFailure("ada", 0);
    return limiter.waitMs("ada", 0);
  });
  expect(waits).toEqual([1000, 2000, 4000, 4000, 4000]);
  expect(limiter.waitMs("kim", 0)).toBe(0);
});

it("forgets after success and after a quiet day", () => {
  const limiter = createAttemptLimiter({ free: 1 });
  limiter.recordFailure("ada", 0);
  limiter.recordFailure("ada", 0);
  limiter.clear("ada");
  expect(limiter.waitMs("ada", 0)).toBe(0);
  limiter.recordFailure("kim", 0);
  limiter.recordFailure("kim", 0);
  limiter.recordFailure("kim", 2 * 86_400_000);
  expect(limiter.waitMs("kim", 2 * 86_400_000)).toBe(1000);
});

it("holds no more addresses than its capacity, however many are tried", () => {
  const limiter = createAttemptLimiter({ free: 0, capacity: 2 });
  for (const key of ["a", "b", "c"]) limiter.recordFailure(key, 0);
  expect(["a", "b", "c"].map((key) => limiter.waitMs(key, 0) > 0)).toEqual([false, true, true]);
});
