import { randomUUID } from "node:crypto";
import { principalKey, type Principal } from "@anneal/core/access/acl";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { sql } from "drizzle-orm";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { afterAll, beforeAll, expect, it } from "vitest";
import { migrationsBefore } from "../testing/migrations-before.ts";
import { startTestDatabase, type TestDatabase } from "../testing/start-test-database.ts";
import { openDatabase, type Scope } from "./database.ts";
import { migrateDatabase } from "./migrate.ts";
import { listHeldPrincipals, replaceDirectory } from "./queries/directory.ts";

let test: TestDatabase;

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());

it("whoever left a group with a long name no longer holds it, though the group was stored before its key was a digest", async () => {
  const place = (url: string) => new URL("/before", url).href;
  const server = openDatabase(test.ownerUrl);
  await server.db.execute(sql`create database before`);
  await server.close();

  const [workspaceId, first, second] = [randomUUID(), randomUUID(), randomUUID()];
  const named = (kind: "user" | "group", id: string): Principal => ({ source: "sharepoint", tenant: "t", kind, id });
  // They could be stored because they compress well.
  const [ann, group] = [named("user", "ann".repeat(400)), named("group", "all ".repeat(400))];
  const owner = openDatabase(place(test.ownerUrl));
  await migrate(owner.db, { migrationsFolder: await migrationsBefore("0022_long_principals", test.dir) });
  await owner.db.execute(sql`insert into workspaces (id, slug, name) values (${workspaceId}, 'w', 'W')`);
  for (const id of [first, second])
    await owner.db.execute(sql`insert into sources (id, workspace_id, name, kind, config, default_acl)
      values (${id}, ${workspaceId}, ${id}, 'file', '{}', '{"allow":[],"deny":[]}')`);
  const key = principalKey(ann);
  await owner.db
    .execute(sql`insert into directory_users (workspace_id, source_id, key, principal, name, email, enumeration)
    values (${workspaceId}, ${first}, ${key}, ${JSON.stringify(ann)}, 'Ann', 'ann@example.com', ${randomUUID()})`);
  await owner.db
    .execute(sql`insert into directory_members (workspace_id, source_id, group_key, "group", group_name, member_key, enumeration)
    values (${workspaceId}, ${first}, ${principalKey(group)}, ${JSON.stringify(group)}, 'All', ${key}, ${randomUUID()})`);
  await owner.close();

  await migrateDatabase(place(test.ownerUrl), "anneal_app");
  const app = openDatabase(place(test.appUrl));
  try {
    const scope: Scope = { db: app.db, workspaceId };
    expect(await listHeldPrincipals(scope, "ann@example.com")).toEqual([ann, group]);
    const empty: DirectoryEntry = { type: "group", principal: group, name: "All", members: [] };
    await replaceDirectory(
      scope,
      second,
      (async function* () {
        yield empty;
      })(),
    );
    expect(await listHeldPrincipals(scope, "ann@example.com")).toEqual([ann]);
  } finally {
    await app.close();
  }
});
