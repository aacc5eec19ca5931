import { createServer } from "node:net";
import { mayRead } from "@anneal/core/access/acl";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Who } from "../../conformance/describe-permissions.ts";
import { describeTables, expectProgressOfNotes, ownersOf, tableHarness } from "../../conformance/describe-tables.ts";
import { FakeMssql, rowversion } from "../../conformance/fake-mssql/start-fake-mssql.ts";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { longTitle } from "../../conformance/long-names.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { startRelay } from "../../conformance/start-relay.ts";
import { testContext } from "../../conformance/test-context.ts";
import { defaultLimits } from "../connector.ts";
import { mssqlConfigSchema } from "./config.ts";
import { mssqlConnector } from "./mssql-connector.ts";

describe("with a server that speaks TDS", () => {
  const server = new FakeMssql();
  beforeAll(() => server.start());
  afterAll(() => server.stop());
  beforeEach(() => {
    server.databases.clear();
    server.logins.clear();
    server.statements.length = 0;
    server.attempts.length = 0;
    const none = { roles: ["db_datareader"], databasePermissions: ["CONNECT", "SELECT"], objectPermissions: [] };
    server.logins.set("reader", { password: "reader-password", ...none });
  });
  const configOf = (config: Record<string, unknown> = {}) =>
    mssqlConfigSchema.parse({
      host: "127.0.0.1",
      allowPrivateHosts: true,
      port: server.port,
      database: "shop",
      user: "reader",
      ...config,
    });
  const secrets = { password: "reader-password" };
  const context = testContext();
  const sync = async (target: MemoryTarget, config: Record<string, unknown> = {}) => {
    const request = {
      config: configOf(config),
      secrets,
      cursor: target.cursor,
      journal: target.journal(),
      known: target.known(),
      context,
    };
    await target.apply(mssqlConnector.read(request));
    return target;
  };

  const createHarness = async (watermark: string | null, owner: string | null) => {
    const database = server.create("shop");
    database.exec(
      `CREATE TABLE page (path nvarchar(700) PRIMARY KEY, body "nvarchar(max)", owners "nvarchar(max)", changed datetime2);
       CREATE TABLE person (id nvarchar(20) PRIMARY KEY, email nvarchar(200));
       INSERT INTO person VALUES ('u-ann', 'ann@example.org'), ('u-bob', 'bob@example.org'), ('u-eve', 'eve@example.org')`,
    );
    const relay = await startRelay(server.port);
    const change = async (changes: { password?: string; refusal?: number }) => {
      const login = server.logins.get("reader")!;
      server.logins.set("reader", { ...login, ...changes });
      return async () => void server.logins.set("reader", login);
    };
    let aheadMs = 0;
    const now = () => new Date(Date.now() + aheadMs).toISOString().replace("T", " ").replace("Z", "");
    const run = async (sql: string, ...values: (string | null)[]) => void database.prepare(sql).run(...values);
    const setOwners = (path: string, owners: string) => run("UPDATE page SET owners = ? WHERE path = ?", owners, path);
    const tablesOf = (...names: string[]) => names.map((table) => ({ name: table, watermark, owner }));
    const config = configOf({
      port: relay.port,
      tables: tablesOf("page"),
      peopleQuery: "SELECT id, email FROM person",
    });
    return {
      ...tableHarness,
      connector: mssqlConnector,
      config,
      relay,
      lockOuts: {
        "its password is another one": () => change({ password: "another-password" }),
        "it is disabled": () => change({ refusal: 18470 }),
        "its password has expired": () => change({ refusal: 18487 }),
      },
      secrets,
      put: (path: string, text: string) =>
        run(
          `INSERT INTO page (path, body, changed) VALUES (?, ?, ?)
           ON CONFLICT (path) DO UPDATE SET body = excluded.body, changed = excluded.changed`,
          path,
          text,
          now(),
        ),
      async addParts(count: number) {
        const names = Array.from({ length: count }, (_, index) => `part_${index}`);
        for (const part of names)
          database.exec(
            `CREATE TABLE ${part} (path nvarchar(700) PRIMARY KEY, body "nvarchar(max)", owners "nvarchar(max)", changed datetime2); INSERT INTO ${part} SELECT * FROM page LIMIT 1`,
          );
        config.tables = configOf({ tables: tablesOf("page", ...names) }).tables;
      },
      remove: (path: string) => run("DELETE FROM page WHERE path = ?", path),
      move: (from: string, to: string) => run("UPDATE page SET path = ?, changed = ? WHERE path = ?", to, now(), from),
      async breakItem(path: string) {
        await run("UPDATE page SET body = ?, changed = ? WHERE path = ?", "x".repeat(2_000_000), now(), path);
        const healed = "Rinse the filter under cold water.";
        return () => run("UPDATE page SET body = ?, changed = ? WHERE path = ?", healed, now(), path);
      },
      async vanish() {
        server.databases.delete("shop");
        return () => Promise.resolve(void server.databases.set("shop", database));
      },
      setClock: async (ms: number) => void (aheadMs = ms),
      // A clustered index takes keys of 900 bytes, two to a character.
      names: { controls: "\t\n\u0001\u007f", longest: [longTitle(450)] },
      async close() {
        await relay.stop();
        database.close();
      },
      share: (path: string, allow: readonly Who[]) => setOwners(path, JSON.stringify(ownersOf(allow))),
      async breakPermissions(path: string) {
        await setOwners(path, '["u-ann"');
        return () => setOwners(path, '["u-ann"]');
      },
    };
  };

  describeTables("mssql", "changed", createHarness);

  describe("mssqlConnector", () => {
    it("pages through a table by a key of two columns, one of them larger than a double can tell apart", async () => {
      const database = server.create("shop");
      database.exec(
        `CREATE TABLE big (a nvarchar(9), b bigint, c varbinary(8), PRIMARY KEY (a, b, c));
         WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 5000)
         INSERT INTO big SELECT char(65 + i % 7), 9223372036854775807 - i, x'00ff' FROM s`,
      );
      const target = await sync(new MemoryTarget(), { tables: [{ name: "big" }] });
      expect(target.documents.size).toBe(5000);
      expect(target.failures).toEqual([]);
      expect([...target.documents.keys()].filter((ref) => ref.endsWith(",00FF")).length).toBe(5000);
    });

    it("tells about how many rows there are while it reads all of them, and of a query only that it does", async () => {
      server.create("shop").exec(
        `CREATE TABLE note (id int PRIMARY KEY, version int);
         WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 700) INSERT INTO note SELECT i, i FROM s`,
      );
      await expectProgressOfNotes(sync);
    });

    it("reads a query behind WITH, and refuses whatever is not one SELECT before it reaches the server", async () => {
      server
        .create("shop")
        .exec("CREATE TABLE item (id int PRIMARY KEY, kind nvarchar(9)); INSERT INTO item VALUES (1, 'a')");
      const query = (sql: string) => ({ queries: [{ name: "q", sql }] });
      const target = await sync(
        new MemoryTarget(),
        query("WITH some AS (SELECT id, kind FROM item) SELECT id, kind FROM some -- all"),
      );
      expect([...target.documents.keys()]).toEqual(["q/1"]);
      server.statements.length = 0;
      for (const sql of [
        "DELETE FROM item",
        "SELECT id INTO copy FROM item",
        "SELECT 1 AS id; DROP TABLE item",
        "SELECT 1 AS id) AS q; DROP TABLE item; SELECT * FROM (SELECT 1 AS id",
        "EXEC sp_who",
        "WITH x AS (SELECT 1 AS id) DELETE FROM item",
        "SELECT * FROM OPENROWSET('x', 'y', 'z')",
      ]) {
        await expect(sync(new MemoryTarget(), query(sql)), sql).rejects.toMatchObject({ name: "AnnealError" });
      }
      expect(
        server.statements.filter((statement) => !/USER_NAME|fn_my_permissions|^begin$|^rollback$/.test(statement)),
      ).toEqual([]);
    });

    it("ends the same when killed within a query's result and resumed", async () => {
      server.create("shop").exec(
        `CREATE TABLE item (id int PRIMARY KEY, body nvarchar(500));
         WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 20000)
         INSERT INTO item SELECT i, hex(zeroblob(200)) FROM s`,
      );
      const config = { queries: [{ name: "items", sql: "SELECT id, body FROM item" }] };
      const target = new MemoryTarget();
      const request = { config: configOf(config), secrets, cursor: null, known: target.known(), context };
      expect(await target.apply(mssqlConnector.read(request), { at: 1500, write: "done" })).toBe("killed");
      await sync(target, config);
      expect(target.documents.size).toBe(20_000);
    });

    it("goes back for rows whose transaction was open while later ones were read", async () => {
      const database = server.create("shop");
      database.exec("CREATE TABLE note (id int PRIMARY KEY, body nvarchar(9), version timestamp)");
      const put = database.prepare("INSERT OR REPLACE INTO note VALUES (?, ?, ?)");
      const config = { tables: [{ name: "note", watermark: "version" }] };
      put.run(1, "one", rowversion(10));
      put.run(2, "two", rowversion(12));
      server.minActiveRowversion = 11;
      const target = await sync(new MemoryTarget(), config);
      put.run(3, "three", rowversion(11));
      put.run(1, "too old to notice", rowversion(10));
      server.minActiveRowversion = 13;
      await sync(target, config);
      expect(target.opened).toEqual(["note/3"]);
      put.run(4, "four", rowversion(14));
      await sync(target, config);
      expect(target.opened).toEqual(["note/4"]);
      // One that went back, as in a restored database, has the table read whole.
      put.run(2, "back", rowversion(11));
      await sync(target, config);
      expect(target.opened).toEqual(["note/1", "note/2"]);
    });

    it("knows people by ids and addresses of char(n), which the server fills up with spaces", async () => {
      server.create("shop").exec(
        `CREATE TABLE person (id "char(8)" PRIMARY KEY, email "char(30)");
         INSERT INTO person VALUES ('u-ann   ', 'ann@example.org               '), ('u-bob   ', 'bob@example.org               '),
           ('["u-ann"]', 'eve@example.org               ');
         CREATE TABLE item (id int PRIMARY KEY, owner "char(8)"); INSERT INTO item VALUES (1, 'u-ann   ')`,
      );
      const settings = { tables: [{ name: "item", owner: "owner" }], peopleQuery: "SELECT id, email FROM person" };
      const config = configOf(settings);
      const target = await sync(new MemoryTarget(), settings);
      const directory = await MemoryDirectory.read(mssqlConnector.readDirectory!({ config, secrets, context }));
      const readers = ["ann", "bob", "eve"].filter((person) =>
        mayRead(target.documents.get("item/1")?.item.acl, directory.heldBy(`${person}@example.org`)),
      );
      expect(readers).toEqual(["ann"]);
    });

    it("stops when it is cancelled while the server thinks", async () => {
      server.create("shop").exec("CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1)");
      const abort = new AbortController();
      server.silence = { text: "TOP (100)", asked: () => abort.abort() };
      const known = new MemoryTarget().known();
      const config = configOf({ tables: [{ name: "item" }] });
      const request = { config, secrets, cursor: null, known, context: { ...context, signal: abort.signal } };
      await expect(new MemoryTarget().apply(mssqlConnector.read(request))).rejects.toThrow("aborted");
      server.silence = null;
    });

    it("asks for no statement that is not a SELECT", async () => {
      const harness = await createHarness("changed", "owners");
      await harness.put("a.md", "A");
      const target = new MemoryTarget();
      const request = { config: harness.config, secrets, known: target.known(), context };
      await harness.connector.check(harness.config, secrets, context);
      await target.apply(harness.connector.read({ ...request, cursor: null }));
      await target.apply(harness.connector.read({ ...request, cursor: target.cursor }));
      expect(server.statements.length).toBeGreaterThan(4);
      for (const statement of server.statements) expect(statement).toMatch(/^(?:SELECT |begin$|rollback$)/);
      // One after the other, each undone.
      for (const [index, statement] of server.statements.entries()) {
        expect(statement).toMatch([/^begin$/, /^SELECT /, /^rollback$/][index % 3]!);
      }
      expect(server.attempts.every(({ readOnlyIntent }) => readOnlyIntent)).toBe(true);
    });

    it("refuses a user that can write until that is confirmed, and names what to take away", async () => {
      server.create("shop").exec("CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1)");
      const refusal = async (login: {
        roles?: string[];
        databasePermissions?: string[];
        objectPermissions?: [string, string, string?][];
        serverPermissions?: string[];
      }) => {
        const none = { roles: [], databasePermissions: ["CONNECT"], objectPermissions: [] };
        server.logins.set("writer", { password: "writer-password", ...none, ...login });
        const keys = { password: "writer-password" };
        const result = await mssqlConnector.check(configOf({ user: "writer" }), keys, context);
        expect(result.checks.find(({ capability }) => capability === "read-only")?.status).toBe("missing");
        const confirmed = configOf({ user: "writer", allowWritableUser: true });
        expect((await mssqlConnector.check(confirmed, keys, context)).error).toBeNull();
        expect(result.error?.code).toBe("FORBIDDEN");
        return result.error?.action;
      };
      expect(await refusal({ roles: ["db_datawriter"] })).toContain("ALTER ROLE db_datawriter DROP MEMBER [writer]");
      expect(await refusal({ roles: ["sysadmin"] })).toContain("CREATE LOGIN anneal_reader");
      expect(await refusal({ databasePermissions: ["CONNECT", "INSERT", "CREATE TABLE"] })).toContain(
        "REVOKE INSERT, CREATE TABLE FROM [writer]",
      );
      expect(await refusal({ objectPermissions: [["UPDATE", "[dbo].[item]"]] })).toContain(
        "REVOKE UPDATE ON [dbo].[item] FROM [writer]",
      );
      // A column alone; of a table as a whole each column is told as well.
      expect(await refusal({ objectPermissions: [["UPDATE", "[dbo].[item]", "[id]"]] })).toContain(
        "REVOKE UPDATE ON [dbo].[item] ([id]) FROM [writer];",
      );
      const whole = await refusal({
        objectPermissions: [
          ["UPDATE", "[dbo].[item]"],
          ["UPDATE", "[dbo].[item]", "[id]"],
        ],
      });
      expect(whole).not.toContain("[id]");
      expect(await refusal({ objectPermissions: [["UPDATE", "[dbo].[ticket]"]] })).toContain("[dbo].[ticket]");
      expect(await refusal({ objectPermissions: [["EXECUTE", "SCHEMA::[dbo]"]] })).toContain(
        "REVOKE EXECUTE ON SCHEMA::[dbo] FROM [writer];",
      );
      expect(await refusal({ databasePermissions: ["CONNECT", "EXECUTE"] })).toContain("REVOKE EXECUTE FROM [writer];");
      expect(await refusal({ databasePermissions: ["CONNECT", "ADMINISTER DATABASE BULK OPERATIONS"] })).toContain(
        "REVOKE ADMINISTER DATABASE BULK OPERATIONS",
      );
      expect(await refusal({ serverPermissions: ["CONNECT SQL", "IMPERSONATE ANY LOGIN"] })).toContain(
        "USE master; REVOKE IMPERSONATE ANY LOGIN FROM the login of [writer];",
      );
      const many = Array.from({ length: 70 }, (_, index): [string, string] => ["DELETE", `[dbo].[t${index}]`]);
      expect(await refusal({ objectPermissions: many })).toContain("And 60 more such rights.");
    });

    it("says of a user that it can only read who holds what every user does, and what reads", async () => {
      server.create("shop").exec("CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1)");
      server.logins.set("reader", {
        password: "reader-password",
        roles: [],
        databasePermissions: ["CONNECT", "VIEW ANY COLUMN MASTER KEY DEFINITION", "SHOWPLAN"],
        objectPermissions: [
          ["SELECT", "SCHEMA::[dbo]"],
          ["SELECT", "[dbo].[item]"],
          ["REFERENCES", "[dbo].[item]", "[id]"],
          ["VIEW DEFINITION", "[dbo].[item]"],
        ],
      });
      const { checks } = await mssqlConnector.check(configOf(), secrets, context);
      expect(checks).toContainEqual({
        capability: "read-only",
        status: "ok",
        message: 'User "reader" can only read.',
      });
    });

    it("does not say that a user can only read where the server tells nothing of it", async () => {
      server.create("shop").exec("CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1)");
      const nothing = { roles: [], databasePermissions: [], objectPermissions: [] };
      server.logins.set("reader", { password: "reader-password", ...nothing });
      expect((await mssqlConnector.check(configOf(), secrets, context)).error).toMatchObject({
        code: "FORBIDDEN",
        message:
          'It is not known whether user "reader" can write, so it is not used: the server does not tell what it may do.',
      });
    });

    it("names what is wrong in check()", async () => {
      server.create("shop").exec("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1)");
      const codeOf = async (config: Record<string, unknown>, keys: { password?: string } = secrets) =>
        (await mssqlConnector.check(configOf(config), keys, context)).error?.code;
      expect(await codeOf({})).toBeUndefined();
      expect(await codeOf({}, { password: "wrong-password" })).toBe("SOURCE_CREDENTIALS");
      expect(await codeOf({ database: "missing" })).toBe("SOURCE_NOT_FOUND");
      expect(await codeOf({ tables: [{ name: "missing" }] })).toBe("SOURCE_NOT_FOUND");
      expect(await codeOf({ tables: [{ name: "a", title: "nope" }] })).toBe("INVALID_INPUT");
      expect(await codeOf({ queries: [{ name: "q", sql: "SELECT 1 FROM" }] })).toBe("INVALID_INPUT");
    });
  });

  describe("its connection", () => {
    const limits = { ...defaultLimits, requestTimeoutMs: 300 };
    const codeOf = async (config: Record<string, unknown>) =>
      (await mssqlConnector.check(configOf(config), secrets, { ...context, limits })).error?.code;

    it("does not send the password in the clear where encryption is required", async () => {
      server.create("shop").exec("CREATE TABLE a (id int PRIMARY KEY)");
      for (const tls of ["require", "verify"]) expect(await codeOf({ tls })).toBe("SOURCE_UNREACHABLE");
      expect(server.attempts).toEqual([]);
      for (const tls of ["prefer", "disable"]) expect(await codeOf({ tls })).toBeUndefined();
      expect(server.attempts.length).toBeGreaterThan(1);
    });

    it("is refused to addresses that sources may not use, and says when nothing answers", async () => {
      expect(await codeOf({ host: "169.254.169.254" })).toBe("SOURCE_FORBIDDEN");
      expect(await codeOf({ host: "localhost", allowPrivateHosts: false })).toBe("SOURCE_FORBIDDEN");
      expect(await codeOf({ host: "127.0.0.1", port: 9 })).toBe("SOURCE_UNREACHABLE");
      expect(await codeOf({ host: "nowhere.invalid" })).toBe("SOURCE_UNREACHABLE");
    });

    it("gives up on a server that accepts and then says nothing", async () => {
      const silent = createServer(() => {});
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
      const { port } = silent.address() as { port: number };
      expect(await codeOf({ host: "127.0.0.1", port })).toBe("SOURCE_UNREACHABLE");
      silent.close();
    });
  });
});
