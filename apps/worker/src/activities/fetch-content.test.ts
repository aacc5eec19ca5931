import type { ContentHandle } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import type { Clock } from "@anneal/connectors/clock";
import { defaultLimits } from "@anneal/connectors/connector";
import { createPacing } from "@anneal/connectors/remote/pacing";
import { RateLimited } from "@anneal/connectors/remote/rate-limited";
import type { ObjectStore } from "@anneal/objects/object-store";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fetchContent } from "./fetch-content.ts";
import { createSleepMeter } from "./sleep-meter.ts";

const minute = 60_000;
const timeoutMs = 10 * minute;
const { signal } = new AbortController();
const noObjects = new Proxy({} as ObjectStore, { get: () => expect.fail("nothing is stored here") });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const sleep = (waitMs: number) => new Promise<void>((resolve) => setTimeout(resolve, waitMs));
const clock: Clock = { now: () => Date.now(), sleep };
const context = { tempDir: "", limits: defaultLimits, signal };
const parts = async function* (...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
};

/** What comes of a fetch, however long that takes, and when. */
async function fetchIn(content: ContentHandle, sleptMs?: () => number) {
  const startedAt = Date.now();
  const outcome = fetchContent(noObjects, content, context, timeoutMs, sleptMs).then(
    ({ facts }) => `${facts.sizeBytes} bytes`,
    (error: unknown) => (error instanceof AnnealError ? error.code : error),
  );
  const ended = outcome.then((what) => ({ what, minutes: Math.round((Date.now() - startedAt) / minute) }));
  await vi.advanceTimersByTimeAsync(24 * 60 * minute);
  return ended;
}

describe("the time of a content", () => {
  it("stands still while the source's requests sleep as it asked, whichever document's they are", async () => {
    const meter = createSleepMeter(clock);
    const pacing = createPacing("archive.example", { signal, clock: meter.clock });
    let asked = 0;
    const busy = async () => {
      asked += 1;
      if (asked % 2 === 1) throw new RateLimited({ place: "The archive", toldMs: minute });
    };
    const toError = (error: unknown) => error as AnnealError;
    const throttled: ContentHandle = {
      async open() {
        for (let count = 0; count < 12; count += 1) await Promise.all([pacing.attempt(busy, toError), pacing.turn()]);
        return parts("read");
      },
    };
    expect(await fetchIn(throttled, meter.sleptMs)).toEqual({ what: "4 bytes", minutes: 12 });
  });

  it("is over once so much of it was spent awake, and after six times as much in any case", async () => {
    const meter = createSleepMeter(clock);
    const slow: ContentHandle = {
      open: () =>
        meter.clock
          .sleep(7 * minute, signal)
          .then(() => sleep(60 * minute))
          .then(() => parts()),
    };
    expect(await fetchIn(slow, meter.sleptMs)).toEqual({ what: "DOCUMENT_TIMEOUT", minutes: 17 });
    const asleep: ContentHandle = { open: () => meter.clock.sleep(300 * minute, signal).then(() => parts()) };
    expect(await fetchIn(asleep, meter.sleptMs)).toEqual({ what: "DOCUMENT_TIMEOUT", minutes: 60 });
  });
});

it("what a content fails with just before its time is over is told as it is, whoever is slow to let go of it", async () => {
  const failing: ContentHandle = {
    open: async () => ({
      [Symbol.asyncIterator]: () => ({
        async next() {
          await sleep(timeoutMs - 1000);
          throw new RateLimited({ place: "The archive", toldMs: 3_600_000 });
        },
        async return() {
          await sleep(5000);
          return { done: true, value: undefined };
        },
      }),
    }),
  };
  expect(await fetchIn(failing)).toMatchObject({ what: "RATE_LIMITED" });
});
