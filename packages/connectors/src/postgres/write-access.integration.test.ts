import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestPostgres, type TestPostgres } from "../../conformance/start-test-postgres.ts";
import { testContext } from "../../conformance/test-context.ts";
import { postgresConfigSchema } from "./config.ts";
import { postgresConnector } from "./postgres-connector.ts";

describe("what a PostgreSQL user may write", () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startTestPostgres();
    await server.run("postgres", "CREATE DATABASE shop");
    await server.run(
      "shop",
      `CREATE TABLE article (id int PRIMARY KEY, body text); INSERT INTO article VALUES (1, 'x');
       CREATE VIEW shown AS SELECT * FROM article;
       CREATE VIEW counted AS SELECT count(*) AS n FROM article;
       CREATE SEQUENCE ticket;
       CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere;
       CREATE FOREIGN TABLE distant (id int) SERVER elsewhere;
       CREATE SCHEMA closed; CREATE TABLE closed.log (id int); GRANT DELETE ON closed.log TO PUBLIC`,
    );
  });
  afterAll(() => server.stop());

  let count = 0;
  /** @param grants with % where the user's name belongs */
  const check = async (grants: string, allowWritableUser = false) => {
    const user = `reader_${(count += 1)}`;
    const make = `CREATE ROLE ${user} LOGIN PASSWORD 'pw'; GRANT SELECT ON article, shown TO ${user};`;
    await server.run("shop", make + grants.replaceAll("%", user));
    const config = { host: "127.0.0.1", port: server.port, allowPrivateHosts: true, database: "shop", user };
    const tables = [{ name: "article" }];
    const parsed = postgresConfigSchema.parse({ ...config, tables, allowWritableUser });
    const { checks, error } = await postgresConnector.check(parsed, { password: "pw" }, testContext());
    const found = checks.find(({ capability }) => capability === "read-only");
    return { user, status: found?.status, message: found?.message, error, action: error?.action ?? "" };
  };

  it.each([
    [
      "a table's columns",
      "GRANT UPDATE (body) ON article TO %",
      "REVOKE UPDATE (body) ON TABLE public.article FROM %;",
    ],
    ["a view that passes it on", "GRANT INSERT ON shown TO %", "REVOKE INSERT ON TABLE public.shown FROM %;"],
    ["a foreign table", "GRANT DELETE ON distant TO %", "REVOKE DELETE ON TABLE public.distant FROM %;"],
    ["a sequence", "GRANT USAGE ON SEQUENCE ticket TO %", "REVOKE USAGE ON SEQUENCE public.ticket FROM %;"],
    ["a schema", "GRANT CREATE ON SCHEMA public TO %", "REVOKE CREATE ON SCHEMA public FROM %;"],
    ["the database", "GRANT CREATE ON DATABASE shop TO %", "REVOKE CREATE ON DATABASE shop FROM %;"],
    ["what it owns", "CREATE TABLE of_% (id int); ALTER TABLE of_% OWNER TO %", "ALTER TABLE public.of_% OWNER TO"],
    [
      "a role that it has to switch to",
      "CREATE ROLE w_%; GRANT UPDATE ON article TO w_%; GRANT w_% TO % WITH INHERIT FALSE, SET TRUE",
      "REVOKE w_% FROM %; (which brings UPDATE ON TABLE public.article)",
    ],
    [
      "a role that it may give itself",
      "CREATE ROLE w_%; GRANT UPDATE ON article TO w_%; GRANT w_% TO % WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
      "REVOKE w_% FROM %;",
    ],
    [
      "a role behind another",
      "CREATE ROLE w_%; CREATE ROLE m_%; GRANT UPDATE ON article TO w_%; GRANT w_% TO m_%; GRANT m_% TO %",
      "REVOKE m_% FROM %; (which brings UPDATE ON TABLE public.article)",
    ],
    ["the server's files", "GRANT pg_write_server_files TO %", "REVOKE pg_write_server_files FROM %;"],
    ["the server's programs", "GRANT pg_execute_server_program TO %", "REVOKE pg_execute_server_program FROM %;"],
    ["all data", "GRANT pg_write_all_data TO %", "REVOKE pg_write_all_data FROM %;"],
    ["everything", "ALTER ROLE % SUPERUSER", "ALTER ROLE % NOSUPERUSER;"],
    ["other roles", "ALTER ROLE % CREATEROLE", "ALTER ROLE % NOCREATEROLE;"],
  ])("sees the right to %s, and says how to take it away", async (_, grants, remedy) => {
    const { user, status, error, action } = await check(grants);
    expect([status, error?.code]).toEqual(["missing", "FORBIDDEN"]);
    expect(action).toContain(remedy.replaceAll("%", user));
    expect(action).toContain("CREATE ROLE anneal_reader");
  });

  it.each([
    ["reads", ""],
    ["may use what nothing can be written through", "GRANT ALL ON counted TO %"],
    [
      "is in a role that only reads",
      "CREATE ROLE s_%; GRANT SELECT ON ALL TABLES IN SCHEMA public TO s_%; GRANT s_% TO %",
    ],
    [
      "is in a role that it can neither use nor give itself",
      "CREATE ROLE w_%; GRANT UPDATE ON article TO w_%; GRANT w_% TO % WITH INHERIT FALSE, SET FALSE",
    ],
  ])("says of a user that only %s that it can only read", async (_, grants) => {
    const { user, status, message } = await check(grants);
    expect([status, message]).toEqual(["ok", `User "${user}" can only read.`]);
  });

  it("names what everybody may do as such, as in servers of before 15, and asks for no other user", async () => {
    await server.run("shop", "GRANT CREATE ON SCHEMA public TO PUBLIC");
    const { action } = await check("");
    await server.run("shop", "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    expect(action).toBe(
      "REVOKE CREATE ON SCHEMA public FROM PUBLIC; Or confirm that a user that can write is accepted.",
    );
  });

  it("names some of many rights, and counts the rest", async () => {
    const tables = Array.from({ length: 70 }, (_, index) => `CREATE TABLE many.t${index} (id int);`).join(" ");
    const { action } = await check(
      `CREATE SCHEMA many; GRANT USAGE ON SCHEMA many TO %; ${tables} GRANT ALL ON ALL TABLES IN SCHEMA many TO %`,
    );
    expect(action.match(/REVOKE/g)).toHaveLength(10);
    expect(action).toContain("And 60 more such rights.");
  });

  it("does not say that a user can only read where the server refuses to tell", async () => {
    const catalogue = "EXECUTE ON FUNCTION pg_relation_is_updatable(regclass, boolean)";
    await server.run("shop", `REVOKE ${catalogue} FROM PUBLIC`);
    try {
      const { user, status, error } = await check("");
      expect([status, error?.code]).toEqual(["missing", "FORBIDDEN"]);
      expect(error?.message).toContain(`It is not known whether user "${user}" can write`);
      const confirmed = await check("", true);
      expect([confirmed.status, confirmed.error]).toEqual(["warning", null]);
      expect(confirmed.message).toContain("It is not known whether");
    } finally {
      await server.run("shop", `GRANT ${catalogue} TO PUBLIC`);
    }
  });
});
