import { expect, it } from "vitest";
import { chooseDelay, withRetries } from "./with-retries.ts";

const settings = { attempts: 4, firstDelayMs: 100, maxDelayMs: 1000 };
const fast = { attempts: 4, firstDelayMs: 0, maxDelayMs: 0 };

it("waits twice as long each time, and never longer than the bound", () => {
  expect([1, 2, 3, 4, 5].map((attempt) => chooseDelay(attempt, null, settings, 0.999_999))).toEqual(
    [100, 200, 400, 800, 1000].map((delay) => expect.closeTo(delay, 1)),
  );
  expect(chooseDelay(1, null, settings, 0)).toBe(50);
});

it("waits as long as the server asks, within the bound", () => {
  expect(chooseDelay(1, 700, settings, 0.5)).toBe(700);
  expect(chooseDelay(1, 60_000, settings, 0.5)).toBe(1000);
});

it("ends after the last attempt with its failure", async () => {
  let attempts = 0;
  const failing = withRetries(
    () => Promise.reject(new Error(`attempt ${(attempts += 1)}`)),
    () => ({ retry: true, afterMs: null }),
    fast,
  );
  await expect(failing).rejects.toThrow("attempt 4");
  expect(attempts).toBe(4);
});

it("does not repeat what would fail again", async () => {
  let attempts = 0;
  const failing = withRetries(
    () => Promise.reject(new Error(`attempt ${(attempts += 1)}`)),
    () => ({ retry: false }),
    fast,
  );
  await expect(failing).rejects.toThrow("attempt 1");
});
