import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { principalKey, workspaceMembers, type Acl } from "@anneal/core/access/acl";
import { servingName } from "@anneal/core/deploy/contract";
import { generateApiKey } from "@anneal/db/api-key";
import type { Scope } from "@anneal/db/database";
import { addModelGrant, createApiKey, saveMember, saveUser, saveWorkspace } from "@anneal/db/queries/access";
import { saveAssistant } from "@anneal/db/queries/chat";
import { deleteSource, saveSource } from "@anneal/db/queries/sources";
import { upsertDocument } from "@anneal/db/queries/synced-documents";
import { saveDatasetVersion } from "@anneal/db/queries/dataset";
import { createDeployment, flipAlias, updateDeployment } from "@anneal/db/queries/deploy";
import { saveAdapterVersion } from "@anneal/db/queries/register";
import { saveReplica, updateReplica } from "@anneal/db/queries/serving";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { POST as complete } from "../../app/api/v1/chat/completions/route.ts";
import { GET as listModels } from "../../app/api/v1/models/route.ts";
import { createIdentity, type Identity, type Role } from "#server/auth/identity.ts";
import { appRouter } from "#server/root.ts";

// An adapter says what it learned word for word: the routes as they are, with the gateway's own memory of permissions.

let test: TestDatabase;
let scope: Scope;
let engine: Server;
let member: { identity: Identity; key: string };
let admin: { identity: Identity; key: string };
const digest = "d".repeat(64);
const immutable = servingName("support", digest);
const asked: string[] = [];

beforeAll(async () => {
  test = await startTestDatabase();
  engine = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      asked.push((JSON.parse(body) as { model: string }).model);
      response.setHeader("content-type", "application/json").end('{"choices":[]}');
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => engine.once("listening", resolve));
  vi.stubEnv("ANNEAL_DATABASE_URL", test.appUrl);
  vi.stubEnv("NEXTAUTH_SECRET", "s".repeat(32));
  const { id } = await saveWorkspace(test.db, { slug: "ours", name: "Ours" });
  scope = { db: test.db, workspaceId: id };
  member = await join("member");
  admin = await join("admin");
  const replica = await saveReplica(test.db, {
    url: `http://127.0.0.1:${(engine.address() as AddressInfo).port}`,
    baseModel: "tiny",
  });
  await updateReplica(test.db, replica.id, { status: "ready" });
  const everyone = principalKey(workspaceMembers(id));
  for (const resource of ["base", "adapter:support", "assistant:helpdesk"])
    await addModelGrant(scope, { principal: everyone, resource, grantedBy: "ada" });
});

afterAll(async () => {
  vi.unstubAllEnvs();
  engine?.close();
  await test?.stop();
});

async function join(role: Role) {
  const email = `${role}@example.com`;
  const user = await saveUser(test.db, { email, name: role, passwordHash: null });
  await saveMember(scope, user.id, role);
  const { key, prefix, hash } = generateApiKey();
  await createApiKey(scope, { userId: user.id, name: "test", prefix, hash, expiresAt: null });
  const facts = { userId: user.id, email, workspaceId: scope.workspaceId, role };
  return { key, identity: createIdentity({ ...facts, via: { kind: "session" } }) };
}

async function addDocument(name: string, defaultAcl: Acl) {
  const source = { id: randomUUID(), name, kind: "file", config: { path: `/${name}` }, sealedSecrets: null };
  await saveSource(scope, { ...source, schedule: null, defaultAcl });
  const facts = { uri: name, title: name, mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: name };
  const content = { contentHash: name, contentKey: name, sizeBytes: 1 };
  const { documentId } = await upsertDocument(scope, source.id, { ref: name, ...facts, acl: null }, content);
  return { sourceId: source.id, documentId };
}

async function serveAdapterOf(documentIds: string[]): Promise<string> {
  const pair = { split: "train" as const, origin: "extracted" as const, question: "Q?", answer: "A.", quote: "A." };
  const counts = { trainCount: 2, evalCount: 0, pairCount: 2, droppedCount: 0 };
  const keys = { trainKey: "t", evalKey: "e", acl: { allow: [], deny: [] }, settings: {}, stats: {}, runId: null };
  const { version: dataset } = await saveDatasetVersion(
    scope,
    { id: randomUUID(), name: "d", digest: "dataset", ...counts, ...keys },
    documentIds.map((documentId, ordinal) => ({ ...pair, ordinal, documentId, charStart: 0, charEnd: 2, drop: null })),
  );
  const lineage = { baseModel: "tiny", baseDigest: "b", datasetDigest: "dataset", trainingRunId: "t", config: {} };
  const { adapter, version } = await saveAdapterVersion(
    scope,
    { name: "support", baseModel: "tiny" },
    {
      id: randomUUID(),
      digest,
      objectPrefix: "p",
      rank: 8,
      sizeBytes: 1,
      lineage: { ...lineage, datasetVersionId: dataset.id },
      metrics: {},
      card: "",
    },
  );
  const deployment = { alias: "production", servingName: immutable, adapterVersionId: version.id, by: "ada" };
  const deploymentId = randomUUID();
  await createDeployment(scope, { id: deploymentId, workflowId: "w", ...deployment });
  await flipAlias(scope, { adapterId: adapter.id, deploymentId, ...deployment });
  await updateDeployment(scope, deploymentId, { status: "done", endedAt: new Date() });
  return adapter.id;
}

const withKey = (key: string, body?: unknown) =>
  new Request("http://localhost/", {
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
const ask = async (key: string, model: string) =>
  (await complete(withKey(key, { model, messages: [{ role: "user", content: "What is the code?" }] }))).status;
async function modelsOf(key: string): Promise<Record<string, string>> {
  const { data } = (await (await listModels(withKey(key))).json()) as {
    data: { id: string; anneal: { servingName: string } }[];
  };
  const ours = ["tiny", "support@production", "helpdesk"];
  return Object.fromEntries(
    data.filter(({ id }) => ours.includes(id)).map(({ id, anneal }) => [id, anneal.servingName]),
  );
}
const untilModelsOf = (key: string, models: Record<string, string>) =>
  vi.waitFor(async () => expect(await modelsOf(key)).toEqual(models), { timeout: 20_000 });
const as = ({ identity }: { identity: Identity }) => appRouter.createCaller({ db: test.db, identity });

it("an adapter is only for whom the documents behind it admit now, and its assistant answers others with the base model", async () => {
  const members: Acl = { allow: [workspaceMembers(scope.workspaceId)], deny: [] };
  const open = await addDocument("open", members);
  const hidden = await addDocument("hidden", members);
  const adapterId = await serveAdapterOf([open.documentId, hidden.documentId]);
  await saveAssistant(scope, {
    name: "helpdesk",
    model: "support@production",
    collectionId: null,
    instructions: "",
    settings: {},
  });
  const before = { tiny: "tiny", "support@production": immutable, helpdesk: immutable };
  // The gateway hears of what was just saved as PostgreSQL announces it.
  await untilModelsOf(member.key, before);
  expect(await ask(member.key, "support@production")).toBe(200);
  expect(asked).toEqual([immutable]);
  expect((await as(admin).deploy.get({ adapterId })).withheld).toEqual([]);

  const source = { sourceId: hidden.sourceId, name: "hidden", kind: "file", config: { path: "/hidden" } };
  const saved = await as(admin).connect.update({ ...source, schedule: null, audience: "nobody" });
  const withheld = { adapterId, name: "support", version: 1, aliases: ["production"], documents: 1 };
  expect(saved.withheld).toEqual([{ ...withheld, people: ["admin@example.com", "member@example.com"] }]);
  await untilModelsOf(member.key, { tiny: "tiny", helpdesk: "tiny" });
  for (const model of ["support@production", immutable, "support"]) expect(await ask(member.key, model)).toBe(404);
  expect(asked).toEqual([immutable]);
  const [assistant] = await as(member).assistants.list();
  expect(assistant).toMatchObject({ usability: "usable", adapterWithheld: true });
  // Who may not decide about permissions is not told of documents that they may not read.
  expect((await as(member).deploy.get({ adapterId })).withheld).toEqual([]);

  await as(admin).connect.update({ ...source, schedule: null, audience: "members" });
  await untilModelsOf(member.key, before);

  // Its source is gone, what it taught is not: an administrator's to use, when the document admits them.
  await deleteSource(scope, hidden.sourceId);
  await untilModelsOf(member.key, { tiny: "tiny", helpdesk: "tiny" });
  expect(await modelsOf(admin.key)).toEqual(before);
  expect((await as(admin).deploy.get({ adapterId })).withheld).toEqual([
    { ...withheld, people: ["member@example.com"] },
  ]);
});
