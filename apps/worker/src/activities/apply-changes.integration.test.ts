import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nobody, workspaceMembers } from "@anneal/core/access/acl";
import { defaultDeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { AnnealError } from "@anneal/core/errors";
import { createDriveHarness } from "@anneal/connectors/conformance/fake-google/drive-harness";
import { linksTo } from "@anneal/connectors/conformance/start-site";
import { startWebCrawl, type WebCrawl } from "@anneal/connectors/conformance/start-web-crawl";
import { defaultLimits } from "@anneal/connectors/connector";
import { openDatabase, type Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { deleteSource, getSource, saveSource } from "@anneal/db/queries/sources";
import { countSourceDocuments, getDocument, listDocuments, saveCleaned } from "@anneal/db/queries/documents";
import { retryFailures } from "@anneal/db/queries/retry-failures";
import { beginSync, endSync, listSyncs } from "@anneal/db/queries/source-syncs";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { openFolderStore } from "@anneal/objects/folder-store";
import type { ObjectStore } from "@anneal/objects/object-store";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AppliedSync } from "./applied-sync.ts";
import { applyChanges } from "./apply-changes.ts";

// A real folder, database and object store; what is put passes a gate.

let test: TestDatabase;
let scope: Scope;
let sourceId: string;
let folder: string;
let stored: ObjectStore;
/** What happens before each content is stored. */
let beforePut: (count: number, applied: AppliedSync) => Promise<void>;

let crawl: WebCrawl;

beforeAll(async () => {
  [test, crawl] = await Promise.all([startTestDatabase(), startWebCrawl()]);
});
afterAll(() => Promise.all([test?.stop(), crawl?.stop()]));
beforeEach(async () => {
  const { id: workspaceId } = await saveWorkspace(test.db, { slug: randomUUID(), name: "Test" });
  scope = { db: test.db, workspaceId };
  sourceId = randomUUID();
  folder = join(test.dir, sourceId);
  await mkdir(folder);
  stored = openFolderStore(join(test.dir, `objects-${sourceId}`));
  const facts = { name: "s", kind: "file", config: { path: folder }, sealedSecrets: null, schedule: null };
  await saveSource(scope, { id: sourceId, ...facts, defaultAcl: nobody });
  beforePut = async () => undefined;
});

const nameOf = (index: number) => `${String(index).padStart(4, "0")}.txt`;
const writeAll = (count: number, text = "of") =>
  Promise.all(
    Array.from({ length: count }, (_, index) => writeFile(join(folder, nameOf(index)), `${sourceId} ${text} ${index}`)),
  );
const readersOf = async (ref: string) => {
  const { rows } = await listDocuments(scope, { sourceId }, { limit: 10, offset: 0 });
  return rows.find((row) => row.ref === ref)?.acl.allow.map(({ id }) => id);
};
const live = () => countSourceDocuments(scope, [sourceId]);

/** A sync as the activity begins it. */
async function begin(signal = new AbortController().signal): Promise<AppliedSync> {
  const sync = { id: randomUUID(), sourceId, runId: null, startedBy: "ada" };
  let puts = 0;
  const applied: AppliedSync = {
    scope,
    source: await getSource(scope, sourceId),
    secrets: {},
    objects: {
      ...stored,
      async put(key, body) {
        puts += 1;
        await beforePut(puts, applied);
        return stored.put(key, body);
      },
    },
    sync: { id: sync.id, counts: await beginSync(scope, sync), failures: [] },
    context: {
      signal,
      tempDir: await mkdtemp(join(test.dir, "temp-")),
      limits: defaultLimits,
      deletions: { ...defaultDeletionPolicy, confirmed: false },
      chromiumPath: null,
      ownFolders: [],
      python: null,
    },
    documentTimeoutMs: 60_000,
    idleWaits: 0,
    sleptMs: () => 0,
    progress: { report: async () => undefined },
  };
  return applied;
}

it("holds no more than two batches, however much there is, and writes most documents together", async () => {
  await writeAll(700);
  let most = 0;
  beforePut = async (puts, { sync }) => {
    most = Math.max(most, puts - sync.counts.added);
  };
  const applied = await begin();
  expect(await applyChanges(applied)).toEqual({ status: "done", heldBack: null });
  expect(applied.sync.counts).toMatchObject({ scanned: 700, read: 700, added: 700 });
  expect(await live()).toBe(700);
  expect(most).toBeGreaterThan(32);
  expect(most).toBeLessThanOrEqual(2 * 64 + 8);
  expect(await readdir(applied.context.tempDir)).toEqual([]);
});

it("tells in the sync's row what was left out and why, which is no failure and nothing that was seen", async () => {
  await writeAll(2);
  await symlink("..", join(folder, "parent"));
  await symlink("nowhere", join(folder, "dangling"));
  const leftOut = { link: 2 };
  const applied = await begin();
  const end = await applyChanges(applied);
  expect(end).toEqual({ status: "done", heldBack: null });
  await endSync(scope, { ...applied.sync, sourceId }, { status: "done", heldBack: null });
  const newest = async () => (await listSyncs(scope, sourceId, { limit: 1, offset: 0 })).rows[0];
  expect(await newest()).toMatchObject({ status: "done", scanned: 2, dropped: 0, error: null, leftOut });
  expect((await getSource(scope, sourceId)).lastSyncError).toBeNull();
  // Each sync counts for itself.
  await rm(join(folder, "dangling"));
  await applyChanges(await begin());
  expect(await newest()).toMatchObject({ scanned: 2, leftOut: { link: 1 } });
});

it("applies what is new, changed, moved and gone to the same end as one document after the other", async () => {
  await writeAll(40);
  await applyChanges(await begin());
  await writeAll(12, "changed");
  for (let index = 20; index < 25; index += 1) await rm(join(folder, nameOf(index)));
  for (let index = 40; index < 50; index += 1) await writeFile(join(folder, nameOf(index)), `new ${index}`);
  await rename(join(folder, nameOf(30)), join(folder, "moved.txt"));
  const applied = await begin();
  expect(await applyChanges(applied)).toEqual({ status: "done", heldBack: null });
  expect(applied.sync.counts).toMatchObject({ scanned: 45, read: 22, added: 10, changed: 13, removed: 5, dropped: 0 });
  expect(await live()).toBe(45);
  const again = await begin();
  await applyChanges(again);
  expect(again.sync.counts).toMatchObject({ scanned: 45, read: 0, added: 0, changed: 0, removed: 0 });
});

it("leaves out the one content that cannot be stored, and tells why", async () => {
  await writeAll(30);
  const damaged = new AnnealError("DOCUMENT_DAMAGED", "It is damaged.", { action: "Mend it." });
  beforePut = async (puts) => {
    if (puts === 15) throw damaged;
  };
  const applied = await begin();
  await applyChanges(applied);
  expect(applied.sync.counts).toMatchObject({ scanned: 30, added: 29, dropped: 1 });
  expect(applied.sync.failures).toMatchObject([{ code: "DOCUMENT_DAMAGED" }]);
  const { rows } = await listDocuments(scope, { status: "quarantined" }, { limit: 10, offset: 0 });
  expect(rows).toMatchObject([{ ref: applied.sync.failures[0]!.ref, drop: { reason: "It is damaged. Mend it." } }]);

  beforePut = async () => undefined;
  const again = await begin();
  await applyChanges(again);
  expect(again.sync.counts).toMatchObject({ scanned: 30, read: 1, changed: 1, dropped: 0 });
});

it("tells nobody of what could not be read where the source has readers of its own, else whom its default admits", async () => {
  const workspace = { allow: [workspaceMembers(scope.workspaceId)], deny: [] };
  for (const [permissions, acl] of [
    ["posix", nobody],
    ["off", workspace],
  ] as const) {
    sourceId = randomUUID();
    const config = { path: folder, permissions };
    const facts = { name: permissions, kind: "file", config, sealedSecrets: null, schedule: null };
    await saveSource(scope, { id: sourceId, ...facts, defaultAcl: workspace });
    await writeFile(join(folder, "dismissals.txt"), "More than is allowed.");
    const applied = await begin();
    applied.context.limits = { ...defaultLimits, documentBytes: 10 };
    await applyChanges(applied);
    const { rows } = await listDocuments(scope, { sourceId }, { limit: 10, offset: 0 });
    expect(rows.map((row) => [row.ref, row.status, row.acl])).toEqual([["dismissals.txt", "quarantined", acl]]);
  }
});

it("tells nobody of what could not be read of a table with owners, and of one without whom its default admits", async () => {
  const workspace = { allow: [workspaceMembers(scope.workspaceId)], deny: [] };
  const { hostname: host, port, pathname, username: user, password } = new URL(test.ownerUrl);
  const desk = openDatabase(test.ownerUrl);
  try {
    await desk.db.execute("create schema desk");
    for (const table of ["desk.faq", "desk.calls"]) {
      await desk.db.execute(`create table ${table} (id int primary key, agent text, text text)`);
      await desk.db.execute(`insert into ${table} values (1, 'ann', 'More than is allowed.')`);
    }
  } finally {
    await desk.close();
  }
  const tables = [
    { name: "desk.faq" },
    { name: "desk.calls", owner: "agent" },
    // These cannot be read at all.
    { name: "desk.papers" },
    { name: "desk.notes", owner: "agent" },
  ];
  const place = { host, port: Number(port), database: pathname.slice(1), user, tls: "disable", tables };
  const config = { ...place, allowPrivateHosts: true, allowWritableUser: true };
  sourceId = randomUUID();
  const facts = { name: "desk", kind: "postgres", config, sealedSecrets: null, schedule: null };
  await saveSource(scope, { id: sourceId, ...facts, defaultAcl: workspace });
  const applied = { ...(await begin()), secrets: { password } };
  applied.context.limits = { ...defaultLimits, documentBytes: 10 };
  await applyChanges(applied);
  const { rows } = await listDocuments(scope, { sourceId }, { limit: 10, offset: 0 });
  expect(Object.fromEntries(rows.map((row) => [row.ref, row.acl]))).toEqual({
    "desk.faq/1": workspace,
    "desk.calls/1": nobody,
    "desk.papers/": workspace,
    "desk.notes/": nobody,
  });
});

it("tells of a content that could not be stored only whom the document admits", async () => {
  const drive = await createDriveHarness("my-drive");
  try {
    const facts = { name: "d", kind: "gdrive", config: drive.config, sealedSecrets: null, schedule: null };
    sourceId = randomUUID();
    const members = { allow: [workspaceMembers(scope.workspaceId)], deny: [] };
    await saveSource(scope, { id: sourceId, ...facts, defaultAcl: members });
    await drive.put("plan.txt", "The plan.");
    beforePut = async () => {
      throw new AnnealError("DOCUMENT_DAMAGED", "It is damaged.", { action: "Mend it." });
    };
    const applied = { ...(await begin()), secrets: { serviceAccountKey: String(drive.secrets.serviceAccountKey) } };
    await applyChanges(applied);
    const { rows } = await listDocuments(scope, { sourceId }, { limit: 10, offset: 0 });
    expect(rows).toMatchObject([{ status: "quarantined" }]);
    expect(rows[0]!.acl).not.toEqual(members);
  } finally {
    await drive.close();
  }
});

it("forgets what could not be read once it is no longer there, which is no deletion", async () => {
  await writeAll(2);
  // No name in UTF-8.
  const unnamed = ["a", "b"].map((name) => Buffer.concat([Buffer.from(join(folder, name)), Buffer.of(0xff)]));
  for (const path of unnamed) await writeFile(path, "");
  const first = await begin();
  await applyChanges(first);
  expect(first.sync.counts).toMatchObject({ scanned: 2, dropped: 2 });
  for (const path of unnamed) await rm(path);
  const second = await begin();
  expect(await applyChanges(second)).toEqual({ status: "done", heldBack: null });
  expect(second.sync.counts).toMatchObject({ scanned: 2, removed: 0 });
});

it("leaves out the one document that is renamed to what no text may hold, and reads on", async () => {
  const drive = await createDriveHarness("my-drive");
  try {
    const facts = { name: "d", kind: "gdrive", config: drive.config, sealedSecrets: null, schedule: null };
    sourceId = randomUUID();
    await saveSource(scope, { id: sourceId, ...facts, defaultAcl: nobody });
    const read = async () => {
      const applied = { ...(await begin()), secrets: { serviceAccountKey: String(drive.secrets.serviceAccountKey) } };
      await applyChanges(applied);
      return applied.sync;
    };
    for (const name of ["a.md", "b.md"]) await drive.put(name, `The text of ${name}.`);
    await drive.share("a.md", [{ user: "bob" }]);
    expect((await read()).counts).toMatchObject({ added: 2, dropped: 0 });
    const ref = drive.refOf("a.md");
    expect(await readersOf(ref)).toContain(drive.emailOf("bob"));
    await drive.share("a.md", []);
    await drive.move("a.md", "a\0.md");
    await drive.put("c.md", "The text of c.md.");
    const { counts, failures } = await read();
    expect(counts).toMatchObject({ added: 1, dropped: 1 });
    expect(failures).toMatchObject([{ ref, code: "INVALID_INPUT" }]);
    // Under its old name, and no longer for whom it was taken from.
    const { rows } = await listDocuments(scope, { sourceId }, { limit: 10, offset: 0 });
    expect(rows.map(({ title }) => title).toSorted()).toEqual(["a.md", "b.md", "c.md"]);
    expect(await readersOf(ref)).not.toContain(drive.emailOf("bob"));
  } finally {
    await drive.close();
  }
});

describe("readers who are let in", () => {
  let drive: Awaited<ReturnType<typeof createDriveHarness>>;

  beforeEach(async () => {
    drive = await createDriveHarness("my-drive");
    const facts = { name: "d", kind: "gdrive", config: drive.config, sealedSecrets: null, schedule: null };
    sourceId = randomUUID();
    await saveSource(scope, { id: sourceId, ...facts, defaultAcl: nobody });
    await drive.put("plan.md", "The draft.");
    await drive.share("plan.md", [{ user: "ann" }]);
    await read();
    const parsed = { mediaType: "text/plain", language: "en", textChars: 1, piiCounts: {}, warnings: [] };
    const { id, contentHash } = await held();
    const outcome = { cleanKey: "draft", cleanDigest: "draft", title: "Plan", quality: {} as never, ...parsed };
    await saveCleaned(scope, { id, contentHash }, outcome);
  });
  afterEach(() => drive.close());

  const read = async () => {
    const applied = { ...(await begin()), secrets: { serviceAccountKey: String(drive.secrets.serviceAccountKey) } };
    await applyChanges(applied);
    return applied.sync.counts;
  };
  const held = async () => {
    const { rows } = await listDocuments(scope, { sourceId }, { limit: 1, offset: 0 });
    return getDocument(scope, rows[0]!.id);
  };
  const readers = async () => (await held()).acl.allow.map(({ id }) => id).toSorted();
  const [ann, bob, archive] = ["ann", "bob", "archive"].map((name) => `${name}@corp.example`) as [
    string,
    string,
    string,
  ];

  it("get what is held where it is the content that their source shows them", async () => {
    await drive.share("plan.md", [{ user: "ann" }, { user: "bob" }]);
    expect(await read()).toMatchObject({ read: 0, changed: 1 });
    expect([await readers(), (await held()).cleanKey]).toEqual([[ann, archive, bob], "draft"]);
  });

  it("get nothing of an older content, be the new one there or not", async () => {
    await drive.put("plan.md", "What was decided.");
    await drive.share("plan.md", [{ user: "bob" }]);
    beforePut = async () => {
      throw new AnnealError("DOCUMENT_DAMAGED", "It is damaged.", { action: "Mend it." });
    };
    expect(await read()).toMatchObject({ dropped: 1 });
    // The draft is still what is held, and no longer Ann's.
    expect([await readers(), (await held()).cleanKey]).toEqual([[archive], "draft"]);
    beforePut = async () => undefined;
    await retryFailures(scope, sourceId, (await held()).id);
    expect(await read()).toMatchObject({ read: 1, dropped: 0 });
    expect([await readers(), (await held()).cleanKey]).toEqual([[archive, bob], null]);
  });
});

it("expects as many documents as are held where a source of changes lists everything anew, and says nothing else", async () => {
  const drive = await createDriveHarness("my-drive");
  try {
    const facts = { name: "d", kind: "gdrive", config: drive.config, sealedSecrets: null, schedule: null };
    sourceId = randomUUID();
    await saveSource(scope, { id: sourceId, ...facts, defaultAcl: nobody });
    const read = async (given: Partial<AppliedSync["source"]> = {}) => {
      const applied = await begin();
      const { sync, source, context } = applied;
      const expected = new Set<number | null>();
      await applyChanges({
        ...applied,
        source: { ...source, ...given },
        context: { ...context, deletions: { ...context.deletions, confirmed: true } },
        secrets: { serviceAccountKey: String(drive.secrets.serviceAccountKey) },
        progress: { report: async (_, total) => void expected.add(total) },
      });
      await endSync(scope, { ...sync, sourceId }, { status: "done", heldBack: null });
      // The end is no estimate: what it comes to is known.
      expected.delete(sync.counts.scanned);
      return [...expected];
    };
    for (const name of ["a.md", "b.md", "c.md", "d.md"]) await drive.put(name, `The text of ${name}.`);
    expect(await read()).toEqual([null]);
    await drive.remove("a.md");
    expect(await read()).toEqual([null]);
    await drive.remove("b.md");
    // Of the three that are held one is gone.
    expect(await read({ cursor: null })).toEqual([3]);
  } finally {
    await drive.close();
  }
});

it.each([1, 64, 65, 150])("killed at its content %i, it loses and doubles nothing", async (count) => {
  await writeAll(150);
  const killed = new AbortController();
  beforePut = async (puts) => {
    if (puts === count) killed.abort(new Error("the worker was killed"));
  };
  const first = await begin(killed.signal);
  await expect(applyChanges(first)).rejects.toThrow("the worker was killed");
  expect(await live()).toBe(first.sync.counts.added);

  beforePut = async () => undefined;
  const second = await begin();
  await applyChanges(second);
  expect(second.sync.counts).toMatchObject({ scanned: 150, added: 150 - first.sync.counts.added, dropped: 0 });
  expect(await live()).toBe(150);
});

it.each([1, 4, 7])("asks for no page again that a crawl had stored when it was killed at page %i", async (count) => {
  const { site } = crawl;
  sourceId = randomUUID();
  const facts = { name: "w", kind: "web", sealedSecrets: null, schedule: null };
  const config = crawl.configOf({ concurrency: 1 });
  await saveSource(scope, { id: sourceId, ...facts, config, defaultAcl: nobody });
  const names = Array.from({ length: 9 }, (_, index) => `/page-${"abcdefghi"[index]}`);
  crawl.page("/", linksTo(names.slice(0, 3)));
  for (const [index, name] of names.entries())
    crawl.page(name, `The text of ${name}. ${linksTo([names[index + 3] ?? "/"])}`, { etag: "" });
  const killed = new AbortController();
  beforePut = async (puts) => {
    if (puts === count) killed.abort(new Error("the worker was killed"));
  };
  await expect(applyChanges(await begin(killed.signal))).rejects.toThrow("the worker was killed");
  const { rows } = await listDocuments(scope, { sourceId }, { limit: 100, offset: 0 });
  expect(rows.length).toBeGreaterThanOrEqual(count - 1);

  beforePut = async () => undefined;
  site.requests.length = 0;
  const second = await begin();
  expect(await applyChanges(second)).toEqual({ status: "done", heldBack: null });
  // The start is asked for, to see whether the site is there.
  const stored = new Set(rows.map(({ ref }) => ref).filter((ref) => ref !== `${site.origin}/`));
  expect(site.requests.map(({ path }) => site.origin + path).filter((url) => stored.has(url))).toEqual([]);
  expect(second.sync.counts).toMatchObject({ scanned: 10, added: 10 - rows.length, dropped: 0 });
  expect(await live()).toBe(10);
});

it("ends with a source that is removed while its contents are fetched", async () => {
  await writeAll(100);
  beforePut = async (puts) => {
    if (puts === 90) await deleteSource(scope, sourceId);
  };
  await expect(applyChanges(await begin())).rejects.toMatchObject({ code: "SOURCE_NOT_FOUND" });
  expect(await live()).toBe(0);
});

it("ends with settings that are changed while contents are fetched, and publishes nothing of the old address", async () => {
  await writeAll(100);
  const other = join(test.dir, randomUUID());
  await mkdir(other);
  await writeFile(join(other, "public.txt"), "for all");
  const members = { allow: [workspaceMembers(scope.workspaceId)], deny: [] };
  const facts = { name: "s", kind: "file", sealedSecrets: null, schedule: null, defaultAcl: members };
  beforePut = async (puts) => {
    if (puts === 1) await saveSource(scope, { id: sourceId, ...facts, config: { path: other }, isElsewhere: true });
  };
  await expect(applyChanges(await begin())).rejects.toMatchObject({ code: "CONFLICT", retryable: true });

  beforePut = async () => undefined;
  await applyChanges(await begin());
  const { rows } = await listDocuments(scope, { sourceId }, { limit: 200, offset: 0 });
  expect(rows.filter(({ acl }) => acl.allow.length > 0).map(({ ref }) => ref)).toEqual(["public.txt"]);
});

it("ends with readers of its own that settings bring while it reads, and shows nobody what it had read without", async () => {
  await writeAll(100);
  const members = { allow: [workspaceMembers(scope.workspaceId)], deny: [] };
  const facts = { name: "s", kind: "file", sealedSecrets: null, schedule: null, defaultAcl: members };
  await saveSource(scope, { id: sourceId, ...facts, config: { path: folder } });
  const config = { path: folder, permissions: "posix", hiddenAccessLists: "none" };
  beforePut = async (puts) => {
    if (puts === 90) await saveSource(scope, { id: sourceId, ...facts, config, partsWithOtherReaders: [""] });
  };
  await expect(applyChanges(await begin())).rejects.toMatchObject({ code: "CONFLICT", retryable: true });
  const { rows } = await listDocuments(scope, { sourceId }, { limit: 200, offset: 0 });
  expect(rows.filter(({ acl }) => acl.allow.length > 0)).toEqual([]);
});

it("ends where the disk is full, and what was stored before it is kept", async () => {
  await writeAll(100);
  const full = new AnnealError("DISK_FULL", "There is no room left.", { action: "Free some space." });
  beforePut = async (puts) => {
    if (puts >= 80) throw full;
  };
  const applied = await begin();
  await expect(applyChanges(applied)).rejects.toBe(full);
  expect(applied.sync.counts).toMatchObject({ dropped: 0, added: 79 });
  expect(await live()).toBe(79);
});
