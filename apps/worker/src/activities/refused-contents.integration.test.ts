import { randomUUID } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { workspaceMembers } from "@anneal/core/access/acl";
import { defaultDeletionPolicy } from "@anneal/core/connect/deletion-policy";
import type { Wait } from "@anneal/core/connect/plan-wait";
import { startApi, type ApiAnswer, type TestApi } from "@anneal/connectors/conformance/start-api";
import { defaultLimits } from "@anneal/connectors/connector";
import type { Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { getSource, saveSource } from "@anneal/db/queries/sources";
import { listDocuments } from "@anneal/db/queries/documents";
import { beginSync, endSync, listSyncFailures, listSyncs } from "@anneal/db/queries/source-syncs";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { openFolderStore } from "@anneal/objects/folder-store";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { applyChanges } from "./apply-changes.ts";
import { beginWait } from "./begin-wait.ts";

// A real database, the connector for JSON over HTTP, and a service of which some documents fail.

let test: TestDatabase;
let scope: Scope;
let sourceId: string;
let syncId: string;
let api: TestApi;
/** What the service answers instead of a document's text. */
let trouble: Map<string, ApiAnswer>;
/** The waits of the gateway, which no test sleeps through. */
let slept: number;

const gone = { status: 504, body: "upstream request timeout" };
const refs = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());
beforeEach(async () => {
  trouble = new Map();
  slept = 0;
  api = await startApi(({ path }) => {
    if (path === "/notes") return { body: refs.map((id) => ({ id, updatedAt: "2030-01-02T03:04:05Z" })) };
    const [, , ref = ""] = path.split("/");
    return trouble.get(ref) ?? { body: `The text of ${ref}.` };
  });
  const { id: workspaceId } = await saveWorkspace(test.db, { slug: randomUUID(), name: "Test" });
  scope = { db: test.db, workspaceId };
  [sourceId, syncId] = [randomUUID(), randomUUID()];
  const config = {
    url: api.origin,
    list: "notes",
    id: "id",
    updatedAt: "updatedAt",
    contentPath: "notes/{id}/text",
    contentType: "text/plain",
    allowPrivateHosts: true,
  };
  const facts = { name: "Notes", kind: "rest", config, sealedSecrets: null, schedule: null };
  await saveSource(scope, { id: sourceId, ...facts, defaultAcl: { allow: [workspaceMembers(workspaceId)], deny: [] } });
});
afterEach(() => api.stop());

/** One attempt of the sync, as the activity makes it. */
async function attempt(idleWaits: number): Promise<Wait | "done"> {
  const begun = { id: syncId, sourceId, runId: null, startedBy: "ada" };
  const counts = await beginSync(scope, begun);
  const sync = { id: syncId, sourceId, counts, failures: await listSyncFailures(scope, syncId) };
  const source = await getSource(scope, sourceId);
  const countsBefore = { ...counts };
  const progress = { report: async () => undefined, announce: async () => undefined };
  let now = Date.now();
  const clock = {
    now: () => now,
    async sleep(waitMs: number) {
      slept += waitMs;
      now += waitMs;
    },
  };
  const context = {
    clock,
    signal: new AbortController().signal,
    tempDir: await mkdtemp(join(test.dir, "temp-")),
    limits: defaultLimits,
    deletions: { ...defaultDeletionPolicy, confirmed: false },
    chromiumPath: null,
    ownFolders: [],
    python: null,
  };
  const objects = openFolderStore(join(test.dir, `objects-${sourceId}`));
  const applied = { scope, objects, source, secrets: {}, sync, context, progress, idleWaits };
  try {
    await applyChanges({ ...applied, documentTimeoutMs: 60_000, sleptMs: () => 0 });
  } catch (error) {
    const wait = await beginWait({ scope, source, sync, countsBefore, progress }, idleWaits, error);
    if (wait === null) throw error;
    return wait;
  }
  await endSync(scope, sync, { status: "done", heldBack: null });
  return "done";
}
/** All of one sync, whose waits are over at once. */
async function read(): Promise<Wait[]> {
  syncId = randomUUID();
  const waits: Wait[] = [];
  for (;;) {
    const end = await attempt(waits.at(-1)?.idleWaits ?? 0);
    if (end === "done") return waits;
    waits.push(end);
  }
}
const last = async () => (await listSyncs(scope, sourceId, { limit: 1, offset: 0 })).rows[0];
const failures = async () => (await listSyncFailures(scope, syncId)).map(({ ref, code }) => `${ref} ${code}`);
const quarantined = async () => {
  const { rows } = await listDocuments(scope, { status: "quarantined" }, { limit: 50, offset: 0 });
  return rows.map(({ ref }) => ref).toSorted();
};

describe("a document that its source always refuses without a word of when or why", () => {
  it("is waited for once and then left out, what stands behind it is read, and later syncs try it again", async () => {
    trouble.set("c", gone);
    expect(await read()).toEqual([{ waitMs: 60_000, idleWaits: 1 }]);
    expect(await last()).toMatchObject({ status: "done", scanned: 10, added: 9, dropped: 1 });
    expect(await failures()).toEqual(["c SOURCE_UNREACHABLE"]);
    expect(await quarantined()).toEqual(["c"]);

    trouble.clear();
    expect(await read()).toEqual([]);
    expect(await last()).toMatchObject({ status: "done", read: 1, changed: 1, dropped: 0 });
    expect(await quarantined()).toEqual([]);
  });

  it("keeps no sync for good that meets many of them, one after the other", async () => {
    for (const ref of refs.slice(0, 9)) trouble.set(ref, gone);
    const waits = await read();
    expect(waits.length).toBeLessThanOrEqual(3);
    expect(await last()).toMatchObject({ status: "done", scanned: 10, added: 1, dropped: 9 });
  });
});

it("a document that is refused for a while only is read after the wait, and is no failure then", async () => {
  trouble.set("c", gone);
  expect(await attempt(0)).toEqual({ waitMs: 60_000, idleWaits: 1 });
  expect(await failures()).toEqual(["c RATE_LIMITED"]);
  trouble.clear();
  expect(await attempt(1)).toBe("done");
  expect(await last()).toMatchObject({ status: "done", added: 10, dropped: 0 });
  expect(await failures()).toEqual([]);
});

it("a content that is refused with a time makes the sync wait, and nothing is left out", async () => {
  trouble.set("c", { status: 503, headers: { "retry-after": "3600" } });
  for (const idleWaits of [0, 1, 2])
    expect(await attempt(idleWaits)).toMatchObject({ waitMs: 3_600_000 * 2 ** idleWaits });
  expect([await quarantined(), await failures(), slept]).toEqual([[], [], 0]);
});

it("a content that is refused as too many requests makes the sync wait as well, whoever names no time", async () => {
  trouble.set("c", { status: 429 });
  for (const idleWaits of [0, 1, 2])
    expect(await attempt(idleWaits)).toMatchObject({ waitMs: 60_000 * 2 ** idleWaits });
  expect(await quarantined()).toEqual([]);
});
