import { randomUUID } from "node:crypto";
import type { Principal } from "@anneal/core/access/acl";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { addSource, addWorkspace } from "../../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import { openDatabase, type Scope } from "../database.ts";
import { listSources } from "./sources.ts";
import { getDocuments, listDocuments } from "./documents.ts";
import { listChunks, listStrayDocuments, saveCollection } from "./indexing.ts";
import { writeChunks } from "./reader-changes.ts";

const documentCount = 20_000;

let test: TestDatabase;
let scope: Scope;
let sourceId: string;
const group = (id: number): Principal => ({ source: "smb", tenant: "t", kind: "group", id: `g${id}` });

beforeAll(async () => {
  test = await startTestDatabase();
  scope = await addWorkspace(test.db);
  sourceId = await addSource(scope);
  const owner = openDatabase(test.ownerUrl, { maxConnections: 1 });
  try {
    await owner.db.execute(sql`insert into documents (id, workspace_id, source_id, ref, uri, title, fingerprint, acl,
        acl_inherited, status, content_hash, content_key)
      select gen_random_uuid(), ${scope.workspaceId}, ${sourceId}, number::text, '', '', number::text,
        jsonb_build_object('deny', '[]'::jsonb, 'allow', jsonb_build_array(jsonb_build_object(
          'source', 'smb', 'tenant', 't', 'kind', 'group', 'id', 'g' || number))),
        false, 'kept', '', 'k'
      from generate_series(1, ${documentCount}) as number`);
  } finally {
    await owner.close();
  }
});
afterAll(() => test?.stop());

it("somebody who is in a thousand groups does not wait for what they may read", async () => {
  const held = Array.from({ length: 1_000 }, (_, index) => group(index * 5 + 1));
  const begun = performance.now();
  expect(await listSources(scope, held)).toMatchObject([{ documentCount: 1_000 }]);
  expect((await listDocuments(scope, { readers: held }, { limit: 10, offset: 0 })).total).toBe(1_000);
  expect(performance.now() - begun).toBeLessThan(5_000);
});

it("more documents than a statement takes parameters leave the index what it has of them, and nothing else", async () => {
  const { rows } = await listDocuments(scope, { search: "19999" }, { limit: 1, offset: 0 });
  const { id: documentId } = rows[0]!;
  const collection = await saveCollection(scope, { embeddingModel: "m", dimensions: 2, settings: {} });
  const place = { section: [], pageStart: null, pageEnd: null, container: null, charStart: 0, charEnd: 1 };
  const digests = { contentHash: "c", placeFingerprint: "p", aclFingerprint: "a" };
  const row = {
    id: randomUUID(),
    collectionId: collection.id,
    documentId,
    ordinal: 0,
    text: "a",
    ...place,
    ...digests,
  };
  await writeChunks(scope, documentId, async () => ({ rows: [row], deletes: [], aclFingerprints: [] }));
  const others = Array.from({ length: 100_000 }, () => randomUUID());
  expect(await listStrayDocuments(scope, collection.id, others)).toEqual([documentId]);
  expect(await listStrayDocuments(scope, collection.id, [])).toEqual([documentId]);
  expect(await listStrayDocuments(scope, collection.id, [...others, documentId])).toEqual([]);
  expect((await getDocuments(scope, [...others, documentId])).map(({ id }) => id)).toEqual([documentId]);
  const deletes = [...others, row.id];
  await writeChunks(scope, documentId, async () => ({ rows: [], deletes, aclFingerprints: [] }));
  expect(await listChunks(scope, collection.id, documentId)).toEqual([]);
});
