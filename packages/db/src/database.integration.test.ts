import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createVersion } from "../testing/adapter-fixture.ts";
import { aclOf, createSource, upsert } from "../testing/document-fixture.ts";
import { refusalOf } from "../testing/refusal-of.ts";
import { addSource, addWorkspace } from "../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../testing/start-test-database.ts";
import { assertRowSecurity, inWorkspace, openDatabase, type DatabaseHandle, type Scope } from "./database.ts";
import { migrateDatabase } from "./migrate.ts";
import { saveUser } from "./queries/access.ts";
import {
  addMessage,
  createConversation,
  renameConversation,
  saveAssistant,
  setConversationDeleted,
  setFeedback,
} from "./queries/chat.ts";
import { createDeployment, listRunningDeployments, recordDeployStep } from "./queries/deploy.ts";
import { saveComparisons } from "./queries/documents.ts";
import { beginStage, claimRunning, createRun, endRun, endStage, reopenRun, replaceDrops } from "./queries/loop.ts";
import { beginSync, endSync, saveCursor } from "./queries/source-syncs.ts";
import { deleteSource, listSources, restoreSource } from "./queries/sources.ts";
import { markDocumentDeleted, saveDocumentAcl } from "./queries/synced-documents.ts";
import { auditEvents, sources } from "./schema.ts";

let test: TestDatabase;
/** The schema's owner, a superuser: what an attacker with the database in hand could do. */
let owner: DatabaseHandle;
let scope: Scope;

beforeAll(async () => {
  test = await startTestDatabase();
  owner = openDatabase(test.ownerUrl);
});
afterAll(async () => {
  await owner?.close();
  await test?.stop();
});
beforeEach(async () => {
  scope = await addWorkspace(test.db);
});

it("is brought to the newest schema once, also by two apps that start together", async () => {
  await owner.pool.query("create database fresh");
  const url = Object.assign(new URL(test.ownerUrl), { pathname: "/fresh" }).href;
  const migrate = () => migrateDatabase(url, "anneal_app");
  await expect(Promise.all([migrate(), migrate()])).resolves.toHaveLength(2);
});

describe("row-level security", () => {
  it("hides another workspace's rows from a query that forgets the condition", async () => {
    const other = await addWorkspace(test.db);
    await createSource(scope);
    await createSource(other);
    const seen = await inWorkspace(scope, (tx) => tx.select().from(sources));
    expect(seen.map((row) => row.workspaceId)).toEqual([scope.workspaceId]);
  });

  it("shows nothing at all where no workspace is set", async () => {
    await createSource(scope);
    expect(await test.db.select().from(sources)).toEqual([]);
    expect(await test.db.select().from(auditEvents)).toEqual([]);
  });

  it("does not leak a workspace into the next use of a pooled connection", async () => {
    const single = openDatabase(test.appUrl, { maxConnections: 1 });
    await createSource(scope);
    await inWorkspace({ ...scope, db: single.db }, (tx) => tx.select().from(sources));
    expect(await single.db.select().from(sources)).toEqual([]);
    await single.close();
  });

  it("refuses to write a row into another workspace, and changes none of its rows", async () => {
    const other = await addWorkspace(test.db);
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
    const user = await saveUser(test.db, { email: `${randomUUID()}@example.com`, name: "Ada", passwordHash: null });
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
    const { adapter, version } = await createVersion(scope, "1");
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
    const other: Scope = { db: owner.db, workspaceId: (await addWorkspace(test.db)).workspaceId };
    const acl = aclOf(other);
    const error = { code: "CANCELLED" as const, message: "No.", action: "Wait.", stage: "clean" };
    expect(await restoreSource(other, sourceId)).toBeUndefined();
    expect(await markDocumentDeleted(other, sourceId, "a.txt")).toBe(false);
    expect(await setFeedback(other, user.id, message.id, "up")).toBe(false);
    await deleteSource(other, sourceId);
    await addSource(other, { id: sourceId, defaultAcl: acl });
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
    await expect(migrateDatabase(test.ownerUrl)).rejects.toMatchObject(refused);
    await owner.pool.query("create role passes bypassrls");
    await expect(assertRowSecurity(owner.db, "passes")).rejects.toMatchObject(refused);
    await assertRowSecurity(test.db);
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
