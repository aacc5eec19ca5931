import { AnnealError } from "@anneal/core/errors";
import { beforeEach, describe, expect, it } from "vitest";
import type { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { indexSource, readSource } from "./index-source.ts";

const source = { id: "s1", name: "wards" };
const listed = {
  kindTitle: "Folder",
  location: "/srv/wards",
  documentCount: 3,
  quarantinedCount: 0,
  syncing: false,
  paused: false,
  waitsUntil: null,
  lastSyncAt: null,
  lastSyncError: null,
  schedule: null,
  schedulePaused: false,
};
const bomb = {
  sourceName: "wards",
  ref: "bomb.zip",
  code: "DOCUMENT_HOSTILE",
  reason: "It unpacks to 4 GB. Pack it anew.",
};
const hint = '`anneal connect index "wards"` parses and indexes them, without training.';
const stageOf = (stage: string) => ({
  stage,
  status: "done",
  inCount: 3,
  outCount: 2,
  droppedCount: 0,
  durationMs: 1,
  progress: null,
  note: null,
});

/** A portal with a source of three documents, of which one cannot be parsed; a sync and a run end before anybody looks. */
function startPortal() {
  const syncs: object[] = [];
  const portal = {
    url: "http://portal.example",
    syncStatus: "done",
    unindexed: { waitingCount: 0, unindexedCount: 0 },
    leftOut: 1,
    runError: null as object | null,
    isRunning: false,
    /** What the portal answers where no run can be started. */
    refusal: null as AnnealError | null,
    /** Called before each answer. */
    onQuery: (_procedure: string) => {},
    asked: [] as unknown[],
    async query<T>(procedure: string, input: unknown, output: z.ZodType<T>): Promise<T> {
      portal.onQuery(procedure);
      switch (procedure) {
        case "connect.get":
          expect(input).toEqual({ sourceId: "s1" });
          return output.parse(portal.unindexed);
        case "connect.list":
          return output.parse([
            { ...listed, id: "s1", name: "wards", quarantinedCount: 1 },
            { ...listed, id: "s2", name: "notes", droppedCount: 11 },
            { ...listed, id: "s3", name: "whole" },
          ]);
        case "connect.syncs":
          return output.parse({ rows: syncs.slice(0, 1) });
        case "loop.get": {
          const status = portal.isRunning ? "running" : portal.runError === null ? "done" : "failed";
          const names = ["connect", "clean", "dedupe", "index"];
          return output.parse({ id: "r1", status, error: portal.runError, stages: names.map(stageOf) });
        }
        case "loop.report": {
          const stages = [{ stage: "clean", durationMs: 1, in: 3, out: 2, dropped: [bomb] }];
          const index = { collection: "c", documents: 2, chunks: 7 };
          const untrained = { dataset: null, run: null, adapter: null, deployment: null };
          return output.parse({ stages, index, ...untrained });
        }
        case "loop.drops":
          expect(input).toMatchObject({ runId: "r1", stage: "clean" });
          return output.parse({ rows: portal.leftOut === 0 ? [] : [bomb], total: portal.leftOut });
        default:
          return expect.fail(`${procedure} is not asked for`);
      }
    },
    async mutate<T>(procedure: string, input: unknown, output: z.ZodType<T>): Promise<T> {
      portal.asked.push([procedure, input]);
      if (portal.refusal !== null) throw portal.refusal;
      return output.parse({ runId: "r1" });
    },
    ask: async () => expect.fail("nothing is asked"),
    async sync() {
      const counts = {
        scanned: 3,
        added: 3,
        changed: 0,
        removed: 0,
        dropped: 0,
        bytes: 9,
        progress: null,
        error: null,
      };
      syncs.unshift({ id: `sync-${syncs.length}`, status: portal.syncStatus, ...counts });
      portal.unindexed.waitingCount = 3;
    },
  } satisfies PortalClient & Record<string, unknown>;
  return portal;
}

let portal: ReturnType<typeof startPortal>;
let said: string[];
const say = (line: string) => said.push(line);
beforeEach(() => {
  portal = startPortal();
  said = [];
});

describe("a source that is read", () => {
  it("says what of it nobody finds yet, and the command that makes it findable", async () => {
    await readSource(portal, source, portal.sync, {}, say);
    expect(said).toEqual([
      "! 3 documents are fetched and not parsed yet. Nobody finds them yet, and whether they can be read is not known.",
      hint,
    ]);
    expect(portal.asked).toEqual([]);
  });

  it("says so of what an earlier run has parsed and not indexed, and of one document as of one", async () => {
    const sync = async () => {
      await portal.sync();
      portal.unindexed = { waitingCount: 0, unindexedCount: 1 };
    };
    await readSource(portal, source, sync, {}, say);
    expect(said).toEqual([
      "! 1 document is parsed and not in the index yet. Nobody finds it yet.",
      hint.replace("them", "it"),
    ]);
  });

  it("says nothing where all of it is findable", async () => {
    const sync = async () => {
      await portal.sync();
      portal.unindexed.waitingCount = 0;
    };
    await readSource(portal, source, sync, {}, say);
    expect(said).toEqual([]);
  });

  it("is indexed with --index, by a run that trains nothing and does not read it again", async () => {
    await readSource(portal, source, portal.sync, { index: true }, say);
    expect(portal.asked).toEqual([["loop.start", { purpose: "search", fromStage: "clean", sourceIds: ["s1"] }]]);
    expect(said).toEqual([
      "✗ bomb.zip: It unpacks to 4 GB. Pack it anew. (DOCUMENT_HOSTILE)",
      "✓ 2 documents of “wards” are indexed.",
    ]);
  });

  it("starts no run with --index where nothing of it waits for one", async () => {
    const sync = async () => {
      await portal.sync();
      portal.unindexed.waitingCount = 0;
    };
    expect(await readSource(portal, source, sync, { index: true }, say)).toBe(0);
    expect(portal.asked).toEqual([]);
    expect(said).toEqual(["✓ Nothing of “wards” waits to be parsed or indexed."]);
  });

  it("says how it is indexed later where another run for the same goes on", async () => {
    portal.refusal = new AnnealError("ALREADY_RUNNING", "A run goes on.", { action: "Wait until it ends." });
    const read = readSource(portal, source, portal.sync, { index: true }, say);
    await expect(read).rejects.toMatchObject({ code: "ALREADY_RUNNING" });
    expect(said).toEqual(['Nothing was indexed: `anneal connect index "wards"` indexes what was read.']);
  });

  it.each([
    ["paused", 3, '“wards” is paused and not read to its end: `anneal connect resume "wards"` goes on from there.'],
    ["cancelled", 4, '“wards” is not read to its end: `anneal connect sync "wards"` goes on from its last checkpoint.'],
  ])("that was %s is told by the exit code %i, and not indexed", async (status, exitCode, sentence) => {
    portal.syncStatus = status;
    expect(await readSource(portal, source, portal.sync, { index: true }, say)).toBe(exitCode);
    expect(said).toEqual([sentence, 'Nothing was indexed: `anneal connect index "wards"` indexes what was read.']);
    expect(portal.asked).toEqual([]);
    said = [];
    expect(await readSource(portal, source, portal.sync, {}, say)).toBe(exitCode);
    expect(said[0]).toBe(sentence);
    expect(said).toContain(hint);
  });

  it("to its end is told by the exit code 0", async () => {
    expect(await readSource(portal, source, portal.sync, {}, say)).toBe(0);
    expect(await readSource(portal, source, portal.sync, { index: true }, say)).toBe(0);
  });
});

describe("Ctrl-C", () => {
  const interrupted = 130;
  const stopAt = (procedure: string) => {
    const controller = new AbortController();
    portal.onQuery = (asked) => asked === procedure && controller.abort();
    return controller.signal;
  };

  it("ends the command and not the sync, and says what stops that", async () => {
    portal.syncStatus = "running";
    const follow = (options: { index?: boolean }) =>
      readSource(portal, source, portal.sync, options, say, stopAt("connect.syncs"));
    expect(await follow({})).toBe(interrupted);
    const sync = 'The sync goes on without you; the portal shows it. `anneal connect cancel "wards"` stops it.';
    expect(said).toEqual([sync]);
    said = [];
    expect(await follow({ index: true })).toBe(interrupted);
    expect(said).toEqual([sync, 'Nothing is indexed by it: `anneal connect index "wards"` indexes what was read.']);
    expect(portal.asked).toEqual([]);
  });

  it("ends the command and not the run that indexes, and says what stops that", async () => {
    portal.isRunning = true;
    const run = "The run goes on without you; the portal shows it. `anneal loop cancel r1` stops it.";
    expect(await readSource(portal, source, portal.sync, { index: true }, say, stopAt("loop.get"))).toBe(interrupted);
    expect(said).toEqual([run]);
    said = [];
    expect(await indexSource(portal, null, stopAt("loop.get"), say)).toBe(interrupted);
    expect(said).toEqual([run]);
  });

  it("starts no run after a sync that ended before it was noticed", async () => {
    const read = readSource(portal, source, portal.sync, { index: true }, say, stopAt("connect.syncs"));
    expect(await read).toBe(interrupted);
    expect(said).toEqual(['Nothing was indexed: `anneal connect index "wards"` indexes what was read.']);
    expect(portal.asked).toEqual([]);
  });
});

describe("anneal connect index", () => {
  const index = (of: typeof source | null = source) => indexSource(portal, of, new AbortController().signal, say);

  it("looks at all of it again where nothing waits: another release may read what an earlier one could not", async () => {
    await index();
    await index(null);
    const asked = { purpose: "search", fromStage: "clean" };
    expect(portal.asked).toEqual([
      ["loop.start", { ...asked, sourceIds: ["s1"] }],
      ["loop.start", { ...asked, sourceIds: null }],
    ]);
    const left = "✗ bomb.zip: It unpacks to 4 GB. Pack it anew. (DOCUMENT_HOSTILE)";
    expect(said).toEqual([
      left,
      "✓ 2 documents of “wards” are indexed.",
      left.replace("bomb", "“wards”, bomb"),
      "✓ 2 documents of all sources are indexed.",
    ]);
  });

  it("names what could not be parsed also where that ended the run", async () => {
    portal.unindexed.waitingCount = 12;
    portal.leftOut = 12;
    portal.runError = { stage: "clean", code: "SOURCE_EMPTY", message: "No document was left.", action: "Add some." };
    await expect(index()).rejects.toMatchObject({ code: "SOURCE_EMPTY" });
    expect(said).toEqual([
      "✗ bomb.zip: It unpacks to 4 GB. Pack it anew. (DOCUMENT_HOSTILE)",
      '  and 11 more. `anneal connect failures "wards"` lists them all.',
    ]);
  });

  it("names the source of each where there are several, and the commands that list the rest", async () => {
    portal.leftOut = 12;
    await index(null);
    expect(said.slice(0, 2)).toEqual([
      "✗ “wards”, bomb.zip: It unpacks to 4 GB. Pack it anew. (DOCUMENT_HOSTILE)",
      '  and 11 more. To list them all, source by source: `anneal connect failures "wards"`, `anneal connect failures "notes"`.',
    ]);
  });
});
