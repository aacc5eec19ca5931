import { randomBytes, randomUUID } from "node:crypto";
import { nobody } from "@anneal/core/access/acl";
import { and, gte, sql, type SQL } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addSource, addWorkspace } from "../../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import { inWorkspace, openDatabase, type Scope } from "../database.ts";
import { chunks, documents } from "../schema.ts";
import {
  markDocumentDeleted,
  moveDocument,
  quarantineRef,
  saveDocumentAcl,
  streamRefs,
  upsertDocument,
} from "./synced-documents.ts";
import { ofSource } from "./documents-of-source.ts";
import { getDocument, listDocuments } from "./documents.ts";
import { createFingerprintReader } from "./fingerprint-reader.ts";
import { byCodePoint, hasOneOf, hasRef, isShort } from "./refs.ts";
import { beginSync, endSync, getSyncFailures } from "./source-syncs.ts";

let test: TestDatabase;
let scope: Scope;
let sourceId: string;

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());
beforeEach(async () => {
  scope = await addWorkspace(test.db);
  sourceId = await addSource(scope);
});

/** Nothing that repeats, so that no compression helps. */
const incompressible = (bytes: number) => randomBytes(bytes).toString("base64url").slice(0, bytes);
const itemOf = (ref: string, fingerprint = "1") => ({
  ref,
  uri: `file:///${ref}`,
  title: null,
  mediaType: null,
  sizeBytes: 1,
  modifiedAt: null,
  fingerprint,
  acl: null,
});
const content = { contentHash: "h", contentKey: "h", sizeBytes: 1 };
const save = (ref: string, fingerprint?: string) => upsertDocument(scope, sourceId, itemOf(ref, fingerprint), content);
const long = "x".repeat(5_000);
const drop = { stage: "connect", code: "SOURCE_FORBIDDEN", reason: "It may not be read." };
async function storedRefs(): Promise<string[]> {
  const refs: string[] = [];
  for await (const ref of streamRefs(scope, sourceId, { pageSize: 2 })) refs.push(ref);
  return refs;
}

describe.each([
  ["of 2,000 bytes", () => incompressible(2_000)],
  ["of 2,001 bytes", () => incompressible(2_001)],
  ["of 16 kB", () => incompressible(16 * 1024)],
  ["of 1 MB", () => incompressible(1024 ** 2)],
  ["of backslashes", () => String.raw`a\\b\134\x41\\`],
  ["of characters of four bytes", () => "😀".repeat(4_000)],
])("a ref %s", (_, make) => {
  it("is stored once, and found by all that look for it", async () => {
    const ref = make();
    const [first, again] = [await save(ref), await save(ref, "2")];
    expect([first.change, again]).toEqual(["added", { documentId: first.documentId, change: "unchanged" }]);
    expect(await createFingerprintReader(scope, sourceId).fingerprintOf(ref)).toBe("2");
    await saveDocumentAcl(scope, sourceId, { ref, acl: nobody, fingerprint: "3" });
    await quarantineRef(scope, sourceId, ref, drop);
    expect(await getDocument(scope, first.documentId)).toMatchObject({ ref, fingerprint: "3", status: "fetched" });

    const sync = { id: randomUUID(), sourceId, runId: null, startedBy: "ada" };
    const counts = await beginSync(scope, sync);
    const failures = [{ ref, code: "SOURCE_FORBIDDEN" as const, message: "No.", action: "Grant it." }];
    await endSync(scope, { ...sync, counts, failures }, { status: "done", heldBack: null });
    expect(await getSyncFailures(scope, sourceId, sync.id)).toMatchObject([{ document: { id: first.documentId } }]);

    await moveDocument(scope, sourceId, ref, itemOf(`${ref}.moved`));
    expect(await storedRefs()).toEqual([`${ref}.moved`]);
    expect(await markDocumentDeleted(scope, sourceId, ref)).toBe(false);
    expect(await markDocumentDeleted(scope, sourceId, `${ref}.moved`)).toBe(true);
    await quarantineRef(scope, sourceId, ref, drop);
    await quarantineRef(scope, sourceId, ref, { ...drop, code: "SOURCE_UNREACHABLE" });
    const { rows } = await listDocuments(scope, { status: "quarantined" }, { limit: 5, offset: 0 });
    expect(rows).toMatchObject([{ ref, drop: { code: "SOURCE_UNREACHABLE" } }]);
  });
});

it("long and short refs are listed together in code-point order, and none is taken for another", async () => {
  const deep = `${incompressible(3_000)}/`;
  const names = ["B", "a", "a\u0301", "á", "～", "😀", "b".repeat(600), `${"b".repeat(600)}a`, "b".repeat(2_001)];
  const refs = ["", deep].flatMap((folder) => names.map((name) => folder + name));
  for (const ref of refs.toReversed()) await save(ref, `of ${ref}`);
  const byCodePoint = [...refs].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
  expect(await storedRefs()).toEqual(byCodePoint);
  const reader = createFingerprintReader(scope, sourceId);
  for (const ref of byCodePoint) expect(await reader.fingerprintOf(ref)).toBe(`of ${ref}`);
  for (const folder of ["", deep]) expect(await reader.fingerprintOf(`${folder}c`)).toBeNull();
});

describe("an index answers", () => {
  beforeEach(async () => {
    const owner = openDatabase(test.ownerUrl, { maxConnections: 1 });
    try {
      await owner.db.execute(sql`insert into documents (id, workspace_id, source_id, ref, ref_digest, uri, title,
          fingerprint, acl, acl_inherited, status, content_hash, content_key)
        select gen_random_uuid(), ${scope.workspaceId}, ${sourceId}, ref,
          case when octet_length(ref) > 2000 then sha256(convert_to(ref, 'UTF8')) end, '', '', ref, '{}', true, 'fetched', '', ''
        from generate_series(1, 2000) as number
        cross join lateral (select number || repeat('x', case when number % 20 = 0 then 3000 else 20 end)) as refs(ref)`);
      await owner.db.execute(sql`analyze documents`);
    } finally {
      await owner.close();
    }
  });

  /** Where nothing but the whole table is left to go through, that is what happens, whatever it costs. */
  const planOf = async (query: SQL) =>
    inWorkspace(scope, async (tx) => {
      await tx.execute(sql`set local enable_seqscan = off`);
      const { rows } = await tx.execute<{ "QUERY PLAN": string }>(sql`explain ${query}`);
      return rows.map((row) => row["QUERY PLAN"]).join("\n");
    });
  const documentsWhere = (condition: SQL | undefined) =>
    sql`select 1 from ${documents} where ${and(ofSource(scope, sourceId), condition)}`;
  it.each([
    ["one ref", hasRef("a"), ["documents_ref"]],
    ["a long ref", hasRef(long), ["documents_long_ref"]],
    ["several refs", hasOneOf(["a", "b"]), ["documents_ref"]],
    ["several, some of them long", hasOneOf(["a", long]), ["documents_ref", "documents_long_ref"]],
  ])("who looks for %s, within what row-level security lets it ask", async (_, condition, indexes) => {
    const plan = await planOf(documentsWhere(condition));
    for (const index of indexes) expect(plan).toMatch(new RegExp(`Index.* (using|on) ${index}\\b`));
    expect([...plan.matchAll(/Index Cond: .*ref/g)]).toHaveLength(indexes.length);
  });

  it("who goes through them in order, from a ref on", async () => {
    const condition = documentsWhere(and(isShort, gte(byCodePoint, "1")));
    const plan = await planOf(sql`${condition} order by ${byCodePoint} limit 10`);
    expect(plan).toContain("using documents_ref");
    expect(plan).toMatch(/Index Cond: .*ref/);
    expect(plan).not.toContain("Sort");
  });

  it("who looks for a document's passages, or removes them with it", async () => {
    const plan = await planOf(sql`select 1 from ${chunks} where ${chunks.documentId} = ${randomUUID()}`);
    expect(plan).toContain("chunks_of_document");
  });
});
