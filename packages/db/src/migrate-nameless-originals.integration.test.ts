import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { afterAll, beforeAll, expect, it } from "vitest";
import { migrationsBefore } from "../testing/migrations-before.ts";
import { startTestDatabase, type TestDatabase } from "../testing/start-test-database.ts";
import { openDatabase } from "./database.ts";
import { migrateDatabase } from "./migrate.ts";
import { listDrops } from "./queries/loop.ts";

let test: TestDatabase;

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());

it("what runs of before left out as copies no longer names what they are copies of, and says the rest", async () => {
  const place = (url: string) => new URL("/before", url).href;
  const server = openDatabase(test.ownerUrl);
  await server.db.execute(sql`create database before`);
  await server.close();

  const [workspaceId, runId] = [randomUUID(), randomUUID()];
  const owner = openDatabase(place(test.ownerUrl));
  await migrate(owner.db, { migrationsFolder: await migrationsBefore("0030_nameless_originals", test.dir) });
  await owner.db.execute(sql`insert into workspaces (id, slug, name) values (${workspaceId}, 'w', 'W')`);
  await owner.db.execute(sql`insert into runs (id, workspace_id, workflow_id, started_by, status, settings)
    values (${runId}, ${workspaceId}, 'w', 'ada', 'done', '{}')`);
  const reasons = [
    'The text is the same as that of "board/layoffs.docx", which was seen earlier.',
    'The text has a similarity of 0.86 (limit 0.80) to "board/"layoffs", which\n was seen earlier.", which was seen earlier.',
    "The text is the same as that of a document with other readers, which was seen earlier.",
  ];
  for (const reason of reasons)
    await owner.db.execute(sql`insert into run_drops (run_id, workspace_id, stage, ref, code, reason)
      values (${runId}, ${workspaceId}, 'dedupe', 'copy', 'EXACT_DUPLICATE', ${reason})`);
  await owner.close();

  await migrateDatabase(place(test.ownerUrl), "anneal_app");
  const app = openDatabase(place(test.appUrl));
  try {
    const { rows } = await listDrops({ db: app.db, workspaceId }, runId, { limit: 10, offset: 0 });
    expect(rows.map(({ reason }) => reason)).toEqual([
      "The text is the same as that of a document that was seen earlier.",
      "The text has a similarity of 0.86 (limit 0.80) to that of a document that was seen earlier.",
      reasons[2],
    ]);
  } finally {
    await app.close();
  }
});
