import { beforeEach, describe, expect, it } from "vitest";
import type { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { followSync } from "./follow-sync.ts";
import { printFailures } from "./source-failures.ts";

const source = {
  id: "s1",
  name: "wards",
  lastSyncError: null,
  directoryError: null,
  droppedCount: 0,
  duplicateCount: 0,
};
const counts = { scanned: 12, added: 0, changed: 0, removed: 0, bytes: 0, progress: null };
const failureOf = (ref: string, documentId: string | null = `d-${ref}`) => ({
  ref,
  code: "DOCUMENT_DAMAGED",
  message: "It is cut off.",
  action: "Save it again.",
  documentId,
});
type Sync = { id: string; status: string; dropped: number; error: object | null };
type Asked = { syncId?: string; limit?: number; offset?: number; status?: string };
type Why = { code: string; reason: string };
type Row = { id: string; ref: string; drop: Why | null; duplicate?: Why };

/** A portal with one source: each sync that is started ends as `next` says, before anybody looks. */
function startPortal() {
  const syncs: Sync[] = [];
  const pageOf = (status: string | undefined, offset: number, limit: number) => {
    if (status !== "quarantined" && status !== "dropped" && status !== "duplicate")
      return expect.fail(`“${status}” is not asked for`);
    return { rows: portal[status].slice(offset, offset + limit), total: portal[status].length };
  };
  const portal = {
    url: "http://portal.example",
    syncs,
    next: { status: "done", dropped: 0, error: null } as Omit<Sync, "id">,
    failures: new Map<string, ReturnType<typeof failureOf>[]>(),
    quarantined: [] as Row[],
    dropped: [] as Row[],
    duplicate: [] as Row[],
    unindexed: { waitingCount: 0, unindexedCount: 0 },
    async query<T>(procedure: string, input: unknown, output: z.ZodType<T>): Promise<T> {
      const { syncId = "", limit = 0, offset = 0, status } = input as Asked;
      switch (procedure) {
        case "connect.syncs":
          return output.parse({ rows: syncs.slice(0, limit).map((sync) => ({ ...counts, ...sync })) });
        case "connect.syncFailures":
          return output.parse(portal.failures.get(syncId) ?? []);
        case "connect.get":
          return output.parse(portal.unindexed);
        case "documents.list":
          return output.parse(pageOf(status, offset, limit));
        default:
          return expect.fail(`${procedure} is not asked for`);
      }
    },
    mutate: async () => expect.fail("nothing is changed"),
    ask: async () => expect.fail("nothing is asked"),
    start: async () => void syncs.unshift({ id: `sync-${syncs.length}`, ...portal.next }),
  } satisfies PortalClient & Record<string, unknown>;
  return portal;
}

let portal: ReturnType<typeof startPortal>;
let said: string[];
const say = (line: string) => said.push(line);
const follow = () => followSync(portal, source, portal.start, new AbortController().signal, say);
beforeEach(() => {
  portal = startPortal();
  said = [];
});

describe("after a sync", () => {
  it("the first ten documents that failed are named with the reason, and how to see and to read the rest", async () => {
    portal.next.dropped = 12;
    portal.failures.set(
      "sync-0",
      Array.from({ length: 12 }, (_, index) => failureOf(`f${index}.pdf`)),
    );
    await follow();
    expect(said).toHaveLength(12);
    expect(said[0]).toBe("✗ f0.pdf: It is cut off. Save it again. (DOCUMENT_DAMAGED)");
    expect(said[9]).toContain("f9.pdf");
    expect(said[10]).toBe("  and 2 more.");
    expect(said[11]).toContain('`anneal connect failures "wards"`');
    expect(said[11]).toContain('`anneal connect retry "wards"`');
  });

  it("nothing is said where nothing failed", async () => {
    await follow();
    expect(said).toEqual([]);
  });

  it("a source that failed as a whole is told in its own words, under its own code", async () => {
    const error = {
      code: "SOURCE_CREDENTIALS",
      message: "The password is wrong.",
      action: "Enter another.",
      details: { status: 401 },
    };
    portal.next = { status: "failed", dropped: 1, error };
    portal.failures.set("sync-0", [failureOf("a.pdf")]);
    await expect(follow()).rejects.toMatchObject(error);
    expect(said[0]).toContain("a.pdf");
  });

  it("a code of another release is still an error", async () => {
    const error = { code: "SOURCE_ASLEEP", message: "It sleeps.", action: "Wake it." };
    portal.next = { status: "failed", dropped: 0, error };
    await expect(follow()).rejects.toMatchObject({ ...error, code: "CONFLICT" });
  });
});

describe("anneal connect failures", () => {
  it("lists every document that is out, over all pages, and what the last sync could not even list", async () => {
    portal.quarantined = Array.from({ length: 1_001 }, (_, index) => ({
      id: `d${index}`,
      ref: `f${index}.pdf`,
      drop: { code: "DOCUMENT_DAMAGED", reason: "It is cut off." },
    }));
    portal.next.dropped = 2;
    portal.failures.set("sync-0", [failureOf("f0.pdf"), failureOf("locked/", null)]);
    await portal.start();
    await printFailures(portal, source, say);
    expect(said).toHaveLength(1_003);
    expect(said[0]).toBe("✗ f0.pdf: It is cut off. (DOCUMENT_DAMAGED)");
    expect(said[1_000]).toContain("f1000.pdf");
    expect(said[1_001]).toContain("locked/");
    expect(said[1_002]).toContain("1002 failed.");
  });

  it("says first why the last sync failed as a whole", async () => {
    const lastSyncError = { code: "SOURCE_UNREACHABLE", message: "It does not answer.", action: "Start it." };
    await printFailures(portal, { ...source, lastSyncError, directoryError: null }, say);
    expect(said).toEqual([
      "The last sync of “wards” failed as a whole:",
      "  ✗ It does not answer. (SOURCE_UNREACHABLE)",
      "    What to do: Start it.",
    ]);
    portal.next.dropped = 1;
    portal.failures.set("sync-0", [failureOf("locked/", null)]);
    await portal.start();
    said = [];
    await printFailures(portal, { ...source, lastSyncError, directoryError: null }, say);
    expect(said.slice(3)).toEqual([
      "✗ locked/: It is cut off. Save it again. (DOCUMENT_DAMAGED)",
      '1 failed. `anneal connect retry "wards"` reads them again.',
    ]);
  });

  it("does not pass what was held back, or people that could not be read, for a source without failures", async () => {
    const heldBack = {
      code: "CONFLICT",
      message: "12 of 30 are gone.",
      action: "Confirm.",
      details: { heldBack: true },
    };
    const forbidden = { code: "SOURCE_FORBIDDEN", message: "Groups cannot be read.", action: "Grant it." };
    await printFailures(portal, { ...source, lastSyncError: heldBack, directoryError: forbidden }, say);
    expect(said).toEqual([
      "The last sync of “wards” was not complete:",
      "  ! 12 of 30 are gone.",
      "    What to do: Confirm.",
      "  ! Groups cannot be read. (SOURCE_FORBIDDEN)",
      "    What to do: Grant it.",
      "Every document could be read.",
    ]);
  });

  it("lists what the rules leave out under a heading of its own, as no failure", async () => {
    const drop = { code: "TOO_SHORT", reason: "The document has 1 word (limit 3)." };
    portal.dropped = [{ id: "d1", ref: "note.txt", drop }];
    const duplicate = { code: "NEAR_DUPLICATE", reason: "The text has a similarity of 0.86 (limit 0.80)." };
    portal.duplicate = [
      { id: "d2", ref: "copy.txt", drop: null, duplicate },
      // As a portal of before has it.
      { id: "d3", ref: "other.txt", drop: null },
    ];
    await printFailures(portal, { ...source, droppedCount: 1, duplicateCount: 2 }, say);
    expect(said).toEqual([
      "✓ Nothing of “wards” failed.",
      "3 left out by the rules for documents, which is no failure:",
      "– note.txt: The document has 1 word (limit 3). (TOO_SHORT)",
      "– copy.txt: The text has a similarity of 0.86 (limit 0.80). (NEAR_DUPLICATE)",
      "– other.txt: It is a copy of an older document, or nearly one. (DUPLICATE)",
    ]);
  });

  it("says so where nothing failed", async () => {
    await printFailures(portal, source, say);
    expect(said).toEqual(["✓ Nothing of “wards” failed."]);
  });

  it("does not say so of what is not parsed yet, and says what does", async () => {
    portal.unindexed.waitingCount = 3;
    await printFailures(portal, source, say);
    expect(said).toEqual([
      "Nothing of “wards” failed so far.",
      "! 3 documents are fetched and not parsed yet. Nobody finds them yet, and whether they can be read is not known.",
      '`anneal connect index "wards"` parses and indexes them, without training.',
    ]);
  });
});
