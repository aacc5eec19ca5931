import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { nobody } from "@anneal/core/access/acl";
import type { Scope } from "../database.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import { saveWorkspace } from "./access.ts";
import { markDocumentDeleted, saveSource, upsertDocument } from "./connect.ts";
import { createFingerprintReader } from "./fingerprint-reader.ts";

let database: TestDatabase;
let scope: Scope;
let queries = 0;
const sourceId = crypto.randomUUID();
const refs = Array.from({ length: 60 }, (_, index) => `notes/${String(index).padStart(3, "0")}.md`);

async function save(ref: string, fingerprint: string): Promise<void> {
  const facts = { uri: ref, title: ref, mediaType: null, sizeBytes: 1, modifiedAt: null, acl: null };
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
