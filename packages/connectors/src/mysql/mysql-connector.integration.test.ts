import { createServer } from "node:net";
import type { Change } from "@anneal/core/connect/change";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Who } from "../../conformance/describe-permissions.ts";
import { describeTables, expectProgressOfNotes, ownersOf, tableHarness } from "../../conformance/describe-tables.ts";
import { hasOpenssl } from "../../conformance/has-openssl.ts";
import { longTitle } from "../../conformance/long-names.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { findMariadb, startMariadb, type TestMariadb } from "../../conformance/start-mariadb.ts";
import { startRelay } from "../../conformance/start-relay.ts";
import { testContext } from "../../conformance/test-context.ts";
import { defaultLimits } from "../connector.ts";
import { mysqlConfigSchema } from "./config.ts";
import { mysqlConnector } from "./mysql-connector.ts";

const program = findMariadb();

describe.skipIf(program === null)("with a real MariaDB", () => {
  let server: TestMariadb;
  let databaseCount = 0;
  let database = "";
  beforeAll(async () => {
    server = await startMariadb(program!);
    await server.run(null, "CREATE USER reader IDENTIFIED BY 'reader-password'");
  });
  afterAll(() => server.stop());

  const createDatabase = async () => {
    databaseCount += 1;
    database = `documents_${databaseCount}`;
    await server.run(null, `CREATE DATABASE ${database}; GRANT SELECT ON ${database}.* TO reader`);
    return database;
  };
  const configOf = (config: Record<string, unknown> = {}) =>
    mysqlConfigSchema.parse({
      host: "127.0.0.1",
      allowPrivateHosts: true,
      port: server.port,
      database,
      user: "reader",
      ...config,
    });
  const secrets = { password: "reader-password" };
  const context = testContext();
  const read = (target: MemoryTarget, config: Record<string, unknown> = {}): AsyncIterable<Change> =>
    mysqlConnector.read({
      config: configOf(config),
      secrets,
      cursor: target.cursor,
      journal: target.journal(),
      known: target.known(),
      context,
    });
  const sync = async (target: MemoryTarget, config: Record<string, unknown> = {}) => {
    await target.apply(read(target, config));
    return target;
  };
  const refs = (target: MemoryTarget) => [...target.documents.keys()].sort();

  const alterReader = async (away: string, back: string) => {
    await server.run(null, `ALTER USER reader ${away}`);
    return () => server.run(null, `ALTER USER reader ${back}`);
  };

  /** Pages in a table, with their owners and the people whom the owners' ids stand for. */
  const createHarness = async (watermark: string | null, owner: string | null) => {
    const name = await createDatabase();
    const relay = await startRelay(server.port);
    /** The server's clock, as far ahead of ours as it was set. */
    let aheadSeconds = 0;
    const now = () => `now(6) + INTERVAL ${aheadSeconds} SECOND`;
    await server.run(
      name,
      `CREATE TABLE page (path varchar(700) COLLATE utf8mb4_bin PRIMARY KEY, body longtext, owners json,
         updated_at datetime(6) NOT NULL DEFAULT now(6)) CHARACTER SET utf8mb4;
       CREATE TABLE person (id varchar(20) PRIMARY KEY, email varchar(200));
       INSERT INTO person VALUES ('u-ann', 'ann@example.org'), ('u-bob', 'bob@example.org'), ('u-eve', 'eve@example.org')`,
    );
    const setOwners = (path: string, owners: unknown) =>
      server.run(name, "UPDATE page SET owners = ? WHERE path = ?", [JSON.stringify(owners), path]);
    const tablesOf = (...names: string[]) => names.map((table) => ({ name: table, watermark, owner }));
    const config = configOf({
      port: relay.port,
      tables: tablesOf("page"),
      peopleQuery: "SELECT id, email FROM person",
    });
    return {
      ...tableHarness,
      connector: mysqlConnector,
      config,
      relay,
      // The server itself leaves an open session as it is, until somebody kills it.
      lockOuts: {
        "its password is another one": () =>
          alterReader("IDENTIFIED BY 'another-password'", "IDENTIFIED BY 'reader-password'"),
        "it is locked": () => alterReader("ACCOUNT LOCK", "ACCOUNT UNLOCK"),
        "its password has expired": () => alterReader("PASSWORD EXPIRE", "IDENTIFIED BY 'reader-password'"),
      },
      secrets,
      put: (path: string, text: string) =>
        server.run(
          name,
          `INSERT INTO page (path, body, updated_at) VALUES (?, ?, ${now()})
           ON DUPLICATE KEY UPDATE body = VALUES(body), updated_at = VALUES(updated_at)`,
          [path, text],
        ),
      async addParts(count: number) {
        const names = Array.from({ length: count }, (_, index) => `part_${index}`);
        for (const part of names)
          await server.run(name, `CREATE TABLE ${part} LIKE page; INSERT INTO ${part} SELECT * FROM page LIMIT 1`);
        config.tables = configOf({ tables: tablesOf("page", ...names) }).tables;
      },
      remove: (path: string) => server.run(name, "DELETE FROM page WHERE path = ?", [path]),
      move: (from: string, to: string) =>
        server.run(name, "UPDATE page SET path = ?, updated_at = now(6) WHERE path = ?", [to, from]),
      async breakItem(path: string) {
        const update = "UPDATE page SET body = repeat(?, ?), updated_at = now(6) WHERE path = ?";
        await server.run(name, update, ["x", "2000000", path]);
        return () => server.run(name, update, ["Rinse the filter under cold water.", "1", path]);
      },
      async vanish() {
        await server.run(
          null,
          `CREATE DATABASE ${name}_away; RENAME TABLE ${name}.page TO ${name}_away.page; DROP DATABASE ${name}`,
        );
        return () => server.run(null, `CREATE DATABASE ${name}; RENAME TABLE ${name}_away.page TO ${name}.page`);
      },
      setClock: async (aheadMs: number) => void (aheadSeconds = aheadMs / 1000),
      // The column's own length; an entry of an index has at most 3,072 bytes.
      names: { controls: "\t\n\u0001\u007f", longest: [longTitle(700)] },
      async close() {
        await relay.stop();
        await server.run(null, `DROP DATABASE IF EXISTS ${name}; DROP DATABASE IF EXISTS ${name}_away`);
      },
      share: (path: string, allow: readonly Who[]) => setOwners(path, ownersOf(allow)),
      async breakPermissions(path: string) {
        await setOwners(path, { team: ["u-ann"] });
        return () => setOwners(path, ["u-ann"]);
      },
    };
  };

  describeTables("mysql", "updated_at", createHarness);

  describe("mysqlConnector", () => {
    beforeEach(async () => {
      await createDatabase();
    });

    it("renders every column by its name and type, and leaves out nulls and binaries", async () => {
      await server.run(
        database,
        `CREATE TABLE device (id int PRIMARY KEY, name text, madeOn date, checked_at timestamp(3) NULL, built datetime,
           spec json, weight_kg decimal(6,2), active bool, flags bit(4), size enum('small', 'large'), serial bigint unsigned,
           tag uuid, photo blob, code varbinary(8), place point, note text, missing text) CHARACTER SET utf8mb4;
         SET time_zone = '+02:00';
         INSERT INTO device VALUES (7, 'Pump  7', '2024-02-29', '2024-03-01 12:30:00.5', '2020-05-06 07:08:09',
           '{"bar": 4.5}', 12.50, true, b'0101', 'large', 18446744073709551615, '123e4567-e89b-12d3-a456-426614174000',
           x'00ff', x'00ff', POINT(1, 2), 'First line.\\nSecond line.', NULL)`,
      );
      const target = await sync(new MemoryTarget());
      const stored = target.documents.get("device/7")!;
      expect(stored.text).toBe(
        [
          "# Pump 7",
          "Id: 7",
          "Made on: 2024-02-29",
          "Checked at: 2024-03-01T10:30:00.500Z",
          "Built: 2020-05-06T07:08:09",
          'Spec: {"bar": 4.5}',
          "Weight kg: 12.50",
          "Active: 1",
          "Flags: 5",
          "Size: large",
          "Serial: 18446744073709551615",
          "Tag: 123e4567-e89b-12d3-a456-426614174000",
          "## Note\n\nFirst line.\nSecond line.\n",
        ].join("\n\n"),
      );
      expect(stored.item).toMatchObject({ title: "Pump 7", mediaType: "text/markdown", acl: null });
      expect(stored.item.uri).toBe(`mysql://127.0.0.1:${server.port}/${database}/device?id=7`);
    });

    it("finds the tables of the database by itself, and says which one has no key", async () => {
      await server.run(
        database,
        `CREATE TABLE a (x int, y varchar(10), PRIMARY KEY (y, x)) CHARACTER SET utf8mb4; INSERT INTO a VALUES (1, 'ü/,');
         CREATE TABLE b (x int); INSERT INTO b VALUES (1); CREATE VIEW c AS SELECT 1 AS id`,
      );
      const target = await sync(new MemoryTarget());
      expect(refs(target)).toEqual(["a/%C3%BC%2F%2C,1"]);
      expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["b/", "INVALID_INPUT"]]);
    });

    it("pages through a large table by its key, in any collation and beyond what a double can tell apart", async () => {
      await server.run(
        database,
        `CREATE TABLE big (a varchar(3) COLLATE utf8mb4_general_ci, b bigint unsigned, c timestamp(6), body text,
           PRIMARY KEY (a, b, c)) CHARACTER SET utf8mb4;
         INSERT INTO big SELECT char(65 + seq % 25), 18446744073709551615 - seq, '2024-01-01 00:00:00.000001',
           repeat('x', 1000) FROM seq_1_to_20000`,
      );
      const target = await sync(new MemoryTarget());
      expect(target.documents.size).toBe(20_000);
      await sync(target);
      expect(target.opened).toEqual([]);
      expect(target.documents.size).toBe(20_000);
    });

    it.each([
      ["binary(2)", "unhex(lpad(hex(seq), 4, '0'))"],
      ["date", "date '2024-01-01' + interval seq day"],
      ["datetime(6)", "timestamp'2024-01-01 00:00:00' + interval seq microsecond"],
      ["decimal(30, 10)", "seq + 123456789012345678.0000000001"],
      ["double", "seq / 7e0"],
      ["float", "seq / 7e0"],
      ["time(3)", "maketime(seq % 800, 0, 0.001)"],
      [
        "uuid",
        "cast(concat(lpad(hex(seq * 99991 % 65536), 8, '0'), '-0000-0000-0000-', lpad(hex(seq), 12, '0')) as uuid)",
      ],
      ["enum('z', 'a', 'm')", "elt(seq, 'a', 'z', 'm')"],
      ["bit(12)", "seq"],
      ["year", "1950 + seq"],
    ])("reads every row whose key is a %s", async (type, expression) => {
      await server.run(
        database,
        `CREATE TABLE t (id ${type} PRIMARY KEY); INSERT IGNORE INTO t SELECT ${expression} FROM seq_1_to_700 WHERE ${expression} IS NOT NULL`,
      );
      const counts = await sync(new MemoryTarget(), { queries: [{ name: "n", sql: "SELECT count(*) AS n FROM t" }] });
      const count = Number(refs(counts)[0]?.slice("n/".length));
      const target = await sync(new MemoryTarget(), { tables: [{ name: "t" }] });
      expect(count).toBeGreaterThan(2);
      expect(target.failures).toEqual([]);
      expect(target.documents.size).toBe(count);
    });

    it("reads every row whose key begins with an enumeration, which is ordered by one thing and compared by another", async () => {
      await server.run(
        database,
        `CREATE TABLE t (kind enum('z', 'a', 'm'), id int, PRIMARY KEY (kind, id)); INSERT INTO t SELECT elt(1 + seq % 3, 'a', 'z', 'm'), seq FROM seq_1_to_900`,
      );
      const target = await sync(new MemoryTarget(), { tables: [{ name: "t" }] });
      expect(target.failures).toEqual([]);
      expect(target.documents.size).toBe(900);
    });

    it("reports an owner that changed without the watermark, and reads nothing", async () => {
      await server.run(
        database,
        "CREATE TABLE note (id int PRIMARY KEY, owner text, version int); INSERT INTO note VALUES (1, 'ada', 1), (2, 'ada', 2)",
      );
      const config = { tables: [{ name: "note", owner: "owner", watermark: "version" }] };
      const target = await sync(new MemoryTarget(), config);
      await server.run(database, "UPDATE note SET owner = 'bob' WHERE id = 1");
      await sync(target, config);
      expect(target.opened).toEqual([]);
      expect(target.documents.get("note/1")?.item.acl?.allow.map(({ id }) => id)).toEqual(["bob"]);
      expect(target.documents.get("note/2")?.item.acl?.allow.map(({ id }) => id)).toEqual(["ada"]);
      await sync(target, config);
      expect(target.changes.filter((change) => change.type !== "checkpoint")).toEqual([]);
    });

    it("tells about how many rows there are while it reads all of them, and of a query only that it does", async () => {
      await server.run(
        database,
        "CREATE TABLE note (id int PRIMARY KEY, version int); INSERT INTO note SELECT seq, seq FROM seq_1_to_700; ANALYZE TABLE note",
      );
      await expectProgressOfNotes(sync);
    });

    it("streams a query, keyed by the columns it is told", async () => {
      await server.run(
        database,
        `CREATE TABLE item (id int PRIMARY KEY, kind text); INSERT INTO item SELECT seq, concat('kind ', seq % 3) FROM seq_1_to_2500`,
      );
      const sql = "WITH some AS (SELECT * FROM item) SELECT id AS item_id, kind FROM some -- all of them";
      const queries = [{ name: "items", sql, title: "kind" }];
      const target = await sync(new MemoryTarget(), { queries });
      expect(target.failures).toEqual([]);
      expect(target.documents.size).toBe(2500);
      await server.run(database, "DELETE FROM item WHERE id <= 3");
      await sync(target, { queries });
      expect(target.documents.size).toBe(2497);
      const byKind = await sync(new MemoryTarget(), { queries: [{ ...queries[0], key: ["kind"] }] });
      expect(byKind.documents.size).toBe(3);
      expect(byKind.failures[0]?.error.code).toBe("CONFLICT");
    });

    it("ends the same when killed within a query's result and resumed", async () => {
      await server.run(
        database,
        "CREATE TABLE item (id int PRIMARY KEY, body text); INSERT INTO item SELECT seq, repeat('x', 500) FROM seq_1_to_30000",
      );
      const config = { queries: [{ name: "items", sql: "SELECT id, body FROM item" }] };
      const target = new MemoryTarget();
      expect(await target.apply(read(target, config), { at: 1500, write: "done" })).toBe("killed");
      await sync(target, config);
      expect(target.documents.size).toBe(30_000);
      expect(target.opened.length).toBe(28_500);
    });

    it("never writes: not by a query, a second statement, a function, a sequence or a lock", async () => {
      await server.run(
        database,
        `CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1); CREATE SEQUENCE counter;
         CREATE FUNCTION eat() RETURNS int BEGIN DELETE FROM item; RETURN 1; END;
         CREATE USER IF NOT EXISTS writer IDENTIFIED BY 'writer-password'; GRANT ALL ON ${database}.* TO writer`,
      );
      const writer = { user: "writer", allowWritableUser: true };
      const run = async (config: Record<string, unknown>) => {
        const target = new MemoryTarget();
        const request = { secrets: { password: "writer-password" }, cursor: null, known: target.known(), context };
        await target.apply(mysqlConnector.read({ ...request, config: configOf({ ...writer, ...config }) }));
        return target;
      };
      for (const sql of [
        "DELETE FROM item RETURNING id",
        "SELECT 1 AS id; DELETE FROM item",
        "SELECT 1 AS id) AS q; DELETE FROM item; SELECT * FROM (SELECT 1 AS id",
        "SELECT eat() AS id",
        "SELECT nextval(counter) AS id",
        "SELECT next value for counter AS id",
        "SELECT id FROM item FOR UPDATE",
        "SELECT 1 AS id INTO OUTFILE '/tmp/anneal-never'",
        "SELECT 1 AS id /*! INTO OUTFILE '/tmp/anneal-never' */",
        "SELECT ? AS id",
      ]) {
        const error = await run({ queries: [{ name: "attempt", sql }] }).then(
          () => null,
          (thrown: unknown) => thrown,
        );
        expect(error, sql).toMatchObject({ name: "AnnealError" });
      }
      const target = await run({ tables: [{ name: "item" }] });
      expect(refs(target)).toEqual(["item/1"]);
    });

    it("refuses a user that can write until that is confirmed, and names the grants to take away", async () => {
      await server.run(
        database,
        `CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1);
         CREATE OR REPLACE USER half IDENTIFIED BY 'half-password'; GRANT SELECT, INSERT, DELETE ON ${database}.item TO half;
         CREATE OR REPLACE ROLE clerks; GRANT UPDATE ON ${database}.* TO clerks;
         CREATE OR REPLACE USER clerk IDENTIFIED BY 'clerk-password'; GRANT SELECT ON ${database}.* TO clerk;
         GRANT clerks TO clerk; SET DEFAULT ROLE clerks FOR clerk;
         CREATE OR REPLACE ROLE heads; GRANT clerks TO heads; CREATE OR REPLACE ROLE readers; GRANT SELECT ON ${database}.* TO readers;
         CREATE OR REPLACE USER temp IDENTIFIED BY 'temp-password'; GRANT readers TO temp; GRANT heads TO temp; SET DEFAULT ROLE readers FOR temp;
         CREATE OR REPLACE USER calm IDENTIFIED BY 'calm-password'; GRANT readers TO calm; GRANT SELECT ON ${database}.* TO calm`,
      );
      const check = (user: string, config: Record<string, unknown> = {}) =>
        mysqlConnector.check(configOf({ user, ...config }), { password: `${user}-password` }, context);
      const refused = await check("half");
      expect(refused.error?.code).toBe("FORBIDDEN");
      expect(refused.error?.action).toContain(`REVOKE INSERT, DELETE ON \`${database}\`.\`item\` FROM \`half\`@\`%\``);
      expect(JSON.stringify(refused)).not.toContain("half-password");
      expect(JSON.stringify(refused)).not.toMatch(/\*[0-9A-F]{40}/);
      expect((await check("clerk")).error?.action).toContain("REVOKE UPDATE");
      // Not switched on when it signs in; the other one, without which it could not read, is again after the look.
      const brought = `REVOKE \`heads\` FROM \`temp\`@\`%\`; (which brings UPDATE ON \`${database}\`.*)`;
      expect((await check("temp")).error?.action).toContain(brought);
      expect((await check("temp", { allowWritableUser: true })).error).toBeNull();
      const calm = await check("calm");
      expect(calm.error).toBeNull();
      expect(calm.checks).toContainEqual({
        capability: "read-only",
        status: "ok",
        message: 'User "calm" can only read.',
      });
      const config = configOf({ user: "half" });
      const known = new MemoryTarget().known();
      const request = { config, secrets: { password: "half-password" }, cursor: null, known, context };
      await expect(new MemoryTarget().apply(mysqlConnector.read(request))).rejects.toMatchObject({ code: "FORBIDDEN" });
      const confirmed = await check("half", { allowWritableUser: true });
      expect(confirmed.error).toBeNull();
      expect(confirmed.checks.find(({ capability }) => capability === "read-only")?.status).toBe("warning");
      expect((await check("reader")).checks.find(({ capability }) => capability === "read-only")?.status).toBe("ok");
    });

    it("reads only what the watermark lets through, yet sees deletions and an overlap of late commits", async () => {
      await server.run(
        database,
        `CREATE TABLE log (id int PRIMARY KEY, body text, changed datetime(6));
         INSERT INTO log SELECT seq, 'body', timestamp'2024-01-01 00:00:00' + interval seq hour FROM seq_1_to_100`,
      );
      const config = { tables: [{ name: "log", watermark: "changed" }] };
      const target = await sync(new MemoryTarget(), config);
      await server.run(
        database,
        `UPDATE log SET body = 'too old to notice' WHERE id = 5;
         UPDATE log SET body = 'late', changed = timestamp'2024-01-01 00:00:00' + interval 5995 minute WHERE id = 6;
         UPDATE log SET body = 'unknown time', changed = NULL WHERE id = 7;
         INSERT INTO log VALUES (200, 'new', '2025-01-01'); DELETE FROM log WHERE id = 8`,
      );
      await sync(target, config);
      expect(target.opened.sort()).toEqual(["log/200", "log/6", "log/7"]);
      expect(target.documents.has("log/8")).toBe(false);
      expect(target.documents.size).toBe(100);
    });

    it("stops when it is cancelled while the server thinks", async () => {
      const abort = new AbortController();
      const target = new MemoryTarget();
      const config = configOf({ queries: [{ name: "slow", sql: "SELECT sleep(60) AS id" }] });
      const request = { config, secrets, cursor: null, known: target.known() };
      const run = target.apply(mysqlConnector.read({ ...request, context: { ...context, signal: abort.signal } }));
      const running =
        "SELECT count(*) FROM information_schema.processlist WHERE user = 'reader' AND info LIKE '%sleep%'";
      await expect.poll(() => server.count(running), { timeout: 10_000 }).toBeGreaterThan(0);
      abort.abort();
      await expect(run).rejects.toThrow("aborted");
    });

    it("stops when it is cancelled within a result", async () => {
      const abort = new AbortController();
      const target = new MemoryTarget();
      const config = configOf({ queries: [{ name: "long", sql: "SELECT seq AS id FROM seq_1_to_900000000" }] });
      const request = { config, secrets, cursor: null, known: target.known() };
      const cancelling = async function* () {
        const stoppable = { ...context, signal: abort.signal };
        for await (const change of mysqlConnector.read({ ...request, context: stoppable })) {
          yield change;
          if (target.changes.length === 10) abort.abort();
        }
      };
      await expect(target.apply(cancelling())).rejects.toThrow("aborted");
    });

    it("fails as a whole when the connection is lost within a result, and deletes nothing", async () => {
      await server.run(
        database,
        "CREATE TABLE item (id int PRIMARY KEY, body text); INSERT INTO item SELECT seq, repeat('x', 500) FROM seq_1_to_100000",
      );
      const config = { queries: [{ name: "items", sql: "SELECT id, body FROM item" }] };
      const target = new MemoryTarget();
      const losing = async function* () {
        for await (const change of read(target, config)) {
          yield change;
          if (target.changes.length === 10) await server.run(null, "KILL CONNECTION USER reader");
        }
      };
      await expect(target.apply(losing())).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: true });
      expect(target.changes.filter((change) => change.type === "delete")).toEqual([]);
      expect(target.documents.size).toBeGreaterThan(0);
    });

    it("keeps the rows of a table that is gone for now, and reads the others", async () => {
      await server.run(
        database,
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1), (2)",
      );
      const config = { tables: [{ name: "a" }, { name: "b" }] };
      const target = await sync(new MemoryTarget(), config);
      await server.run(database, "RENAME TABLE a TO a_away; DELETE FROM b WHERE id = 2");
      await sync(target, config);
      expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["a/", "SOURCE_NOT_FOUND"]]);
      expect(refs(target)).toEqual(["a/1", "b/1"]);
    });

    it("names what is wrong in check()", async () => {
      await server.run(
        database,
        `CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1); CREATE DATABASE IF NOT EXISTS hidden;
         CREATE TABLE IF NOT EXISTS hidden.t (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);
         INSERT INTO b SELECT seq FROM seq_1_to_5000`,
      );
      const check = (config: Record<string, unknown> = {}, keys: { password?: string } = secrets) =>
        mysqlConnector.check(configOf(config), keys, context);
      const codeOf = async (config: Record<string, unknown>) => (await check(config)).error?.code;
      expect((await check({}, { password: "wrong-password" })).error?.code).toBe("SOURCE_CREDENTIALS");
      expect((await check({}, {})).error?.code).toBe("SOURCE_CREDENTIALS");
      expect(await codeOf({ database: `${database}_x` })).toMatch(/SOURCE_(?:NOT_FOUND|FORBIDDEN)/);
      expect(await codeOf({ tables: [{ name: "missing" }] })).toBe("SOURCE_NOT_FOUND");
      const forbidden = (await check({ tables: [{ name: "hidden.t" }] })).error;
      expect(forbidden?.code).toBe("SOURCE_FORBIDDEN");
      expect(forbidden?.action).toContain("GRANT SELECT");
      expect(await codeOf({ queries: [{ name: "q", sql: "SELEC 1" }] })).toBe("INVALID_INPUT");
      expect(await codeOf({ queries: [{ name: "q", sql: "SELECT 1 FROM" }] })).toBe("INVALID_INPUT");
      expect(await codeOf({ tables: [{ name: "a", title: "nope" }] })).toBe("INVALID_INPUT");
      expect(await codeOf({ port: 9 })).toBe("SOURCE_UNREACHABLE");
      expect(await codeOf({ host: "nowhere.invalid" })).toBe("SOURCE_UNREACHABLE");
      expect(await codeOf({ host: "169.254.169.254" })).toBe("SOURCE_FORBIDDEN");
      expect(await codeOf({ host: "localhost", allowPrivateHosts: false })).toBe("SOURCE_FORBIDDEN");
      expect(await codeOf({ tls: "require" })).toBe("SOURCE_UNREACHABLE");
      const { summary } = await check({ tables: [{ name: "a" }, { name: "b" }] });
      expect(summary).toMatch(/can be read: 1 row in "a" and at least 1,000 rows in "b"\.$/);
    });

    it("gives up on a server that accepts and then says nothing", async () => {
      const silent = createServer(() => {});
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
      const { port } = silent.address() as { port: number };
      const limits = { ...defaultLimits, requestTimeoutMs: 300 };
      const result = await mysqlConnector.check(configOf({ port }), secrets, { ...context, limits });
      expect(result.error?.code).toBe("SOURCE_UNREACHABLE");
      silent.close();
    });
  });
});

describe.skipIf(program === null || !hasOpenssl())("with a MariaDB that has a certificate of its own making", () => {
  let server: TestMariadb;
  beforeAll(async () => {
    server = await startMariadb(program!, true);
    await server.run(
      null,
      `CREATE DATABASE shop; CREATE TABLE shop.a (id int PRIMARY KEY); INSERT INTO shop.a VALUES (1);
       CREATE USER reader IDENTIFIED BY 'reader-password' REQUIRE SSL; GRANT SELECT ON shop.* TO reader;
       CREATE USER other IDENTIFIED BY 'other-password'; GRANT SELECT ON shop.* TO other`,
    );
  });
  afterAll(() => server.stop());

  it("encrypts where the server can, and is content with no certificate that nobody vouches for", async () => {
    const context = testContext();
    const codeOf = async (user: string, tls: string) => {
      const config = { host: "localhost", allowPrivateHosts: true, port: server.port, database: "shop", user, tls };
      const secrets = { password: `${user}-password` };
      return (await mysqlConnector.check(mysqlConfigSchema.parse(config), secrets, context)).error?.code;
    };
    for (const tls of ["prefer", "require"]) expect(await codeOf("reader", tls)).toBeUndefined();
    expect(await codeOf("reader", "disable")).toBe("SOURCE_CREDENTIALS");
    expect(await codeOf("other", "disable")).toBeUndefined();
    expect(await codeOf("other", "verify")).toBe("SOURCE_UNREACHABLE");
  });
});
