import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { describe, expect, it } from "vitest";
import type { Clock } from "../clock.ts";
import { createPacing } from "./pacing.ts";
import { RateLimited } from "./rate-limited.ts";
import type { RemoteEvent } from "./remote-observer.ts";

/** A clock that only sleeping moves. */
function createClock(): Clock & { slept: number[] } {
  let nowMs = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => nowMs,
    async sleep(waitMs, signal) {
      signal.throwIfAborted();
      slept.push(waitMs);
      nowMs += waitMs;
    },
  };
}

function start(signal = new AbortController().signal) {
  const clock = createClock();
  const events: RemoteEvent[] = [];
  const pacing = createPacing("archive.example", { signal, clock, onRemoteEvent: (event) => events.push(event) });
  return { clock, events, pacing };
}

const toError = (error: unknown) => {
  if (isAnnealError(error)) return error;
  throw error;
};
const busy = (toldMs: number | null) => new RateLimited({ place: "The archive", toldMs });
const lost = new AnnealError("SOURCE_UNREACHABLE", "It is gone.", { action: "Look.", retryable: true });
const refused = new AnnealError("SOURCE_FORBIDDEN", "No.", { action: "Ask." });

/** Fails in turn with each of these, and then succeeds. */
function createWork(...failures: Error[]) {
  let asked = 0;
  return {
    asked: () => asked,
    async work() {
      const failure = failures[asked];
      asked += 1;
      if (failure !== undefined) throw failure;
      return "done";
    },
  };
}

describe("attempt", () => {
  it("waits as long as it is told, by the clock that it is given, and asks again", async () => {
    const { pacing, clock, events } = start();
    const { work, asked } = createWork(busy(20_000), busy(0));
    expect(await pacing.attempt(work, toError)).toBe("done");
    expect([asked(), clock.slept]).toEqual([3, [20_000]]);
    expect(events).toEqual([
      { type: "throttled", host: "archive.example" },
      { type: "wait", host: "archive.example", cause: "told", waitMs: 20_000 },
      { type: "throttled", host: "archive.example" },
      { type: "wait", host: "archive.example", cause: "told", waitMs: 0 },
    ]);
  });

  it("waits a little longer each time where nothing is told, and hands a default to the workflow after six tries", async () => {
    const { pacing, clock } = start();
    const { work, asked } = createWork(...Array.from({ length: 9 }, () => busy(null)));
    await expect(pacing.attempt(work, toError)).rejects.toMatchObject({
      code: "RATE_LIMITED",
      retryable: true,
      details: { retryAfterMs: 60_000 },
    });
    expect([asked(), clock.slept]).toEqual([6, [1000, 2000, 4000, 8000, 16_000]]);
  });

  it("waits no more than a minute in all", async () => {
    const { pacing, clock } = start();
    const { work } = createWork(busy(40_000), busy(40_000));
    await expect(pacing.attempt(work, toError)).rejects.toMatchObject({ details: { retryAfterMs: 40_000 } });
    expect(clock.slept).toEqual([40_000]);
  });

  it("hands a wait of more than a minute over, and asks nothing more until it is over", async () => {
    const { pacing, clock, events } = start();
    const { work, asked } = createWork(busy(3_600_000));
    await expect(pacing.attempt(work, toError)).rejects.toMatchObject({ details: { retryAfterMs: 3_600_000 } });
    await clock.sleep(600_000, new AbortController().signal);
    await expect(pacing.attempt(work, toError)).rejects.toMatchObject({
      code: "RATE_LIMITED",
      message: "The archive asks to wait 3000 s.",
      details: { retryAfterMs: 3_000_000 },
    });
    expect(asked()).toBe(1);
    expect(events.filter(({ type }) => type === "wait")).toEqual([
      { type: "wait", host: "archive.example", cause: "handed-over", waitMs: 3_600_000 },
    ]);
    await clock.sleep(3_000_000, new AbortController().signal);
    expect(await pacing.attempt(work, toError)).toBe("done");
  });

  it("closes nothing after a wait that nobody told: one object that fails must not end the others", async () => {
    const { pacing } = start();
    await pacing.attempt(createWork(...Array.from({ length: 6 }, () => busy(null))).work, toError).catch(() => {});
    expect(await pacing.attempt(createWork().work, toError)).toBe("done");
  });

  it("tries what got no answer three times, and what was refused once", async () => {
    const { pacing, clock } = start();
    const broken = createWork(lost, lost, lost);
    await expect(pacing.attempt(broken.work, toError)).rejects.toBe(lost);
    expect([broken.asked(), clock.slept]).toEqual([3, [1000, 2000]]);
    const forbidden = createWork(refused);
    await expect(pacing.attempt(forbidden.work, toError)).rejects.toBe(refused);
    expect(forbidden.asked()).toBe(1);
  });

  it("lets a bug through as it is", async () => {
    const bug = new TypeError("undefined is not a function");
    await expect(start().pacing.attempt(createWork(bug).work, toError)).rejects.toBe(bug);
  });

  it("keeps all requests of the sync waiting, not the one that was told", async () => {
    const { pacing, clock } = start();
    pacing.keepQuiet(busy(5000));
    await pacing.attempt(createWork().work, toError);
    expect(clock.slept).toEqual([5000]);
  });

  it("hands over what a good answer asks for where it is long, and asks nothing before it is over", async () => {
    const { pacing, clock, events } = start();
    pacing.keepQuiet(busy(300_000));
    await clock.sleep(100_000, new AbortController().signal);
    const { work, asked } = createWork();
    await expect(pacing.attempt(work, toError)).rejects.toMatchObject({
      code: "RATE_LIMITED",
      details: { retryAfterMs: 200_000 },
    });
    expect([asked(), events]).toEqual([
      0,
      [{ type: "wait", host: "archive.example", cause: "handed-over", waitMs: 300_000 }],
    ]);
    await clock.sleep(200_000, new AbortController().signal);
    expect(await pacing.attempt(work, toError)).toBe("done");
    expect(clock.slept).toEqual([100_000, 200_000]);
  });

  it("ends with the reason where the sync is cancelled", async () => {
    const abort = new AbortController();
    const { pacing } = start(abort.signal);
    const cancelled = pacing.attempt(async () => {
      abort.abort(new Error("cancelled by a person"));
      throw lost;
    }, toError);
    await expect(cancelled).rejects.toThrow("cancelled by a person");
  });
});
