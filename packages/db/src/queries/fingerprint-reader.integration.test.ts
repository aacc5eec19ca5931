import { hash } from "node:crypto";
import { nobody } from "@anneal/core/access/acl";
import { digestOrigins, inheritFrom, type SourceAcl } from "@anneal/core/access/acl-origins";
import { aclOfSource } from "@anneal/core/access/source-principals";
import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { inWorkspace, type Scope } from "../database.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import { documents } from "../schema.ts";
import { saveWorkspace } from "./access.ts";
import { saveSource } from "./sources.ts";
import { markDocumentDeleted, saveDocumentAcl, upsertDocument } from "./synced-documents.ts";
import { createFingerprintReader } from "./fingerprint-reader.ts";

let database: TestDatabase;
let scope: Scope;
let queries = 0;
const sourceId = crypto.randomUUID();
const refs = Array.from({ length: 60 }, (_, index) => `notes/${String(index).padStart(3, "0")}.md`);

async function save(ref: string, fingerprint: string, acl: SourceAcl | null = null): Promise<void> {
  const facts = { uri: ref, title: ref, mediaType: null, sizeBytes: 1, modifiedAt: null, acl };
  await upsertDocument(
    scope,
    sourceId,
    { ref, fingerprint, ...facts },
    { contentHash: ref, contentKey: ref, sizeBytes: 1 },
  );
}

beforeAll(async () => {
  database = await startTestDatabase();
  const workspace = await saveWorkspace(database.db, { slug: "fingerprints", name: "Fingerprints" });
  const counted = new Proxy(database.db, {
    get(target, name) {
      if (name === "transaction") queries += 1;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  scope = { db: counted, workspaceId: workspace.id };
  const source = { id: sourceId, name: "notes", kind: "file", config: {}, sealedSecrets: null };
  await saveSource(scope, { ...source, defaultAcl: nobody, schedule: null });
  for (const ref of refs) await save(ref, `of ${ref}`);
});

beforeEach(() => {
  queries = 0;
});

afterAll(() => database?.stop());

it("knows each document in whatever order it is asked, and none that is not there", async () => {
  const shuffled = refs.map((_, index) => refs[(index * 37) % refs.length]!);
  for (const order of [refs, refs.toReversed(), shuffled]) {
    const reader = createFingerprintReader(scope, sourceId);
    for (const ref of order) {
      expect(await reader.fingerprintOf(ref)).toBe(`of ${ref}`);
      expect(await reader.fingerprintOf(`${ref}.copy`)).toBeNull();
    }
  }
});

it("asks the database seldom when it is asked in order", async () => {
  const reader = createFingerprintReader(scope, sourceId);
  for (const ref of refs) await reader.fingerprintOf(ref);
  expect(queries).toBeLessThan(10);
});

it("tells with the fingerprint what explains who reads a document, whose source's principals are its own", async () => {
  const told: SourceAcl = {
    allow: [{ source: "file", tenant: "here", kind: "user", id: "1", inheritedFrom: "/srv" }],
    deny: [],
    closed: [{ container: "/srv", to: [{ source: "file", tenant: "here", kind: "group", id: "others" }] }],
  };
  const [plain, closed, moved, earlier, ...rest] = refs as [string, string, string, string, ...string[]];
  await save(plain, "1", { ...nobody });
  await save(closed, "1", aclOfSource(told, sourceId));
  await save(moved, "1", aclOfSource(told, sourceId));
  await saveDocumentAcl(scope, sourceId, { ref: moved, acl: inheritFrom("/", nobody), fingerprint: "2" });
  await save(earlier, "1", told);
  const aclOrigins = sql`${documents.aclOrigins} - 'digest'`;
  await inWorkspace(scope, (tx) => tx.update(documents).set({ aclOrigins }).where(eq(documents.ref, earlier)));
  const reader = createFingerprintReader(scope, sourceId);
  const found: (string | null)[] = [];
  for (const ref of [plain, closed, moved, earlier]) {
    await reader.fingerprintOf(ref);
    found.push(await reader.originsOf(ref));
  }
  expect(found).toEqual([null, digestOrigins(told, (text) => hash("sha256", text)), null, ""]);
  expect(await reader.originsOf(`${plain}.copy`)).toBeNull();
  queries = 0;
  const other = createFingerprintReader(scope, sourceId);
  for (const ref of rest) {
    await other.fingerprintOf(ref);
    await other.originsOf(ref);
  }
  expect(queries).toBeLessThan(10);
  for (const ref of [plain, closed, moved, earlier]) await save(ref, `of ${ref}`);
});

it("tells what became of a document that was read ahead and changed since", async () => {
  const reader = createFingerprintReader(scope, sourceId);
  for (const ref of refs.slice(0, 20)) await reader.fingerprintOf(ref);
  const [changed, deleted] = refs.slice(20) as [string, string];
  await save(changed, "new");
  await markDocumentDeleted(scope, sourceId, deleted);
  reader.forget(changed);
  reader.forget(deleted);
  expect(await reader.fingerprintOf(changed)).toBe("new");
  expect(await reader.fingerprintOf(deleted)).toBeNull();
});
