import { describe, expect, it } from "vitest";
import { measureSync } from "./measure-sync.ts";

const at = { listed: 200, listedBefore: 0, bytes: 4_000, elapsedMs: 2_000, told: null, lastListed: null };

describe("measureSync", () => {
  it("says how fast it is, and no end where nothing tells how many there are", () => {
    expect(measureSync(at)).toEqual({ expected: null, documentsPerSecond: 100, bytesPerSecond: 2_000, etaMs: null });
  });

  it("says nothing of how long it still takes in its first two seconds", () => {
    expect(measureSync({ ...at, elapsedMs: 1_999, told: 300 })).toMatchObject({ expected: 300, etaMs: null });
  });

  it("takes the source's own count before that of the last complete sync", () => {
    expect(measureSync({ ...at, told: 300, lastListed: 900 })).toMatchObject({ expected: 300, etaMs: 1_000 });
    expect(measureSync({ ...at, lastListed: 900 })).toMatchObject({ expected: 900, etaMs: 7_000 });
  });

  it("gives up an estimate that the source has outgrown", () => {
    expect(measureSync({ ...at, lastListed: 199 })).toMatchObject({ expected: null, etaMs: null });
    expect(measureSync({ ...at, told: 199, lastListed: 200 })).toMatchObject({ expected: 200, etaMs: 0 });
  });

  it("counts what an earlier attempt listed as done, and not as fast", () => {
    const resumed = { ...at, listed: 1_200, listedBefore: 1_000, told: 1_400 };
    expect(measureSync(resumed)).toMatchObject({ expected: 1_400, documentsPerSecond: 100, etaMs: 2_000 });
    expect(measureSync({ ...resumed, listed: 1_000 })).toMatchObject({ documentsPerSecond: null, etaMs: null });
  });

  it("has no rate before there is something to measure", () => {
    const nothing = { documentsPerSecond: null, bytesPerSecond: null, etaMs: null };
    expect(measureSync({ ...at, elapsedMs: 100 })).toMatchObject(nothing);
    expect(measureSync({ ...at, listed: 0, bytes: 0, told: 10 })).toMatchObject(nothing);
  });
});
