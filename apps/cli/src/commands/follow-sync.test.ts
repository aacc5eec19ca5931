import { describe, expect, it } from "vitest";
import { formatSync, type Sync } from "./follow-sync.ts";

const sync: Sync = {
  id: "s",
  status: "running",
  scanned: 1_200,
  added: 3,
  changed: 2,
  removed: 1,
  dropped: 4,
  failedPlaces: 0,
  bytes: 5_242_880,
  leftOut: {},
  progress: { expected: 2_400, documentsPerSecond: 60, bytesPerSecond: 262_144, etaMs: 20_000 },
  waitsUntil: null,
  error: null,
};

describe("formatSync", () => {
  it("says of what runs how far it is, how fast, and how long it still takes", () => {
    expect(formatSync(sync)).toBe(
      "▸ 1200 of about 2400 seen: 3 new, 2 changed, 1 deleted, 4 failed, 5.0 MiB  60 documents/s  256 KiB/s  ETA 20 s",
    );
  });

  it("leaves out what nobody knows", () => {
    expect(formatSync({ ...sync, bytes: 0, progress: null })).toBe(
      "▸ 1200 seen: 3 new, 2 changed, 1 deleted, 4 failed, 0 B",
    );
  });

  it("says of one that waits until when, and why", () => {
    const waitsUntil = new Date("2031-02-03T04:05:06Z");
    expect(formatSync({ ...sync, status: "waiting", waitsUntil })).toBe(
      "◷ waiting until 2031-02-03 04:05 UTC, as the source asked for, at 1200 seen: 3 new, 2 changed, 1 deleted, 4 failed, 5.0 MiB",
    );
  });

  it("tells what ended from what was paused or cancelled", () => {
    const of = (status: Sync["status"]) => formatSync({ ...sync, status, dropped: 0 }).split(":")[0];
    expect([of("done"), of("paused"), of("cancelled"), of("skipped")]).toEqual([
      "✓ 1200 seen",
      "◼ paused at 1200 seen",
      "◼ cancelled at 1200 seen",
      "– 1200 seen",
    ]);
  });

  it("says what was left out and why, which is nothing wrong", () => {
    const done: Sync = { ...sync, status: "done", dropped: 0, progress: null };
    expect(formatSync({ ...done, leftOut: { link: 2, pipe: 1 } })).toBe(
      "✓ 1200 seen: 3 new, 2 changed, 1195 unchanged, 1 deleted, 0 failed, 5.0 MiB; 3 left out: 2 symbolic links, 1 pipe",
    );
    expect(formatSync({ ...done, leftOut: null })).toBe(formatSync(done));
  });

  it("says of what ended how much was seen and stayed as it was", () => {
    const done: Sync = { ...sync, status: "done", scanned: 14, dropped: 0, bytes: 0, progress: null };
    expect(formatSync(done)).toBe("✓ 14 seen: 3 new, 2 changed, 9 unchanged, 1 deleted, 0 failed, 0 B");
    // A portal of another release does not tell that a folder failed, which is no document that was seen.
    expect(formatSync({ ...done, scanned: 5, dropped: 1 })).toContain("2 changed, 0 unchanged,");
  });

  it("takes no folder or space that failed for a document that was seen", () => {
    const done: Sync = { ...sync, status: "done", scanned: 14, dropped: 3, failedPlaces: 1, bytes: 0, progress: null };
    expect(formatSync(done)).toBe("! 14 seen: 3 new, 2 changed, 7 unchanged, 1 deleted, 3 failed, 0 B");
  });

  it("passes for all well only where nothing failed and nothing was held back", () => {
    const done: Sync = { ...sync, status: "done", progress: null };
    const error = { code: "CONFLICT" as const, message: "12 of 14 are gone.", action: "Confirm it." };
    expect(formatSync(done)).toBe("! 1200 seen: 3 new, 2 changed, 1191 unchanged, 1 deleted, 4 failed, 5.0 MiB");
    expect(formatSync({ ...done, dropped: 0, error })).toBe(
      "! 1200 seen: 3 new, 2 changed, 1195 unchanged, 1 deleted, 0 failed, 5.0 MiB",
    );
  });
});
