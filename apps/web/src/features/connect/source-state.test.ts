import { describe, expect, it } from "vitest";
import { stateOfSource } from "#features/connect/source-state.ts";
import { whatWasWrong } from "#features/connect/what-was-wrong.ts";

const read = {
  syncing: false,
  paused: false,
  waitsUntil: null,
  lastSyncAt: new Date("2031-02-03T04:05:06Z"),
  lastSyncError: null,
  quarantinedCount: 0,
};

describe("a source's state", () => {
  it("is up to date only where nothing failed", () => {
    expect(stateOfSource(read)).toEqual({ kind: "ready", word: "Up to date" });
    expect(stateOfSource({ ...read, quarantinedCount: 7 })).toEqual({
      kind: "partial",
      word: "Up to date, 7 failures",
    });
    expect(stateOfSource({ ...read, quarantinedCount: 1 })?.word).toBe("Up to date, 1 failure");
  });

  it("is what happens now, or what was wrong with all of it, before what failed in it", () => {
    const failures = { ...read, quarantinedCount: 7 };
    expect(stateOfSource({ ...failures, syncing: true })?.kind).toBe("running");
    expect(stateOfSource({ ...failures, paused: true })?.word).toBe("Paused");
    expect(stateOfSource({ ...failures, waitsUntil: new Date() })?.kind).toBe("waiting");
    expect(stateOfSource({ ...failures, lastSyncError: { message: "It is gone." } })).toEqual({
      kind: "failed",
      title: "It is gone.",
    });
    expect(stateOfSource({ ...failures, lastSyncAt: null })).toBeNull();
  });
});

describe("what was wrong with a sync", () => {
  it("names the documents that failed, also where the sync went well", () => {
    expect(whatWasWrong({ error: null, dropped: 1 })).toBe("1 document failed");
    expect(whatWasWrong({ error: { message: "The share is gone." }, dropped: 2 })).toBe(
      "The share is gone. 2 documents failed.",
    );
    expect(whatWasWrong({ error: { message: "The share is gone." }, dropped: 0 })).toBe("The share is gone.");
  });

  it("says nothing where nothing was, or is not to be known", () => {
    expect(whatWasWrong({ error: null, dropped: 0 })).toBeNull();
    expect(whatWasWrong({ error: null, dropped: null })).toBeNull();
  });
});
