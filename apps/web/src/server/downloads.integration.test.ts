import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { nobody, workspaceMembers, type Acl } from "@anneal/core/access/acl";
import { generateApiKey } from "@anneal/db/api-key";
import type { Scope } from "@anneal/db/database";
import { createApiKey, listMembers, saveMember, saveUser, saveWorkspace } from "@anneal/db/queries/access";
import { listAuditEvents } from "@anneal/db/queries/audit";
import { saveSource } from "@anneal/db/queries/sources";
import { upsertDocument } from "@anneal/db/queries/synced-documents";
import { saveCleaned } from "@anneal/db/queries/documents";
import { saveDatasetVersion } from "@anneal/db/queries/dataset";
import { openObjectStore } from "@anneal/objects/open-object-store";
import { GET as getDataset } from "../app/api/w/[workspace]/datasets/[datasetVersionId]/[split]/route.ts";
import { GET as getOriginal } from "../app/api/w/[workspace]/documents/[documentId]/original/route.ts";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";

// The routes as they are, asked with API keys of people of two workspaces.

let test: TestDatabase;
let dir: string;
let scope: Scope;
let member: string;
let stranger: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "anneal-downloads-"));
  test = await startTestDatabase();
  const objectsUrl = pathToFileURL(join(dir, "objects")).href;
  vi.stubEnv("ANNEAL_DATABASE_URL", test.appUrl);
  vi.stubEnv("ANNEAL_OBJECTS", objectsUrl);
  vi.stubEnv("NEXTAUTH_SECRET", "s".repeat(32));
  const objects = openObjectStore(objectsUrl);
  await objects.put("datasets/train", Buffer.from('{"messages":[]}\n'));
  await objects.put("content/page", Buffer.from("<script>steal()</script>"));
  ({ scope, key: member } = await enter("ours", "grace@example.com"));
  ({ key: stranger } = await enter("theirs", "mallory@example.com"));
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await test?.stop();
  await rm(dir, { recursive: true, force: true });
});

async function enter(slug: string, email: string): Promise<{ scope: Scope; key: string }> {
  const workspace = await saveWorkspace(test.db, { slug, name: slug });
  const user = await saveUser(test.db, { email, name: email, passwordHash: null });
  const joined: Scope = { db: test.db, workspaceId: workspace.id };
  await saveMember(joined, user.id, "member");
  const { key, prefix, hash } = generateApiKey();
  await createApiKey(joined, { userId: user.id, name: "test", prefix, hash, expiresAt: null });
  return { scope: joined, key };
}

async function saveDocument(ref: string, acl: Acl): Promise<string> {
  const sourceId = randomUUID();
  const source = { id: sourceId, name: ref, kind: "file", config: {}, sealedSecrets: null, schedule: null };
  await saveSource(scope, { ...source, defaultAcl: acl });
  const facts = { uri: ref, title: ref, mediaType: "text/html", sizeBytes: 24, modifiedAt: null, fingerprint: ref };
  const content = { contentHash: ref, contentKey: "content/page", sizeBytes: 24 };
  return (await upsertDocument(scope, sourceId, { ref, ...facts, acl }, content)).documentId;
}

const withKey = (key: string | null, query = "") =>
  new Request(`http://localhost/${query}`, { headers: key === null ? {} : { authorization: `Bearer ${key}` } });
const codeOf = async (response: Response) => ((await response.json()) as { error: { code: string } }).error.code;

describe("a dataset's download", () => {
  const ask = (key: string | null, datasetVersionId: string, workspace = "ours") =>
    getDataset(withKey(key), { params: Promise.resolve({ workspace, datasetVersionId, split: "train" }) });

  async function save(name: string, acl: Acl): Promise<string> {
    const counts = { trainCount: 1, evalCount: 0, pairCount: 1, droppedCount: 0 };
    const words = { question: "Who?", answer: "Ada.", quote: "Ada.", charStart: 0, charEnd: 4, drop: null };
    const pair = { ...words, ordinal: 0, split: "train" as const, origin: "extracted" as const };
    const keys = { trainKey: "datasets/train", evalKey: "datasets/eval" };
    const { version } = await saveDatasetVersion(
      scope,
      { id: randomUUID(), name, digest: name, ...keys, ...counts, acl: nobody, settings: {}, stats: {}, runId: null },
      [{ ...pair, documentId: await saveDocument(name, acl) }],
    );
    return version.id;
  }

  it("goes to whom all of its documents admit, and the audit trail says so", async () => {
    const id = await save("open", { allow: [workspaceMembers(scope.workspaceId)], deny: [] });
    const response = await ask(member, id);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('{"messages":[]}\n');
    expect(response.headers.get("content-disposition")).toMatch(/^attachment; filename\*=UTF-8''open-v1-train\.jsonl$/);
    const { rows } = await listAuditEvents(scope, { search: id }, { limit: 5, offset: 0 });
    expect(rows).toMatchObject([{ actor: "grace@example.com", action: "dataset.download" }]);
  });

  it("is refused to a member whom one of its documents does not admit, and nothing of it leaves", async () => {
    const id = await save("closed", nobody);
    const response = await ask(member, id);
    expect(response.status).toBe(403);
    expect(await codeOf(response)).toBe("FORBIDDEN");
    expect((await listAuditEvents(scope, { search: id }, { limit: 5, offset: 0 })).total).toBe(0);
  });

  it("does not exist for another workspace, nor for nobody", async () => {
    const id = await save("ours only", { allow: [workspaceMembers(scope.workspaceId)], deny: [] });
    expect((await ask(stranger, id, "theirs")).status).toBe(404);
    expect((await ask(stranger, id, "ours")).status).toBe(401);
    expect((await ask(`ank_${"x".repeat(43)}`, id)).status).toBe(401);
    expect((await ask(member, "no-uuid")).status).toBe(404);
  });
});

describe("a document's original", () => {
  const ask = (key: string, documentId: string, query: string) =>
    getOriginal(withKey(key, query), { params: Promise.resolve({ workspace: "ours", documentId }) });

  it("is shown where nothing in it runs, and otherwise only saved", async () => {
    const id = await saveDocument("page.html", { allow: [workspaceMembers(scope.workspaceId)], deny: [] });
    const shown = await ask(member, id, "?view");
    expect(shown.status).toBe(200);
    expect(shown.headers.get("content-disposition")).toBe("inline");
    expect(shown.headers.get("content-security-policy")).toMatch(/^sandbox; default-src 'none'/);
    expect(await shown.text()).toBe("<script>steal()</script>");
    const saved = await ask(member, id, "");
    expect(saved.headers.get("content-disposition")).toMatch(/^attachment/);
    expect(saved.headers.get("content-type")).toBe("application/octet-stream");
  });

  it("is for administrators and data scientists where cleaning masked personal data, and each look is recorded", async () => {
    const id = await saveDocument("people.html", { allow: [workspaceMembers(scope.workspaceId)], deny: [] });
    const made = { title: "People", mediaType: "text/html", language: "en", textChars: 3, warnings: [] };
    const quality = { score: 1 } as unknown as Parameters<typeof saveCleaned>[2]["quality"];
    const cleaned = { ...made, cleanKey: "c", cleanDigest: "c", quality, piiCounts: { IBAN: 2 } };
    await saveCleaned(scope, { id, contentHash: "people.html" }, cleaned);
    const events = async () => (await listAuditEvents(scope, { search: id }, { limit: 5, offset: 0 })).rows;
    for (const query of ["", "?view"]) {
      const refused = await ask(member, id, query);
      expect(refused.status).toBe(403);
      expect(await refused.text()).not.toContain("steal");
    }
    expect(await events()).toEqual([]);
    const { userId } = (await listMembers(scope))[0]!;
    await saveMember(scope, userId, "data_scientist");
    const { key, prefix, hash } = generateApiKey();
    await createApiKey(scope, { userId, name: "second", prefix, hash, expiresAt: null });
    expect((await ask(key, id, "?view")).status).toBe(200);
    expect((await ask(key, id, "")).status).toBe(200);
    await saveMember(scope, userId, "member");
    const actions = (await events()).map(({ action, actor }) => `${actor} ${action}`);
    expect(actions).toEqual(
      ["document.original.download", "document.original.view"].map((each) => `grace@example.com ${each}`),
    );
  });

  it.each(["", "?view"])("does not exist for a member whom it does not admit (%j)", async (query) => {
    const id = await saveDocument(`secret${query}.html`, nobody);
    const response = await ask(member, id, query);
    expect(response.status).toBe(404);
    expect(await codeOf(response)).toBe("NOT_FOUND");
  });
});
