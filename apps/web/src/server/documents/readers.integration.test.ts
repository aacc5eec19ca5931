import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { mayRead, nobody, principalKey, type Acl, type Principal } from "@anneal/core/access/acl";
import type { Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { saveSource } from "@anneal/db/queries/sources";
import { upsertDocument } from "@anneal/db/queries/synced-documents";
import { listDocuments } from "@anneal/db/queries/documents";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";

let database: TestDatabase;

beforeAll(async () => {
  database = await startTestDatabase();
});

afterAll(() => database?.stop());

// Drizzle asks every object for its constructor.
const plain = { noNullPrototype: true } as const;

// Few values, so that principals meet; awkward ones, so that quoting counts.
const principals = fc.record<Principal>(
  {
    source: fc.constantFrom("anneal", "s3"),
    tenant: fc.constantFrom("", 't"1'),
    kind: fc.constantFrom("user", "group"),
    id: fc.constantFrom("a", "a:b", "%", "'"),
  },
  plain,
);
const acls = fc.record<Acl>(
  { allow: fc.array(principals, { maxLength: 3 }), deny: fc.array(principals, { maxLength: 1 }) },
  plain,
);

it("lists exactly the documents that mayRead admits, whoever asks", async () => {
  const { id: workspaceId } = await saveWorkspace(database.db, { slug: "readers", name: "Readers" });
  const scope: Scope = { db: database.db, workspaceId };
  const sourceId = crypto.randomUUID();
  await saveSource(scope, {
    id: sourceId,
    name: "s",
    kind: "file",
    config: {},
    sealedSecrets: null,
    defaultAcl: nobody,
    schedule: null,
  });
  const samples = fc.sample(acls, { numRuns: 80, seed: 5 });
  for (const [index, acl] of samples.entries()) {
    const ref = String(index);
    const item = { ref, uri: ref, title: ref, mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: ref, acl };
    await upsertDocument(scope, sourceId, item, { contentHash: ref, contentKey: ref, sizeBytes: 1 });
  }
  for (const readers of fc.sample(fc.array(principals, { maxLength: 3 }), { numRuns: 60, seed: 6 })) {
    const { rows, total } = await listDocuments(scope, { readers }, { limit: 100, offset: 0 });
    const keys = new Set(readers.map(principalKey));
    const expected = samples.flatMap((acl, index) => (mayRead(acl, keys) ? [String(index)] : []));
    expect(rows.map((row) => row.ref).sort()).toEqual(expected.sort());
    expect(total).toBe(expected.length);
  }
});
