import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { afterAll, beforeAll, expect, it } from "vitest";
import { migrationsBefore } from "../testing/migrations-before.ts";
import { startTestDatabase, type TestDatabase } from "../testing/start-test-database.ts";
import { openDatabase, type Scope } from "./database.ts";
import { migrateDatabase } from "./migrate.ts";
import { markDocumentDeleted, streamRefs } from "./queries/synced-documents.ts";
import { createFingerprintReader } from "./queries/fingerprint-reader.ts";

let test: TestDatabase;

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());

it("documents that were stored before long refs had digests are found by theirs", async () => {
  const place = (url: string) => new URL("/before", url).href;
  const server = openDatabase(test.ownerUrl);
  await server.db.execute(sql`create database before`);
  await server.close();

  const [workspaceId, sourceId] = [randomUUID(), randomUUID()];
  // It could be stored because it compresses well.
  const refs = ["a.txt", `${"deep/".repeat(800)}b.txt`, "c\\d.txt"];
  const owner = openDatabase(place(test.ownerUrl));
  await migrate(owner.db, { migrationsFolder: await migrationsBefore("0019_long_refs", test.dir) });
  await owner.db.execute(sql`insert into workspaces (id, slug, name) values (${workspaceId}, 'w', 'W')`);
  await owner.db.execute(sql`insert into sources (id, workspace_id, name, kind, config, default_acl)
    values (${sourceId}, ${workspaceId}, 's', 'file', '{}', '{"allow":[],"deny":[]}')`);
  for (const ref of refs)
    await owner.db.execute(sql`insert into documents
      (id, workspace_id, source_id, ref, uri, title, fingerprint, acl, acl_inherited, status, content_hash, content_key)
      values (${randomUUID()}, ${workspaceId}, ${sourceId}, ${ref}, '', '', ${`of ${ref}`}, '{"allow":[],"deny":[]}', true,
        'fetched', 'h', 'k')`);
  await owner.close();

  await migrateDatabase(place(test.ownerUrl), "anneal_app");
  const app = openDatabase(place(test.appUrl));
  try {
    const scope: Scope = { db: app.db, workspaceId };
    const reader = createFingerprintReader(scope, sourceId);
    for (const ref of refs) expect(await reader.fingerprintOf(ref)).toBe(`of ${ref}`);
    const listed: string[] = [];
    for await (const ref of streamRefs(scope, sourceId)) listed.push(ref);
    expect(listed).toEqual([refs[0], refs[2], refs[1]]);
    for (const ref of refs) expect(await markDocumentDeleted(scope, sourceId, ref)).toBe(true);
  } finally {
    await app.close();
  }
});
