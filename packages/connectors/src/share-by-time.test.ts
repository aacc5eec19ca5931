import { describe, expect, it } from "vitest";
import { ShareByTime } from "./share-by-time.ts";

const nowMs = 1_000;

describe("ShareByTime", () => {
  it("grows with how far back a part was read, between its newest document and its beginning", () => {
    const times = new ShareByTime([{ key: "general", startedAtMs: 0 }], nowMs);
    const shares = [800, 600, 200, 0].map((atMs) => {
      times.reach("general", atMs);
      return times.share;
    });
    expect(shares).toEqual([0, 0.25, 0.75, 1]);
  });

  it("never falls, and is whole once a part is done, whatever its documents say of their times", () => {
    const times = new ShareByTime([{ key: "general", startedAtMs: 500 }], nowMs);
    times.reach("general", 900);
    times.reach("general", 700);
    times.reach("general", 880);
    expect(times.share).toBe(0.5);
    // Older than its beginning.
    times.reach("general", 100);
    expect(times.share).toBe(1);
    times.finish("general");
    expect(times.share).toBe(1);
  });

  it("weighs a part by how long it has existed", () => {
    const parts = [
      { key: "old", startedAtMs: 0 },
      { key: "young", startedAtMs: 750 },
    ];
    const times = new ShareByTime(parts, nowMs);
    times.finish("young");
    expect(times.share).toBe(0.2);
    times.finish("old");
    expect(times.share).toBe(1);
  });

  it("counts a part without a beginning like the others, once it is done", () => {
    const parts = [
      { key: "told", startedAtMs: 0 },
      { key: "untold", startedAtMs: null },
    ];
    const times = new ShareByTime(parts, nowMs);
    times.reach("untold", 900);
    times.reach("untold", 1);
    expect(times.share).toBe(0);
    times.finish("untold");
    expect(times.share).toBe(0.5);
  });

  it("says nothing where there is no part, nor of one that it does not know", () => {
    const times = new ShareByTime([], nowMs);
    times.reach("other", 1);
    times.finish("other");
    expect(times.share).toBe(0);
  });

  it("takes no harm from a clock that is behind the source's", () => {
    const times = new ShareByTime([{ key: "general", startedAtMs: 5_000 }], nowMs);
    times.reach("general", 6_000);
    times.reach("general", 5_500);
    expect(times.share).toBe(0.5);
  });
});
