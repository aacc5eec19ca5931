import type { Scope } from "@anneal/db/database";
import type { SyncState } from "@anneal/db/queries/source-syncs";
import { expect, it, vi } from "vitest";
import { createSyncMeter } from "./sync-meter.ts";

vi.mock("@anneal/db/queries/source-syncs", () => ({ saveSyncProgress: async () => undefined }));

const none = { read: 0, added: 0, changed: 0, removed: 0, dropped: 0 };

/** A sync that was paused at so many documents, with ten bytes in each. */
function resumeAt(scanned: number) {
  const sync: SyncState = { id: "sync", counts: { ...none, scanned, bytes: scanned * 10 } };
  let time = 50_000;
  const meter = createSyncMeter({ scope: {} as Scope, sync, lastListed: 2_000 }, () => time);
  const measure = (listed: number, passedMs: number) => {
    time += passedMs;
    sync.counts.bytes += 100;
    return meter.measure(listed);
  };
  return { measure };
}

it("tells what a resumed sync did since, over the time that it took", async () => {
  const { measure } = resumeAt(1_000);
  expect(await measure(1_020, 2_000)).toEqual({
    expected: 2_000,
    documentsPerSecond: 10,
    bytesPerSecond: 50,
    etaMs: 98_000,
  });
});

it("measures from where a source is found to be gone through from its start again", async () => {
  const { measure } = resumeAt(1_000);
  expect(await measure(1_010, 1_000)).toMatchObject({ documentsPerSecond: 10 });
  expect(await measure(100, 1_000)).toMatchObject({ documentsPerSecond: null, etaMs: null });
  expect(await measure(140, 2_000)).toMatchObject({ documentsPerSecond: 20, bytesPerSecond: 50, etaMs: 93_000 });
});

it("tells how fast a source is that has become slow by its last minute", async () => {
  const { measure } = resumeAt(0);
  expect(await measure(1_000, 10_000)).toMatchObject({ documentsPerSecond: 100, etaMs: 10_000 });
  for (let second = 1; second < 60; second += 1) await measure(1_000 + second, 1_000);
  expect(await measure(1_060, 1_000)).toMatchObject({ documentsPerSecond: 1, etaMs: 940_000 });
  // Nothing came for longer than that.
  expect(await measure(1_061, 540_000)).toMatchObject({ documentsPerSecond: 1 / 540 });
});
