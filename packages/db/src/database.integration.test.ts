import { createHash, randomBytes, randomUUID } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nobody, workspaceMembers, workspaceUser, type Acl } from "@anneal/core/access/acl";
import { findBrokenLink } from "@anneal/core/audit/chain";
import { writeCleanDigest } from "@anneal/core/clean/clean-digest";
import { measureText } from "@anneal/core/clean/measure-text";
import type { SourceItem } from "@anneal/core/connect/change";
import { stages } from "@anneal/core/loop/contract";
import { choosePort } from "@anneal/processes/choose-port";
import { startPostgres, type PostgresService } from "@anneal/local-stack/start-postgres";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  assertRowSecurity,
  inWorkspace,
  openDatabase,
  type Database,
  type DatabaseHandle,
  type Scope,
} from "./database.ts";
import { isLocked } from "./lock.ts";
import { migrateDatabase } from "./migrate.ts";
import { saveUser, saveWorkspace } from "./queries/access.ts";
import { exportAuditChain, recordAudit } from "./queries/audit.ts";
import {
  addMessage,
  createConversation,
  renameConversation,
  saveAssistant,
  setConversationDeleted,
  setFeedback,
} from "./queries/chat.ts";
import { deleteSource, listSources, restoreSource, saveSource } from "./queries/sources.ts";
import {
  listRefsWithFingerprint,
  markDocumentDeleted,
  moveDocument,
  quarantineRef,
  saveDocumentAcl,
  streamRefs,
  upsertDocument,
} from "./queries/synced-documents.ts";
import { createFingerprintReader } from "./queries/fingerprint-reader.ts";
import { saveDatasetVersion } from "./queries/dataset.ts";
import {
  abandonDeployment,
  createDeployment,
  flipAlias,
  getDeployment,
  listAliasHistory,
  listCurrentAliases,
  listRunningDeployments,
  recordDeployStep,
  releaseUnusedServingName,
  updateDeployment,
} from "./queries/deploy.ts";
import { saveAdapterVersion } from "./queries/register.ts";
import { listResidencies, readAliasEpoch, removeResidency, saveReplica, saveResidency } from "./queries/serving.ts";
import {
  countDocumentFacets,
  getDocument,
  listDocuments,
  listDocumentsToClean,
  saveCleaned,
  saveComparisons,
  saveDropped,
} from "./queries/documents.ts";
import { saveCollection, saveIndexed } from "./queries/indexing.ts";
import {
  beginStage,
  claimRunning,
  createOnlyRun,
  createRun,
  endRun,
  endStage,
  findRunAwaited,
  getRun,
  listDrops,
  listRuns,
  reopenRun,
  replaceDrops,
} from "./queries/loop.ts";
import { saveDraft, takeDraft } from "./queries/source-drafts.ts";
import { beginSync, endSync, listSyncs, saveCursor, syncLockName } from "./queries/source-syncs.ts";
import { aliasHistory, auditEvents, collections, documents, sources } from "./schema.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

let dir: string;
let postgres: PostgresService;
/** The role that the apps use: row-level security binds it. */
let app: DatabaseHandle;
let db: Database;
/** The schema's owner, a superuser: what an attacker with the database in hand could do. */
let owner: DatabaseHandle;
let scope: Scope;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "anneal-db-"));
  await chmod(dir, 0o755);
  postgres = await startPostgres({
    env: process.env,
    dir: join(dir, "postgres"),
    port: await choosePort(undefined),
    logFile: join(dir, "postgres.log"),
    ownerPassword: randomBytes(12).toString("hex"),
    appPassword: randomBytes(12).toString("hex"),
    stackId: randomUUID(),
  });
  // Twice and at once, as two apps that start together would.
  await Promise.all([
    migrateDatabase(postgres.ownerUrl, "anneal_app"),
    migrateDatabase(postgres.ownerUrl, "anneal_app"),
  ]);
  app = openDatabase(postgres.appUrl);
  owner = openDatabase(postgres.ownerUrl);
  db = app.db;
});

afterAll(async () => {
  await app.close();
  await owner.close();
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
});

beforeEach(async () => {
  scope = await createScope();
});

async function createScope(): Promise<Scope> {
  const workspace = await saveWorkspace(db, { slug: randomUUID(), name: "Test" });
  return { db, workspaceId: workspace.id };
}

const aclOf = (of: Scope): Acl => ({ allow: [workspaceMembers(of.workspaceId)], deny: [] });

const sourceWith = (id: string) => ({ id, name: id, kind: "file", config: {}, sealedSecrets: null, schedule: null });

async function createSource(of: Scope): Promise<string> {
  const id = randomUUID();
  await saveSource(of, { ...sourceWith(id), defaultAcl: aclOf(of) });
  return id;
}

async function createVersion(digest: string) {
  const version = { id: randomUUID(), digest, objectPrefix: `adapters/${digest}`, rank: 8, sizeBytes: 1 };
  const lineage = {
    baseModel: "base",
    baseDigest: "b",
    datasetVersionId: randomUUID(),
    datasetDigest: "d",
    trainingRunId: randomUUID(),
    config: {},
  };
  return saveAdapterVersion(
    scope,
    { name: "support", baseModel: "base" },
    { ...version, lineage, metrics: {}, card: "" },
  );
}

const itemOf = (ref: string, fingerprint: string): SourceItem => ({
  ref,
  uri: `file:///data/${ref}`,
  title: null,
  mediaType: "text/plain",
  sizeBytes: 3,
  modifiedAt: null,
  fingerprint,
  acl: null,
});
const contentOf = (text: string) => ({
  contentHash: sha256(text),
  contentKey: `content/${sha256(text)}`,
  sizeBytes: text.length,
});

const upsert = (of: Scope, sourceId: string, ref: string, text: string) =>
  upsertDocument(of, sourceId, itemOf(ref, sha256(text)), contentOf(text));

/** What drivers throw is wrapped by Drizzle; PostgreSQL's own words are in the cause. */
async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return String((error as Error).cause ?? error);
  }
  return "nothing was refused";
}

describe("row-level security", () => {
  it("hides another workspace's rows from a query that forgets the condition", async () => {
    const other = await createScope();
    await createSource(scope);
    await createSource(other);
    const seen = await inWorkspace(scope, (tx) => tx.select().from(sources));
    expect(seen.map((row) => row.workspaceId)).toEqual([scope.workspaceId]);
  });

  it("shows nothing at all where no workspace is set", async () => {
    await createSource(scope);
    expect(await db.select().from(sources)).toEqual([]);
    expect(await db.select().from(auditEvents)).toEqual([]);
  });

  it("does not leak a workspace into the next use of a pooled connection", async () => {
    const single = openDatabase(postgres.appUrl, { maxConnections: 1 });
    await createSource(scope);
    await inWorkspace({ ...scope, db: single.db }, (tx) => tx.select().from(sources));
    expect(await single.db.select().from(sources)).toEqual([]);
    await single.close();
  });

  it("refuses to write a row into another workspace, and changes none of its rows", async () => {
    const other = await createScope();
    const sourceId = await createSource(other);
    const foreign = { name: "x", kind: "file", config: {}, defaultAcl: aclOf(other), workspaceId: other.workspaceId };
    expect(await refusalOf(inWorkspace(scope, (tx) => tx.insert(sources).values(foreign)))).toMatch(
      /row-level security/,
    );
    await inWorkspace(scope, (tx) => tx.update(sources).set({ name: "taken" }));
    expect((await listSources(other)).map((source) => source.name)).toEqual([sourceId]);
  });

  it("is no more than a second guard: without it, no change and no list of one workspace reaches another's rows", async () => {
    const sourceId = await createSource(scope);
    const { documentId } = await upsert(scope, sourceId, "a.txt", "one");
    const user = await saveUser(db, { email: `${randomUUID()}@example.com`, name: "Ada", passwordHash: null });
    const assistant = { name: "a", model: "base", collectionId: null, instructions: "", settings: {} };
    const { id: assistantId } = await saveAssistant(scope, { ...assistant, id: randomUUID() });
    const conversation = await createConversation(scope, { userId: user.id, assistantId, title: "mine" });
    const message = await addMessage(scope, { conversationId: conversation.id, role: "assistant", content: "Hello." });
    const run = { id: randomUUID(), workflowId: "w", startedBy: "ada", settings: {} };
    await createRun(scope, run);
    await replaceDrops(scope, run.id, "clean", [{ ref: "a.txt", code: "X", reason: "Bad." }]);
    const syncId = randomUUID();
    const counts = await beginSync(scope, { id: syncId, sourceId, runId: null, startedBy: "ada" });
    const journal = { anew: true, entries: [{ visited: "a" }] };
    await saveCursor(scope, sourceId, { version: 1 }, { id: syncId, counts }, journal);
    const { adapter, version } = await createVersion("1");
    const deploymentId = randomUUID();
    const deployment = { id: deploymentId, adapterVersionId: version.id, workflowId: "w", alias: "production" };
    await createDeployment(scope, { ...deployment, servingName: "s@1", by: "ada" });
    const state = async () => {
      const tables = ["sources", "documents", "conversations", "messages", "runs", "run_stages", "run_drops"];
      const read = [...tables, "source_syncs", "source_journal", "deployments"].map(async (table) => {
        const query = `select * from ${table} where workspace_id = $1 order by 1, 2, 3`;
        return (await owner.pool.query(query, [scope.workspaceId])).rows as unknown[];
      });
      return Promise.all(read);
    };
    const before = await state();
    expect(before.filter((rows) => rows.length === 0)).toEqual([]);

    // A superuser in another workspace: nothing stands behind the queries' own conditions.
    const other: Scope = { db: owner.db, workspaceId: (await createScope()).workspaceId };
    const acl = aclOf(other);
    const error = { code: "CANCELLED" as const, message: "No.", action: "Wait.", stage: "clean" };
    expect(await restoreSource(other, sourceId)).toBeUndefined();
    expect(await markDocumentDeleted(other, sourceId, "a.txt")).toBe(false);
    expect(await setFeedback(other, user.id, message.id, "up")).toBe(false);
    await deleteSource(other, sourceId);
    await saveSource(other, { ...sourceWith(sourceId), defaultAcl: acl });
    await saveDocumentAcl(other, sourceId, { ref: "a.txt", acl, fingerprint: "x" });
    await saveComparisons(other, [{ documentId, duplicateOf: randomUUID() }]);
    await renameConversation(other, user.id, conversation.id, "taken");
    await setConversationDeleted(other, user.id, conversation.id, true);
    await expect(claimRunning(other, run.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await beginStage(other, run.id, "clean");
    await expect(reopenRun(other, run.id, "taken", "connect")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await endStage(other, run.id, "clean", { status: "cancelled" });
    await endRun(other, run.id, { status: "failed", error });
    await saveCursor(other, sourceId, { version: 9 }, { id: syncId, counts: { ...counts, read: 9 } }, journal);
    await endSync(other, { id: syncId, sourceId, counts }, { status: "cancelled" });
    await recordDeployStep(other, deploymentId, { step: "load", status: "running", durationMs: null, detail: null });
    expect(await listRunningDeployments(other, adapter.id, "production")).toEqual([]);
    expect(await state()).toEqual(before);
  });

  it("is asked for before anything starts: a role that passes it is refused", async () => {
    const refused = { code: "PREREQUISITE_MISSING" };
    await expect(assertRowSecurity(owner.db)).rejects.toMatchObject(refused);
    await expect(migrateDatabase(postgres.ownerUrl)).rejects.toMatchObject(refused);
    await owner.pool.query("create role passes bypassrls");
    await expect(assertRowSecurity(owner.db, "passes")).rejects.toMatchObject(refused);
    await assertRowSecurity(db);
  });

  it("covers every table that has a workspace, but those read before a workspace is known", async () => {
    const { rows } = await owner.pool.query<{ name: string }>(`
      select c.relname as name from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attname = 'workspace_id' and not a.attisdropped
      where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and not (c.relrowsecurity and c.relforcerowsecurity)
      order by 1`);
    expect(rows.map((row) => row.name)).toEqual(["api_keys", "memberships", "placements", "residencies", "teams"]);
  });
});

describe("the audit trail", () => {
  const act = (subject: string) => recordAudit(scope, { actor: "ada@example.com", action: "test.act", subject });

  it("is one unbroken chain, also when many write at once", async () => {
    await Promise.all(Array.from({ length: 12 }, (_, index) => act(`thing:${index}`)));
    const chain = await exportAuditChain(scope);
    expect(chain).toHaveLength(12);
    expect(findBrokenLink(chain, sha256)).toBeNull();
  });

  it("shows where somebody with the database in hand changed, removed or swapped an event", async () => {
    for (const subject of ["a", "b", "c", "d"]) await act(subject);
    const tamper = (statement: string) =>
      owner.pool.query(`begin; alter table audit_events disable trigger append_only; ${statement};
        alter table audit_events enable trigger append_only; commit`);
    const mine = `workspace_id = '${scope.workspaceId}'`;
    await tamper(`update audit_events set allowed = false where ${mine} and subject = 'c'`);
    expect(findBrokenLink(await exportAuditChain(scope), sha256)).toBe(2);
    await tamper(`update audit_events set allowed = true where ${mine} and subject = 'c'`);
    expect(findBrokenLink(await exportAuditChain(scope), sha256)).toBeNull();
    await tamper(`delete from audit_events where ${mine} and subject = 'b'`);
    expect(findBrokenLink(await exportAuditChain(scope), sha256)).toBe(1);
  });

  it("cannot be changed or deleted by the apps", async () => {
    await act("a");
    const change = inWorkspace(scope, (tx) => tx.update(auditEvents).set({ actor: "nobody" }));
    expect(await refusalOf(change)).toMatch(/permission denied|append-only/);
    const removal = inWorkspace(scope, (tx) => tx.delete(auditEvents));
    expect(await refusalOf(removal)).toMatch(/permission denied|append-only/);
    expect(findBrokenLink(await exportAuditChain(scope), sha256)).toBeNull();
  });
});

describe("documents", () => {
  let sourceId: string;
  beforeEach(async () => {
    sourceId = await createSource(scope);
  });
  const toClean = async (languages: string[] = []) =>
    (await listDocumentsToClean(scope, { cleanVersion: "v1", languages, bounds: "", sourceIds: [sourceId] })).map(
      (row) => row.id,
    );
  const copyOf = (duplicateOf: string, hiddenIn: string[]) => ({
    duplicateOf,
    duplicate: { code: "EXACT_DUPLICATE", similarity: 1, hiddenIn },
  });
  const markCleaned = (documentId: string) =>
    inWorkspace(scope, (tx) =>
      tx
        .update(documents)
        .set({ status: "kept", cleanDigest: sql`'v1:' || ${documents.contentHash}` })
        .where(sql`${documents.id} = ${documentId}`),
    );

  it("go round the loop again only when their bytes are others than before", async () => {
    const first = await upsert(scope, sourceId, "a.txt", "one");
    expect(first.change).toBe("added");
    await markCleaned(first.documentId);

    const touched = await upsertDocument(scope, sourceId, itemOf("a.txt", "new mtime"), contentOf("one"));
    expect(touched).toEqual({ documentId: first.documentId, change: "unchanged" });
    expect(await createFingerprintReader(scope, sourceId).fingerprintOf("a.txt")).toBe("new mtime");
    expect(await toClean()).toEqual([]);

    expect((await upsert(scope, sourceId, "a.txt", "two")).change).toBe("changed");
    expect(await toClean()).toEqual([first.documentId]);
  });

  it("keep nothing that was made of bytes they no longer have", async () => {
    const { documentId } = await upsert(scope, sourceId, "a.txt", "one");
    const read = await getDocument(scope, documentId);
    await upsert(scope, sourceId, "a.txt", "two");
    const cleanDigest = `v1:${read.contentHash}`;
    const drop = { stage: "clean", code: "short", reason: "Too short." };
    expect(await saveDropped(scope, read, { status: "dropped", cleanDigest, drop })).toBe(false);
    const quality = { measures: measureText([]), brokenWebRules: [] };
    const made = { title: "a", mediaType: "text/plain", language: "en", textChars: 3, piiCounts: {}, warnings: [] };
    expect(await saveCleaned(scope, read, { cleanKey: "clean/one", cleanDigest, quality, ...made })).toBe(false);
    expect(await getDocument(scope, documentId)).toMatchObject({ status: "fetched", cleanKey: null, drop: null });
    expect(await toClean()).toEqual([documentId]);

    const now = await getDocument(scope, documentId);
    const fresh = { cleanKey: "clean/two", cleanDigest: `v1:${now.contentHash}`, quality, ...made };
    expect(await saveCleaned(scope, now, fresh)).toBe(true);
    expect(await toClean()).toEqual([]);
    // As an earlier release left them: kept, with what was made of the bytes before.
    await saveCleaned(scope, now, { ...fresh, cleanDigest });
    expect(await toClean()).toEqual([documentId]);
  });

  it("are cleaned again for a language that their scans were not tried with, and by no worker that has fewer", async () => {
    const { documentId } = await upsert(scope, sourceId, "scan.pdf", "scan");
    const read = await getDocument(scope, documentId);
    const from = { cleanVersion: "v1", contentHash: read.contentHash };
    const drop = { stage: "clean", code: "DOCUMENT_UNSUPPORTED", reason: "Tesseract is not installed." };
    const tryWith = (languages: string[]) =>
      saveDropped(scope, read, { status: "quarantined", cleanDigest: writeCleanDigest(from, languages), drop });
    const waiting = async () => (await listSources(scope)).find(({ id }) => id === sourceId)?.waitingCount;
    expect(await waiting()).toBe(1);
    await tryWith([]);
    expect(await waiting()).toBe(0);
    expect(await toClean()).toEqual([]);
    expect(await toClean(["eng"])).toEqual([documentId]);
    await tryWith(["eng", "deu"]);
    for (const languages of [["eng"], ["deu", "eng"], []]) expect(await toClean(languages)).toEqual([]);
    expect(await toClean(["fra"])).toEqual([documentId]);
    const { documentId: text } = await upsert(scope, sourceId, "a.txt", "one");
    await markCleaned(text);
    expect(await toClean(["fra"])).toEqual([documentId]);
  });

  it("are counted where the rules leave them out, and as no failures", async () => {
    const { documentId } = await upsert(scope, sourceId, "a.txt", "one");
    const { documentId: copy } = await upsert(scope, sourceId, "b.txt", "two");
    const outcome = {
      status: "dropped",
      cleanDigest: "v",
      drop: { stage: "clean", code: "TOO_SHORT", reason: "1 word." },
    } as const;
    await saveDropped(scope, await getDocument(scope, documentId), outcome);
    await markCleaned(copy);
    await saveComparisons(scope, [{ documentId: copy, ...copyOf(documentId, [sourceId]) }]);
    expect((await listSources(scope)).find(({ id }) => id === sourceId)).toMatchObject({
      droppedCount: 1,
      duplicateCount: 1,
      quarantinedCount: 0,
    });
  });

  it("are no duplicates where a search finds them, or once they have a new text", async () => {
    const { documentId } = await upsert(scope, sourceId, "a.txt", "one");
    const { documentId: copy } = await upsert(scope, sourceId, "b.txt", "two");
    await markCleaned(copy);
    const counted = async () => {
      const { duplicateCount, waitingCount } = (await listSources(scope)).find(({ id }) => id === sourceId)!;
      const { total } = await listDocuments(scope, { sourceId, status: "duplicate" }, { limit: 1, offset: 0 });
      const { duplicates } = await countDocumentFacets(scope);
      expect([total, duplicates]).toEqual([duplicateCount, duplicateCount]);
      return { duplicateCount, waitingCount };
    };
    await saveComparisons(scope, [{ documentId: copy, ...copyOf(documentId, []) }]);
    expect(await counted()).toEqual({ duplicateCount: 0, waitingCount: 1 });
    await saveComparisons(scope, [{ documentId: copy, ...copyOf(documentId, [sourceId]) }]);
    expect(await counted()).toEqual({ duplicateCount: 1, waitingCount: 1 });
    await upsert(scope, sourceId, "b.txt", "another text");
    expect(await counted()).toEqual({ duplicateCount: 0, waitingCount: 2 });
  });

  it("are not findable until their passages are of their own content, also after a change", async () => {
    const { documentId } = await upsert(scope, sourceId, "a.txt", "one");
    const unindexed = async () => {
      const { waitingCount, unindexedCount } = (await listSources(scope)).find(({ id }) => id === sourceId)!;
      return [waitingCount, unindexedCount];
    };
    expect(await unindexed()).toEqual([1, 0]);
    await markCleaned(documentId);
    expect(await unindexed()).toEqual([0, 1]);
    await saveIndexed(scope, documentId, (await getDocument(scope, documentId)).contentHash);
    expect(await unindexed()).toEqual([0, 0]);
    await upsert(scope, sourceId, "a.txt", "two");
    await markCleaned(documentId);
    expect(await unindexed()).toEqual([0, 1]);
  });

  it("keep their identity and what was made of them when they move, also onto a tombstone", async () => {
    const { documentId } = await upsert(scope, sourceId, "a.txt", "one");
    await upsert(scope, sourceId, "b.txt", "gone");
    await markDocumentDeleted(scope, sourceId, "b.txt");
    await markCleaned(documentId);
    await moveDocument(scope, sourceId, "a.txt", itemOf("b.txt", sha256("one")));
    expect(await getDocument(scope, documentId)).toMatchObject({ ref: "b.txt", status: "kept", deletedAt: null });
    expect(await listRefsWithFingerprint(scope, sourceId, sha256("one"))).toEqual(["b.txt"]);
    expect(await toClean()).toEqual([]);
  });

  it("leave a tombstone when deleted, and come back as new when the source has them again", async () => {
    const { documentId } = await upsert(scope, sourceId, "a.txt", "one");
    expect(await markDocumentDeleted(scope, sourceId, "a.txt")).toBe(true);
    expect(await markDocumentDeleted(scope, sourceId, "a.txt")).toBe(false);
    expect(await createFingerprintReader(scope, sourceId).fingerprintOf("a.txt")).toBeNull();
    expect((await listDocuments(scope, {}, { limit: 10, offset: 0 })).total).toBe(0);
    expect((await listDocuments(scope, { status: "deleted" }, { limit: 10, offset: 0 })).rows[0]?.id).toBe(documentId);
    expect(await upsert(scope, sourceId, "a.txt", "one")).toEqual({ documentId, change: "added" });
    expect(await toClean()).toEqual([documentId]);
  });

  it("whose content could not be had are kept with the reason, tried again, and well after a good fetch", async () => {
    const drop = { stage: "connect", code: "DOCUMENT_TOO_LARGE", reason: "The document is too large." };
    await quarantineRef(scope, sourceId, "big.bin", drop);
    expect((await listDocuments(scope, { status: "quarantined" }, { limit: 10, offset: 0 })).rows[0]?.drop).toEqual(
      drop,
    );
    expect(await createFingerprintReader(scope, sourceId).fingerprintOf("big.bin")).toBe("");
    const { documentId } = await upsert(scope, sourceId, "big.bin", "small now");
    expect(await getDocument(scope, documentId)).toMatchObject({ status: "fetched", drop: null });
  });

  it("whose content could not be had are told to whom they were given, and to nobody more", async () => {
    const drop = { stage: "connect", code: "DOCUMENT_TOO_LARGE", reason: "The document is too large." };
    const aclOfBad = async () => (await listDocuments(scope, { search: "bad" }, { limit: 1, offset: 0 })).rows[0]!.acl;
    const own: Acl = { allow: [workspaceUser(scope.workspaceId, randomUUID())], deny: [] };
    for (const acl of [nobody, own, nobody]) {
      await quarantineRef(scope, sourceId, "bad", drop, acl);
      expect(await aclOfBad()).toEqual(acl);
    }
    await quarantineRef(scope, sourceId, "bad", drop);
    expect(await aclOfBad()).toEqual(aclOf(scope));
  });

  it("of which nothing is held are told apart, and leave no tombstone that anybody sees", async () => {
    await upsert(scope, sourceId, "a.txt", "one");
    await quarantineRef(scope, sourceId, "a.txt", { stage: "connect", code: "X", reason: "Bad." });
    await quarantineRef(scope, sourceId, "locked/", { stage: "connect", code: "X", reason: "Bad." });
    const refs = async (onlyUnread: boolean) => {
      const found: string[] = [];
      for await (const ref of streamRefs(scope, sourceId, { onlyUnread })) found.push(ref);
      return found;
    };
    expect(await refs(false)).toEqual(["a.txt", "locked/"]);
    expect(await refs(true)).toEqual(["locked/"]);
    expect(await markDocumentDeleted(scope, sourceId, "locked/")).toBe(false);
    expect(await refs(false)).toEqual(["a.txt"]);
    expect((await listDocuments(scope, { status: "deleted" }, { limit: 10, offset: 0 })).total).toBe(0);
  });

  it("are listed in code-point order over pages of any size", async () => {
    const refs = ["Z", "a", "a/b", "a-b", "\u00e9", "\uff5e", "\u{1f600}"];
    for (const ref of refs) await upsert(scope, sourceId, ref, ref);
    const listed: string[] = [];
    for await (const ref of streamRefs(scope, sourceId, { pageSize: 2 })) listed.push(ref);
    const byCodePoint = (left: string, right: string) => Buffer.compare(Buffer.from(left), Buffer.from(right));
    expect(listed).toEqual(refs.toSorted(byCodePoint));
  });
});

describe("a source's audience", () => {
  it("is that of its documents from the moment it changes, but for those that have their own", async () => {
    const source = { id: randomUUID(), name: "s", kind: "postgres", config: {}, sealedSecrets: null, schedule: null };
    const save = (defaultAcl: Acl) => saveSource(scope, { ...source, defaultAcl });
    const members = aclOf(scope);
    const own: Acl = { allow: [workspaceUser(scope.workspaceId, randomUUID())], deny: [] };
    const put = async (ref: string, acl: Acl | null) =>
      (await upsertDocument(scope, source.id, { ...itemOf(ref, ref), acl }, contentOf(ref))).documentId;
    const aclsOf = async (ids: string[]) => Promise.all(ids.map(async (id) => (await getDocument(scope, id)).acl));
    await save(members);
    const elsewhere = (await upsert(scope, await createSource(scope), "else.txt", "else")).documentId;
    const ids = [await put("plain", null), await put("gone", null), await put("own", own), await put("told", null)];
    await markDocumentDeleted(scope, source.id, "gone");
    await saveDocumentAcl(scope, source.id, { ref: "told", acl: members, fingerprint: "told" });

    await save(nobody);
    expect(await aclsOf([...ids, elsewhere])).toEqual([nobody, nobody, own, members, members]);

    // A sync that began before the change reads on with what counts now.
    const late = await put("late", null);
    await moveDocument(scope, source.id, "plain", itemOf("moved", "moved"));
    await quarantineRef(scope, source.id, "bad", { stage: "connect", code: "X", reason: "Bad." });
    const [bad] = (await listDocuments(scope, { search: "bad" }, { limit: 1, offset: 0 })).rows;
    expect(await aclsOf([late, ids[0]!, bad!.id])).toEqual([nobody, nobody, nobody]);

    // A row that lost its own permissions at the source follows the default again.
    await put("own", null);
    await save(members);
    expect(await aclsOf([late, ids[0]!, ids[2]!, bad!.id])).toEqual([members, members, members, members]);
  });
});

describe("a removed source", () => {
  it("comes back with exactly the documents that went with it, and nothing comes alive under it meanwhile", async () => {
    const sourceId = await createSource(scope);
    const { documentId } = await upsert(scope, sourceId, "a.txt", "one");
    await upsert(scope, sourceId, "b.txt", "two");
    await markDocumentDeleted(scope, sourceId, "b.txt");
    await deleteSource(scope, sourceId);
    const live = async () => (await listDocuments(scope, {}, { limit: 10, offset: 0 })).rows.map(({ id }) => id);
    expect(await live()).toEqual([]);
    expect(await listSources(scope)).toEqual([]);

    const removed = { code: "SOURCE_NOT_FOUND" };
    const drop = { stage: "connect", code: "DOCUMENT_TOO_LARGE", reason: "Too large." };
    await expect(upsert(scope, sourceId, "c.txt", "three")).rejects.toMatchObject(removed);
    await expect(upsert(scope, sourceId, "a.txt", "other")).rejects.toMatchObject(removed);
    await expect(quarantineRef(scope, sourceId, "d.txt", drop)).rejects.toMatchObject(removed);
    await expect(moveDocument(scope, sourceId, "a.txt", itemOf("e.txt", "x"))).rejects.toMatchObject(removed);

    expect((await restoreSource(scope, sourceId))?.id).toBe(sourceId);
    expect(await live()).toEqual([documentId]);
    expect(await getDocument(scope, documentId)).toMatchObject({ contentHash: sha256("one") });
    expect(await restoreSource(scope, sourceId)).toBeUndefined();
  });

  it("comes back with nobody's what refuses a group, as who is in it went with the source", async () => {
    const sourceId = await createSource(scope);
    const group = { source: "rest", tenant: "api", kind: "group" as const, id: "trainees" };
    const everybody = workspaceMembers(scope.workspaceId);
    const put = async (ref: string, acl: Acl) => {
      const content = { contentHash: sha256(ref), contentKey: ref, sizeBytes: 1 };
      return (await upsertDocument(scope, sourceId, { ...itemOf(ref, "1"), acl }, content)).documentId;
    };
    const open = await put("open.txt", { allow: [everybody], deny: [] });
    const refusing = await put("refusing.txt", { allow: [everybody], deny: [group] });
    await owner.pool.query(`update sources set cursor = '{"version": 1, "value": "far"}' where id = $1`, [sourceId]);
    await deleteSource(scope, sourceId);
    expect(await restoreSource(scope, sourceId)).toMatchObject({ id: sourceId, cursor: null });
    const { rows } = await owner.pool.query("select cursor from sources where id = $1", [sourceId]);
    expect(rows).toEqual([{ cursor: null }]);
    expect((await getDocument(scope, open)).acl).toEqual({ allow: [everybody], deny: [] });
    expect(await getDocument(scope, refusing)).toMatchObject({ acl: nobody, fingerprint: "" });
  });
});

describe("a draft of a source", () => {
  it("is handed out once, and is gone when nobody came for it", async () => {
    const draft = {
      id: randomUUID(),
      kind: "s3",
      config: {},
      sealedSecrets: Buffer.from("sealed"),
      sealedFor: randomUUID(),
    };
    await saveDraft(scope, draft);
    expect(await takeDraft(scope, draft.id)).toMatchObject(draft);
    await expect(takeDraft(scope, draft.id)).rejects.toMatchObject({ code: "NOT_FOUND" });

    await saveDraft(scope, draft);
    await owner.pool.query("update source_drafts set created_at = now() - interval '1 hour'");
    await saveDraft(scope, { ...draft, id: randomUUID() });
    await expect(takeDraft(scope, draft.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("a lock", () => {
  const held = async (name: string) => {
    const { rows } = await db.execute<{ held: boolean }>(sql`select ${isLocked(sql`${name}::text`)} as held`);
    return rows[0]!.held;
  };

  it("is one holder's until it is released", async () => {
    const name = randomUUID();
    const taken = (await Promise.all(Array.from({ length: 6 }, () => app.tryLock(name)))).filter(
      (lock) => lock !== null,
    );
    expect(taken).toHaveLength(1);
    expect(await held(name)).toBe(true);
    expect(await held(`${name}-other`)).toBe(false);
    await taken[0]!.release();
    expect(await held(name)).toBe(false);
    await (await app.tryLock(name))!.release();
  });

  it("ends with its holder's connection, who learns of it", async () => {
    const name = randomUUID();
    const lock = (await app.tryLock(name))!;
    await owner.pool.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'anneal-lock'",
    );
    await expect.poll(() => lock.lost.aborted).toBe(true);
    await (await app.tryLock(name))!.release();
    await lock.release();
  });
});

describe("a sync", () => {
  const begin = (sourceId: string, id: string) => beginSync(scope, { id, sourceId, runId: null, startedBy: "ada" });
  const syncing = async () => (await listSources(scope)).map((source) => source.syncing);

  it("shows as running only while somebody holds the source's lock", async () => {
    const sourceId = await createSource(scope);
    const lock = (await app.tryLock(syncLockName(sourceId)))!;
    expect(await syncing()).toEqual([false]);
    await begin(sourceId, randomUUID());
    expect(await syncing()).toEqual([true]);
    await lock.release();
    expect(await syncing()).toEqual([false]);
  });

  it("that a dead process left open is closed by the next; its own next attempt goes on counting", async () => {
    const sourceId = await createSource(scope);
    const [dead, next] = [randomUUID(), randomUUID()];
    const counts = { ...(await begin(sourceId, dead)), scanned: 9, read: 4, added: 3, changed: 1, dropped: 2 };
    await saveCursor(scope, sourceId, { version: 1 }, { id: dead, counts });
    expect(await begin(sourceId, dead)).toEqual({ ...counts, dropped: 0 });
    await begin(sourceId, next);
    const { rows } = await listSyncs(scope, sourceId, { limit: 10, offset: 0 });
    expect(rows.map(({ id, status, read }) => [id, status, read])).toEqual([
      [next, "running", 0],
      [dead, "failed", 4],
    ]);
    expect(rows[1]!.error).toMatchObject({ code: "ENGINE_UNAVAILABLE" });
  });
});

describe("a run", () => {
  const newRun = () => ({ id: randomUUID(), workflowId: randomUUID(), startedBy: "ada", settings: {} });

  it("is refused while another one for the same has not ended, also when many begin at once", async () => {
    const results = await Promise.all(Array.from({ length: 6 }, () => createOnlyRun(scope, newRun())));
    expect(results.filter((other) => other === null)).toHaveLength(1);
    const [run] = await listRuns(scope);
    expect(new Set(results.flatMap((other) => other?.id ?? []))).toEqual(new Set([run!.id]));
    expect(await createOnlyRun(await createScope(), newRun())).toBeNull();
    const earlier = newRun();
    await createRun(scope, earlier);
    await endRun(scope, earlier.id, { status: "cancelled" });
    expect(await reopenRun(scope, earlier.id, "w", "connect")).toMatchObject({ id: run!.id });
  });

  it("runs alone: whoever comes later waits, and goes on when the first has ended", async () => {
    const all = Array.from({ length: 4 }, newRun);
    for (const run of all) await createRun(scope, run);
    const results = await Promise.all(all.map(({ id }) => claimRunning(scope, id)));
    const winner = all[results.indexOf(null)]!;
    expect(results.filter((other) => other === null)).toHaveLength(1);
    // Its own next attempt is not in its own way.
    expect(await claimRunning(scope, winner.id)).toBeNull();
    await endRun(scope, winner.id, { status: "cancelled" });
    const later = all.find(({ id }) => id !== winner.id)!;
    expect(await claimRunning(scope, later.id)).toBeNull();
    const last = all.find(({ id }) => id !== winner.id && id !== later.id)!;
    expect((await findRunAwaited(scope, await getRun(scope, last.id)))?.id).toBe(later.id);
    expect(await findRunAwaited(scope, await getRun(scope, later.id))).toBeUndefined();
  });

  it("that makes documents findable goes on while another one trains, which indexes when it has ended", async () => {
    const trains = newRun();
    const finds = { ...newRun(), settings: { purpose: "search" as const } };
    const awaitedBy = async ({ id }: { id: string }) => (await findRunAwaited(scope, await getRun(scope, id)))?.id;
    for (const run of [trains, finds]) expect(await createOnlyRun(scope, run)).toBeNull();
    expect(await claimRunning(scope, trains.id)).toBeNull();
    expect(await claimRunning(scope, finds.id)).toMatchObject({ id: trains.id });
    for (const stage of ["connect", "clean", "dedupe", "dataset"] as const) {
      expect(await awaitedBy(finds)).toBe(trains.id);
      expect(await beginStage(scope, trains.id, stage)).toBeNull();
      await endStage(scope, trains.id, stage, { status: "done", inCount: 1, outCount: 1, note: null });
    }
    expect(await beginStage(scope, trains.id, "train")).toBeNull();
    expect(await awaitedBy(finds)).toBeUndefined();
    expect(await claimRunning(scope, finds.id)).toBeNull();
    for (const stage of ["train", "register", "deploy"] as const) {
      expect(await beginStage(scope, trains.id, stage)).toBeNull();
      await endStage(scope, trains.id, stage, { status: "done", inCount: 1, outCount: 1, note: null });
    }
    expect(await awaitedBy(trains)).toBe(finds.id);
    expect(await beginStage(scope, trains.id, "index")).toMatchObject({ id: finds.id });
    expect((await getRun(scope, trains.id)).stages.at(-1)).toMatchObject({ stage: "index", status: "waiting" });
    await endRun(scope, finds.id, { status: "cancelled" });
    expect(await beginStage(scope, trains.id, "index")).toBeNull();
    expect(await awaitedBy(trains)).toBeUndefined();
  });

  it("has a row for each stage that it is for, and skips what is done already", async () => {
    const stagesOfRun = async (run: Parameters<typeof createRun>[1]) => {
      await createRun(scope, run);
      return (await getRun(scope, run.id)).stages.map(({ stage, status }) => `${stage} ${status}`);
    };
    const search = { ...newRun(), settings: { purpose: "search" as const }, fromStage: "clean" as const };
    expect(await stagesOfRun(search)).toEqual(["connect skipped", "clean waiting", "dedupe waiting", "index waiting"]);
    expect(await stagesOfRun(newRun())).toHaveLength(stages.length);
  });
});

describe("what a stage left out", () => {
  it("counts once, however often the stage says it, also at once", async () => {
    const runId = randomUUID();
    await createRun(scope, { id: runId, workflowId: "w", startedBy: "ada", settings: {} });
    const dropOf = (ref: string) => ({ ref, code: "short", reason: "Too short." });
    await replaceDrops(scope, runId, "clean", [dropOf("c")]);
    const drops = [dropOf("a"), dropOf("b")];
    await replaceDrops(scope, runId, "dataset", [dropOf("of an attempt that was given up")]);
    await Promise.all(Array.from({ length: 4 }, () => replaceDrops(scope, runId, "dataset", drops)));
    const { rows } = await listDrops(scope, runId, { limit: 10, offset: 0 });
    expect(rows.map(({ stage, ref }) => [stage, ref])).toEqual([
      ["clean", "c"],
      ["dataset", "a"],
      ["dataset", "b"],
    ]);
    await endStage(scope, runId, "dataset", { status: "done", inCount: 5, outCount: 3, note: null });
    const { stages } = await getRun(scope, runId);
    expect(stages.find(({ stage }) => stage === "dataset")).toMatchObject({ droppedCount: 2 });
  });
});

describe("an alias", () => {
  async function flipTo({ adapter, version }: Awaited<ReturnType<typeof createVersion>>, deploymentId: string) {
    const servingName = `support-${version.digest}`;
    await createDeployment(scope, {
      id: deploymentId,
      adapterVersionId: version.id,
      workflowId: `deploy-${deploymentId}`,
      alias: "production",
      servingName,
      by: "ada",
    });
    const adapterVersionId = version.id;
    return flipAlias(scope, {
      adapterId: adapter.id,
      alias: "production",
      adapterVersionId,
      servingName,
      deploymentId,
      by: "ada",
    });
  }

  it("numbers versions by digest: an equal one is the one that exists", async () => {
    const [one, again, two] = [await createVersion("aa"), await createVersion("aa"), await createVersion("bb")];
    expect(one.created && !again.created && two.created).toBe(true);
    expect(again.version.id).toBe(one.version.id);
    expect([one.version.version, two.version.version]).toEqual([1, 2]);
  });

  it("records a deployment's steps one by one, and none after its end", async () => {
    const deploymentId = randomUUID();
    await flipTo(await createVersion("aa"), deploymentId);
    const engine = { url: "http://one", status: "done" as const, durationMs: 3, detail: null };
    const load = { step: "load" as const, status: "done" as const, durationMs: 4, detail: null, replicas: [engine] };
    const probe = { step: "probe" as const, status: "running" as const, durationMs: null, detail: null };
    // At once, as the engines of one step report.
    await Promise.all([recordDeployStep(scope, deploymentId, load), recordDeployStep(scope, deploymentId, probe)]);
    const running = await getDeployment(scope, deploymentId);
    expect(running.steps.slice(0, 2)).toEqual([load, probe]);
    expect(running.steps.slice(2).map(({ status }) => status)).toEqual(["waiting", "waiting", "waiting"]);

    await updateDeployment(scope, deploymentId, { status: "done" });
    await recordDeployStep(scope, deploymentId, { ...probe, detail: "late" });
    expect((await getDeployment(scope, deploymentId)).steps).toEqual(running.steps);
  });

  it("abandons a deployment only while it runs, and gives back only what no alias serves", async () => {
    const replica = await saveReplica(db, { url: `http://${randomUUID()}`, baseModel: "tiny" });
    const held = async (servingName: string) => {
      const residency = {
        replicaId: replica.id,
        servingName,
        objectPrefix: "adapters/x",
        workspaceId: scope.workspaceId,
      };
      await saveResidency(db, { ...residency, desired: "resident", observed: "resident" });
    };
    const wantedOn = async () =>
      Object.fromEntries((await listResidencies(db, replica.id)).map((each) => [each.servingName, each.desired]));
    const error = { code: "CANCELLED" as const, message: "Ada abandoned it.", action: "Deploy again." };
    const [served, ended, loaded] = [randomUUID(), randomUUID(), randomUUID()];
    const one = await createVersion("aa");
    await flipTo(one, served);
    await flipTo(one, ended);
    await updateDeployment(scope, ended, { status: "done" });
    const { version } = await createVersion("bb");
    const deployment = { adapterVersionId: version.id, workflowId: "gone", alias: "production", by: "ada" };
    await createDeployment(scope, { id: loaded, servingName: "support-bb", ...deployment });
    await held("support-aa");
    await held("support-bb");
    expect((await listRunningDeployments(scope, one.adapter.id, "production")).map(({ id }) => id).toSorted()).toEqual(
      [served, loaded].toSorted(),
    );

    for (const id of [served, ended, loaded])
      expect(await abandonDeployment(scope, await getDeployment(scope, id), error)).toBe(id !== ended);
    expect(await listRunningDeployments(scope, one.adapter.id, "production")).toEqual([]);
    expect(await getDeployment(scope, loaded)).toMatchObject({ status: "failed", error });
    expect((await getDeployment(scope, ended)).status).toBe("done");
    expect(await wantedOn()).toEqual({ "support-aa": "resident", "support-bb": "absent" });
  });

  it("flips once per deployment, however often the step is repeated", async () => {
    const [one, two] = [await createVersion("aa"), await createVersion("bb")];
    await flipTo(one, randomUUID());
    const deploymentId = randomUUID();
    const results = await Promise.all([
      flipTo(two, deploymentId),
      flipTo(two, deploymentId),
      flipTo(two, deploymentId),
    ]);
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
    expect(results[0]?.previousServingName).toBe("support-aa");
    expect(await listAliasHistory(scope, one.adapter.id)).toHaveLength(2);
    expect((await listCurrentAliases(scope))[0]).toMatchObject({ servingName: "support-bb", adapterName: "support" });
    expect(await readAliasEpoch(db)).toBeGreaterThanOrEqual(results[0]!.epoch);
  });

  it("is flipped again by a deployment that is retried after a rollback, and not by one that has ended", async () => {
    const [one, two] = [await createVersion("aa"), await createVersion("bb")];
    const retried = randomUUID();
    await flipTo(one, randomUUID());
    const first = await flipTo(two, retried);
    await flipTo(one, randomUUID());
    const again = await flipTo(two, retried);
    expect(again).toMatchObject({ previousServingName: "support-aa" });
    expect(again.epoch).toBeGreaterThan(first.epoch);
    expect((await listCurrentAliases(scope))[0]?.servingName).toBe("support-bb");

    await flipTo(one, randomUUID());
    await updateDeployment(scope, retried, { status: "failed" });
    const late = { adapterId: two.adapter.id, alias: "production", adapterVersionId: two.version.id, by: "ada" };
    const flip = flipAlias(scope, { ...late, servingName: "support-bb", deploymentId: retried });
    await expect(flip).rejects.toMatchObject({ code: "CONFLICT" });
    expect((await listCurrentAliases(scope))[0]?.servingName).toBe("support-aa");
  });

  it("holds its serving name for all workspaces, as a running deployment does, and nobody holds it afterwards", async () => {
    const [mine, other] = [scope, await createScope()];
    const digest = randomUUID();
    const servingName = `support-${digest}`;
    const replica = await saveReplica(db, { url: `http://${randomUUID()}`, baseModel: "tiny" });
    const residency = { replicaId: replica.id, servingName, objectPrefix: "adapters/x", workspaceId: mine.workspaceId };
    await saveResidency(db, { ...residency, desired: "resident", observed: "resident" });
    const release = () => releaseUnusedServingName(mine, servingName);

    scope = other;
    const deploymentId = randomUUID();
    const theirs = await createVersion(digest);
    const staged = { adapterVersionId: theirs.version.id, workflowId: "w", alias: "staging", servingName, by: "ada" };
    await createDeployment(scope, { id: deploymentId, ...staged });
    expect(await release()).toBe(false);
    await updateDeployment(scope, deploymentId, { status: "failed" });
    const flipped = randomUUID();
    await flipTo(theirs, flipped);
    await updateDeployment(scope, flipped, { status: "done" });
    expect(await release()).toBe(false);
    expect((await listResidencies(db, replica.id))[0]?.desired).toBe("resident");
    await flipTo(await createVersion("cc"), randomUUID());
    expect(await release()).toBe(true);
    expect((await listResidencies(db, replica.id))[0]?.desired).toBe("absent");

    // Looking into other workspaces leaves the caller in its own.
    const seen = await inWorkspace(mine, async (tx) => {
      await tx.execute(sql`select serving_name_in_use(${servingName})`);
      return (await tx.execute(sql`select current_setting('app.workspace_id') as id`)).rows;
    });
    expect(seen).toEqual([{ id: mine.workspaceId }]);
  });

  it("is safe from an unloading that was decided before somebody wanted the name again", async () => {
    const replica = await saveReplica(db, { url: `http://${randomUUID()}`, baseModel: "tiny" });
    const held = { replicaId: replica.id, servingName: "support-x", objectPrefix: "x", workspaceId: scope.workspaceId };
    await saveResidency(db, { ...held, desired: "absent", observed: "resident" });
    const order: string[] = [];
    let loading: Promise<unknown> | undefined;
    await removeResidency(db, replica.id, "support-x", async () => {
      order.push("unload");
      loading = saveResidency(db, { ...held, desired: "resident", observed: "loading" }).then(() => order.push("load"));
      // Round trips of their own: time enough for a load that would not wait.
      for (let trip = 0; trip < 20; trip += 1) await listResidencies(db, replica.id);
      order.push("unloaded");
    });
    await loading;
    expect(order).toEqual(["unload", "unloaded", "load"]);
    await removeResidency(db, replica.id, "support-x", async () => void order.push("unload again"));
    expect(order).not.toContain("unload again");
    expect(await listResidencies(db, replica.id)).toMatchObject([{ desired: "resident" }]);
  });

  it("keeps its history: the apps can neither change nor delete an entry", async () => {
    await flipTo(await createVersion("aa"), randomUUID());
    const change = inWorkspace(scope, (tx) => tx.update(aliasHistory).set({ by: "nobody" }));
    expect(await refusalOf(change)).toMatch(/permission denied|append-only/);
    expect(await refusalOf(inWorkspace(scope, (tx) => tx.delete(aliasHistory)))).toMatch(
      /permission denied|append-only/,
    );
    expect(await listCurrentAliases(scope)).toHaveLength(1);
  });

  it("goes with its workspace as a whole", async () => {
    await flipTo(await createVersion("aa"), randomUUID());
    await owner.pool.query("delete from workspaces where id = $1", [scope.workspaceId]);
    expect(await listCurrentAliases(scope)).toEqual([]);
  });
});

it("gives a workspace one collection, also when two runs make it at once or another model is set later", async () => {
  const save = (embeddingModel: string) => saveCollection(scope, { embeddingModel, dimensions: 2, settings: {} });
  const [first, again] = await Promise.all([save("small"), save("small")]);
  expect(again.id).toBe(first.id);
  expect(await save("large")).toEqual(first);
  // An earlier release let a person name it.
  const other = await createScope();
  const named = {
    workspaceId: other.workspaceId,
    name: "handbook",
    embeddingModel: "small",
    dimensions: 2,
    settings: {},
  };
  await inWorkspace(other, (tx) => tx.insert(collections).values(named));
  expect(await saveCollection(other, { embeddingModel: "small", dimensions: 2, settings: {} })).toMatchObject(named);
});

describe("a dataset version", () => {
  it("is immutable: an equal digest is the version that exists, another one the next number", async () => {
    const save = (digest: string, trainCount: number) =>
      saveDatasetVersion(
        scope,
        {
          id: randomUUID(),
          name: "documents",
          digest,
          trainKey: `datasets/${digest}/train.jsonl`,
          evalKey: `datasets/${digest}/eval.jsonl`,
          trainCount,
          evalCount: 1,
          pairCount: 1,
          droppedCount: 0,
          acl: aclOf(scope),
          settings: {},
          stats: {},
          runId: null,
        },
        [],
      );
    const [first, again] = await Promise.all([save("aa", 1), save("aa", 1)]);
    expect([first.created, again.created].toSorted()).toEqual([false, true]);
    expect((await save("aa", 99)).version).toEqual(first.version);
    expect((await save("bb", 2)).version).toMatchObject({ version: 2, trainCount: 2 });
  });
});
