import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { listSources, type ListedSource } from "./find-source.ts";
import { formatSource } from "./format-source.ts";

/** As the portal answers, with a time as text. */
const answered = {
  id: "s1",
  name: "wards",
  kindTitle: "Folder",
  location: "/srv/wards",
  documentCount: 12,
  quarantinedCount: 0,
  syncing: false,
  paused: false,
  waitsUntil: null,
  cancelled: false,
  lastSyncAt: "2031-02-03T04:05:06.000Z",
  lastSyncError: null,
  schedule: null,
  schedulePaused: false,
};

const unreachable = { code: "SOURCE_UNREACHABLE", message: "The server does not answer.", action: "Start it." };

async function lineOf(change: Partial<Record<keyof ListedSource, unknown>>): Promise<string> {
  const portal = {
    async query<T>(_procedure: string, _input: unknown, output: z.ZodType<T>): Promise<T> {
      return output.parse([{ ...answered, ...change }]);
    },
  };
  return formatSource((await listSources(portal))[0]!);
}

describe("a source in the list", () => {
  it("is told with its documents, its state, its last read and its schedule", async () => {
    expect(await lineOf({})).toBe(
      "wards  (Folder, /srv/wards): 12 documents · up to date · last read 2031-02-03 04:05 UTC · by hand",
    );
    expect(await lineOf({ quarantinedCount: 2, schedule: "0 * * * *" })).toBe(
      "wards  (Folder, /srv/wards): 12 documents, 2 failed · up to date · last read 2031-02-03 04:05 UTC · schedule 0 * * * *",
    );
    expect(await lineOf({ quarantinedCount: 2, droppedCount: 1, duplicateCount: 1 })).toBe(
      "wards  (Folder, /srv/wards): 12 documents, 2 failed, 2 left out by the rules for documents · up to date · last read 2031-02-03 04:05 UTC · by hand",
    );
    expect(await lineOf({ waitingCount: 3, unindexedCount: 1 })).toBe(
      "wards  (Folder, /srv/wards): 12 documents, 3 not parsed yet · read · last read 2031-02-03 04:05 UTC · by hand",
    );
    expect(await lineOf({ lastSyncAt: null, schedule: "@every 30m", schedulePaused: true })).toBe(
      "wards  (Folder, /srv/wards): 12 documents · not read yet · schedule @every 30m (paused)",
    );
  });

  it.each([
    ["reading", { syncing: true, cancelled: true }],
    ["paused", { paused: true }],
    ["waiting for the source until 2031-02-03 05:00 UTC", { waitsUntil: "2031-02-03T05:00:00Z" }],
    ["failed", { lastSyncError: unreachable }],
    ["held back", { lastSyncError: { ...unreachable, code: "CONFLICT", details: { heldBack: true } } }],
    ["cancelled", { cancelled: true }],
    ["cancelled", { cancelled: true, lastSyncAt: null }],
  ])("is %s", async (word, change) => {
    expect((await lineOf(change)).split("\n")[0]!.split(" · ")[1]).toBe(word);
  });

  it("is followed by why its last read failed and what to do, also while it is read again", async () => {
    expect(await lineOf({ lastSyncError: unreachable })).toBe(
      [
        "wards  (Folder, /srv/wards): 12 documents · failed · last read 2031-02-03 04:05 UTC · by hand",
        "  ✗ The server does not answer. (SOURCE_UNREACHABLE)",
        "    What to do: Start it.",
      ].join("\n"),
    );
    expect(await lineOf({ syncing: true, lastSyncError: unreachable })).toContain("✗ The server does not answer.");
  });

  it("shows what a read held back, and what it could not tell of people, without a code", async () => {
    const heldBack = {
      code: "CONFLICT",
      message: "12 of 30 are gone.",
      action: "Confirm.",
      details: { heldBack: true },
    };
    expect((await lineOf({ lastSyncError: heldBack })).split("\n").slice(1)).toEqual([
      "  ! 12 of 30 are gone.",
      "    What to do: Confirm.",
    ]);
    const directoryError = { code: "SOURCE_FORBIDDEN", message: "Groups cannot be read.", action: "Grant it." };
    expect((await lineOf({ directoryError })).split("\n").slice(1)).toEqual([
      "  ! Groups cannot be read. (SOURCE_FORBIDDEN)",
      "    What to do: Grant it.",
    ]);
  });
});
