import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { afterAll, beforeAll, expect, it } from "vitest";
import { migrationsBefore } from "../testing/migrations-before.ts";
import { startTestDatabase, type TestDatabase } from "../testing/start-test-database.ts";
import { openDatabase, type Scope } from "./database.ts";
import { migrateDatabase } from "./migrate.ts";
import { saveDocumentAcl } from "./queries/synced-documents.ts";
import { getDocument } from "./queries/documents.ts";
import { getChunksForCitation } from "./queries/indexing.ts";

let test: TestDatabase;

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());

it("of documents that were indexed before, new readers get what is of their content, and nothing of what waits to be cleaned", async () => {
  const place = (url: string) => new URL("/before", url).href;
  const server = openDatabase(test.ownerUrl);
  await server.db.execute(sql`create database before`);
  await server.close();

  const [workspaceId, sourceId, collectionId] = [randomUUID(), randomUUID(), randomUUID()];
  const ids = { kept: randomUUID(), fetched: randomUUID() };
  const owner = openDatabase(place(test.ownerUrl));
  await migrate(owner.db, { migrationsFolder: await migrationsBefore("0028_older_text", test.dir) });
  await owner.db.execute(sql`insert into workspaces (id, slug, name) values (${workspaceId}, 'w', 'W')`);
  await owner.db.execute(sql`insert into sources (id, workspace_id, name, kind, config, default_acl)
    values (${sourceId}, ${workspaceId}, 's', 'file', '{}', '{"allow":[],"deny":[]}')`);
  await owner.db.execute(sql`insert into collections (id, workspace_id, name, embedding_model, dimensions, settings)
    values (${collectionId}, ${workspaceId}, 'documents', 'm', 2, '{}')`);
  for (const [status, id] of Object.entries(ids)) {
    await owner.db.execute(sql`insert into documents (id, workspace_id, source_id, ref, uri, title, fingerprint, acl,
        acl_inherited, status, content_hash, content_key, clean_key)
      values (${id}, ${workspaceId}, ${sourceId}, ${status}, '', '', ${status}, '{"allow":[],"deny":[]}', false, ${status},
        'h', 'k', 'text')`);
    await owner.db.execute(sql`insert into chunks (id, workspace_id, collection_id, document_id, ordinal, text, section,
        char_start, char_end, content_hash, place_fingerprint, acl_fingerprint)
      values (${id}, ${workspaceId}, ${collectionId}, ${id}, 0, 'text', '[]', 0, 4, 'c', 'p', 'a')`);
  }
  await owner.close();

  await migrateDatabase(place(test.ownerUrl), "anneal_app");
  const app = openDatabase(place(test.appUrl));
  try {
    const scope: Scope = { db: app.db, workspaceId };
    const acl = { allow: [{ source: "smb", tenant: "t", kind: "group" as const, id: "staff" }], deny: [] };
    for (const ref of Object.keys(ids)) await saveDocumentAcl(scope, sourceId, { ref, acl, fingerprint: "2" });
    const cited = await getChunksForCitation(scope, Object.values(ids));
    expect(cited.map(({ documentId }) => documentId)).toEqual([ids.kept]);
    const texts = await Promise.all(Object.values(ids).map(async (id) => (await getDocument(scope, id)).cleanKey));
    expect(texts).toEqual(["text", null]);
  } finally {
    await app.close();
  }
});
