import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findMariadb, startMariadb } from "../../conformance/start-mariadb.ts";
import { startTestPostgres } from "../../conformance/start-test-postgres.ts";
import { testContext } from "../../conformance/test-context.ts";
import type { CheckResult } from "../connector.ts";
import { mysqlConfigSchema } from "../mysql/config.ts";
import { mysqlConnector } from "../mysql/mysql-connector.ts";
import { postgresConfigSchema } from "../postgres/config.ts";
import { postgresConnector } from "../postgres/postgres-connector.ts";

/** The statements of a chapter of the set-up guide, word for word: of its first block, or another. */
async function statementsOf(chapter: string, block = 0): Promise<string> {
  const guide = await readFile(join(import.meta.dirname, "../../../../docs/connectors/databases.md"), "utf8");
  const text = guide.split(`\n## ${chapter}\n`)[1]?.split("\n## ")[0] ?? "";
  const statements = [...text.matchAll(/```sql\n(.+?)```/gs)][block]?.[1];
  if (statements === undefined) throw new Error(`The chapter "${chapter}" has no such statements.`);
  return statements;
}

const secrets = { password: "change-me" };
const place = { host: "127.0.0.1", allowPrivateHosts: true, database: "shop", user: "anneal_reader" };

function expectReadOnly({ checks, summary, error }: CheckResult): void {
  expect(error).toBeNull();
  expect(summary).toContain('1 row in "article"');
  expect(checks).toContainEqual({
    capability: "read-only",
    status: "ok",
    message: 'User "anneal_reader" can only read.',
  });
}

describe("the user that the set-up guide makes", () => {
  it("reads a PostgreSQL, also tables of later, and can write nothing", async () => {
    const server = await startTestPostgres();
    try {
      await server.run("postgres", "CREATE DATABASE shop");
      await server.run("shop", "CREATE TABLE article (id int PRIMARY KEY); INSERT INTO article VALUES (1)");
      // As every database has it that a server of before 15 made.
      await server.run("shop", "GRANT CREATE ON SCHEMA public TO PUBLIC");
      await server.run("shop", await statementsOf("PostgreSQL"));
      await server.run("shop", "CREATE TABLE later (id int PRIMARY KEY)");
      const config = postgresConfigSchema.parse({ ...place, port: server.port });
      const result = await postgresConnector.check(config, secrets, testContext());
      expectReadOnly(result);
      expect(result.summary).toContain('"later"');
    } finally {
      await server.stop();
    }
  });

  const mariadb = findMariadb();
  it.skipIf(mariadb === null)("reads a MariaDB, and can write nothing", async () => {
    const server = await startMariadb(mariadb!);
    try {
      await server.run(null, "CREATE DATABASE shop");
      await server.run("shop", "CREATE TABLE article (id int PRIMARY KEY); INSERT INTO article VALUES (1)");
      await server.run(null, await statementsOf("MySQL and MariaDB"));
      const config = mysqlConfigSchema.parse({ ...place, port: server.port });
      expectReadOnly(await mysqlConnector.check(config, secrets, testContext()));
      // As a new server has it.
      await server.run(null, "GRANT ALL ON test.* TO PUBLIC; GRANT ALL ON `test\\_%`.* TO PUBLIC");
      expect((await mysqlConnector.check(config, secrets, testContext())).error).toMatchObject({ code: "FORBIDDEN" });
      await server.run(null, await statementsOf("MySQL and MariaDB", 1));
      expectReadOnly(await mysqlConnector.check(config, secrets, testContext()));
    } finally {
      await server.stop();
    }
  });
});
