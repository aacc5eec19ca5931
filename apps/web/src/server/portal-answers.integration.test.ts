import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { workspaceMembers } from "@anneal/core/access/acl";
import type { Scope } from "@anneal/db/database";
import { saveMember, saveUser, saveWorkspace } from "@anneal/db/queries/access";
import { saveSource } from "@anneal/db/queries/sources";
import { upsertDocument } from "@anneal/db/queries/synced-documents";
import { beginStage, createRun, replaceDrops } from "@anneal/db/queries/loop";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { createIdentity, type Role } from "#server/auth/identity.ts";
import { appRouter } from "#server/root.ts";

let test: TestDatabase;
let scope: Scope;
let sourceId: string;
let documentId: string;

beforeAll(async () => {
  test = await startTestDatabase();
  const { id: workspaceId } = await saveWorkspace(test.db, { slug: randomUUID(), name: "Test" });
  scope = { db: test.db, workspaceId };
  sourceId = randomUUID();
  const defaultAcl = { allow: [workspaceMembers(workspaceId)], deny: [] };
  const source = { id: sourceId, name: "handbook", kind: "file", config: { path: "/data" }, sealedSecrets: null };
  await saveSource(scope, { ...source, schedule: null, defaultAcl });
  const facts = { uri: "a.md", title: "Leave", mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: "f" };
  const content = { contentHash: "h", contentKey: "h", sizeBytes: 1 };
  ({ documentId } = await upsertDocument(scope, sourceId, { ref: "a.md", acl: null, ...facts }, content));
});

afterAll(async () => test?.stop());

async function as(role: Role) {
  const email = `${randomUUID()}@example.com`;
  const { id: userId } = await saveUser(test.db, { email, name: role, passwordHash: null });
  await saveMember(scope, userId, role);
  const { workspaceId } = scope;
  const identity = createIdentity({ userId, email, workspaceId, role, via: { kind: "session" } });
  return appRouter.createCaller({ db: test.db, identity });
}

it("lists a removed source until it is restored with its documents", async () => {
  const scientist = await as("data_scientist");
  const listed = async () => (await scientist.documents.list({ limit: 5, offset: 0 })).rows.map(({ id }) => id);
  await scientist.connect.remove({ sourceId });
  expect(await scientist.connect.removed()).toMatchObject([
    { id: sourceId, name: "handbook", kindTitle: "Folder", documentCount: 1, removedAt: expect.any(Date) },
  ]);
  expect(await listed()).toEqual([]);
  await scientist.connect.restore({ sourceId });
  expect(await scientist.connect.removed()).toEqual([]);
  expect(await listed()).toEqual([documentId]);
  await expect((await as("member")).connect.removed()).rejects.toMatchObject({ code: "FORBIDDEN" });
});

it("names the sources that a run read, and the document of what it left out", async () => {
  const operator = await as("operator");
  const [runId, gone] = [randomUUID(), randomUUID()];
  const settings = { sourceIds: [sourceId, gone], adapterName: "documents", alias: "canary" };
  await createRun(scope, { id: runId, workflowId: "w", startedBy: "ada", settings });
  await beginStage(scope, runId, "dataset");
  await replaceDrops(scope, runId, "dataset", [{ ref: "How long?", code: "X", reason: "Short.", documentId }]);
  const run = await operator.loop.get({ runId });
  expect(run.settings).toMatchObject({ adapterName: "documents", alias: "canary" });
  expect(run.sources).toEqual([
    { id: sourceId, name: "handbook" },
    { id: gone, name: null },
  ]);
  expect((await operator.loop.overview()).runs[0]).toMatchObject({ id: runId, sources: run.sources });
  const { rows } = await operator.loop.drops({ runId, limit: 5, offset: 0 });
  expect(rows).toMatchObject([{ ref: "How long?", documentId, documentTitle: "Leave" }]);
});

it("refuses at the boundary what cannot be stored or run, naming the field", async () => {
  const { connect, loop } = await as("admin");
  const source = { name: "n", kind: "file", audience: "members" as const, schedule: null };
  await expect(connect.create({ ...source, config: { path: "/data\0" } })).rejects.toMatchObject({
    cause: { code: "INVALID_INPUT", message: expect.stringContaining("config.path has a NUL character") },
  });
  await expect(connect.create({ ...source, config: { path: "/data" }, schedule: "99 99 * * *" })).rejects.toMatchObject(
    { cause: { code: "INVALID_INPUT", message: expect.stringContaining("“99” is no minute") } },
  );
  await expect(loop.get({ runId: "xyz" })).rejects.toMatchObject({
    cause: { code: "NOT_FOUND", message: "There is no such run." },
  });
});
