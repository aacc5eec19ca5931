import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestDatabase, type TestDatabase } from "../testing/start-test-database.ts";
import { openDatabase, type DatabaseHandle } from "./database.ts";
import { isLocked } from "./lock.ts";

let test: TestDatabase;
let app: DatabaseHandle;
/** A superuser, who may end other connections. */
let owner: DatabaseHandle;

beforeAll(async () => {
  test = await startTestDatabase();
  app = openDatabase(test.appUrl);
  owner = openDatabase(test.ownerUrl);
});
afterAll(async () => {
  await app?.close();
  await owner?.close();
  await test?.stop();
});

describe("a lock", () => {
  const held = async (name: string) => {
    const { rows } = await test.db.execute<{ held: boolean }>(sql`select ${isLocked(sql`${name}::text`)} as held`);
    return rows[0]!.held;
  };

  it("is one holder's until it is released", async () => {
    const name = randomUUID();
    const taken = (await Promise.all(Array.from({ length: 6 }, () => app.tryLock(name)))).filter(
      (lock) => lock !== null,
    );
    expect(taken).toHaveLength(1);
    expect(await held(name)).toBe(true);
    expect(await held(`${name}-other`)).toBe(false);
    await taken[0]!.release();
    expect(await held(name)).toBe(false);
    await (await app.tryLock(name))!.release();
  });

  it("ends with its holder's connection, who learns of it", async () => {
    const name = randomUUID();
    const lock = (await app.tryLock(name))!;
    await owner.pool.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'anneal-lock'",
    );
    await expect.poll(() => lock.lost.aborted).toBe(true);
    await (await app.tryLock(name))!.release();
    await lock.release();
  });
});
