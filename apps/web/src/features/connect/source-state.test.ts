import { defaultDeletionPolicy, refuseDeletions } from "@anneal/core/connect/deletion-policy";
import { describe, expect, it } from "vitest";
import { nextReadOf, stateOfSource, stateOfSync } from "#features/connect/source-state.ts";
import { whatWasWrong } from "#features/connect/what-was-wrong.ts";

const read = {
  syncing: false,
  paused: false,
  waitsUntil: null,
  cancelled: false,
  lastSyncAt: new Date("2031-02-03T04:05:06Z"),
  lastSyncError: null,
  waitingCount: 0,
  unindexedCount: 0,
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

  it("is not up to date while documents are not parsed or not in the index yet", () => {
    expect(stateOfSource({ ...read, waitingCount: 3, unindexedCount: 2 })).toEqual({
      kind: "partial",
      word: "Read, 3 not parsed yet",
      title: "3 documents are fetched and not parsed yet, 2 documents are parsed and not in the index yet.",
    });
    expect(stateOfSource({ ...read, unindexedCount: 2, quarantinedCount: 1 }).word).toBe("Read, 2 not findable yet");
  });

  it("is cancelled where the newest sync was, whether it was ever read to its end or not", () => {
    const cancelled = { kind: "stopped", word: "Cancelled" };
    expect(stateOfSource({ ...read, cancelled: true, quarantinedCount: 7 })).toEqual(cancelled);
    expect(stateOfSource({ ...read, cancelled: true, lastSyncAt: null })).toEqual(cancelled);
    // What it does now, and what is still wrong with it, come before.
    expect(stateOfSource({ ...read, cancelled: true, syncing: true })?.kind).toBe("running");
    expect(stateOfSource({ ...read, cancelled: true, lastSyncError: { message: "It is gone." } })?.kind).toBe("failed");
  });

  it("is what happens now, or what was wrong with all of it, before what failed in it", () => {
    const failures = { ...read, quarantinedCount: 7 };
    expect(stateOfSource({ ...failures, syncing: true })?.kind).toBe("running");
    expect(stateOfSource({ ...failures, paused: true })?.word).toBe("Paused");
    expect(stateOfSource({ ...failures, waitsUntil: new Date() })?.kind).toBe("waiting");
    expect(stateOfSource({ ...failures, lastSyncError: { message: "It is gone." } })).toEqual({
      kind: "failed",
      word: "Failed",
      title: "It is gone.",
    });
    const deletions = refuseDeletions(defaultDeletionPolicy, 30, 12)!;
    expect(stateOfSource({ ...failures, lastSyncError: deletions })).toEqual({
      kind: "waiting",
      word: "Held back",
      title: deletions.message,
    });
    expect(stateOfSource({ ...failures, lastSyncAt: null })).toEqual({ kind: "none", word: "Not read yet" });
  });
});

describe("a source's next read", () => {
  const nextSyncAt = new Date("2031-02-03T04:05:06Z");

  it("is a time only while its schedule fires", () => {
    const scheduled = { schedule: "@every 30m", schedulePaused: false, nextSyncAt };
    expect(nextReadOf(scheduled)).toBe(nextSyncAt);
    expect(nextReadOf({ ...scheduled, schedulePaused: true })).toBe("Paused");
    expect(nextReadOf({ ...scheduled, schedule: null, nextSyncAt: null })).toBe("By hand");
    expect(nextReadOf({ ...scheduled, nextSyncAt: null })).toBeNull();
  });
});

describe("a sync's state", () => {
  const done = { status: "done" as const, interrupted: false, error: null, dropped: 0 };

  it("is done in green only where nothing failed, or whoever looks may not know of it", () => {
    expect(stateOfSync(done)).toEqual({ kind: "ready", word: "Done" });
    expect(stateOfSync({ ...done, dropped: null })).toEqual({ kind: "ready", word: "Done" });
    expect(stateOfSync({ ...done, dropped: 1 })).toEqual({ kind: "partial", word: "Done, 1 failed" });
    expect(stateOfSync({ ...done, dropped: 1_234 }).word).toBe("Done, 1,234 failed");
  });

  it("is what happens to all of it before what failed in it", () => {
    const failures = { ...done, dropped: 3 };
    expect(stateOfSync({ ...failures, error: { message: "Confirm it." } }).word).toBe("Held back");
    expect(stateOfSync({ ...failures, status: "failed" }).kind).toBe("failed");
    expect(stateOfSync({ ...failures, status: "waiting" }).kind).toBe("waiting");
    expect(stateOfSync({ ...failures, status: "paused" }).word).toBe("Paused");
    expect(stateOfSync({ ...failures, status: "running", interrupted: true }).word).toBe("Interrupted");
    expect(stateOfSync({ ...failures, status: "cancelled" }).kind).toBe("stopped");
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
