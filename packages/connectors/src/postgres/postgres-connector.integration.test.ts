import { createServer } from "node:net";
import type { Change } from "@anneal/core/connect/change";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Who } from "../../conformance/describe-permissions.ts";
import { describeTables, expectProgressOfNotes, ownersOf, tableHarness } from "../../conformance/describe-tables.ts";
import { longPath } from "../../conformance/long-names.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { progressOf } from "../../conformance/progress-of.ts";
import { startRelay } from "../../conformance/start-relay.ts";
import { startTestPostgres, type TestPostgres } from "../../conformance/start-test-postgres.ts";
import { testContext } from "../../conformance/test-context.ts";
import { defaultLimits } from "../connector.ts";
import { postgresConfigSchema } from "./config.ts";
import { postgresConnector } from "./postgres-connector.ts";

describe("with a real PostgreSQL", () => {
  let server: TestPostgres;
  let databaseCount = 0;
  let database = "";
  beforeAll(async () => {
    server = await startTestPostgres();
    await server.run("postgres", "CREATE ROLE reader LOGIN PASSWORD 'reader-password'");
  });
  afterAll(() => server.stop());

  const createDatabase = async () => {
    databaseCount += 1;
    database = `documents_${databaseCount}`;
    await server.run("postgres", `CREATE DATABASE ${database}`);
    await server.run(database, "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader");
    return database;
  };
  const configOf = (config: Record<string, unknown> = {}) =>
    postgresConfigSchema.parse({
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
    postgresConnector.read({
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
    await server.run("postgres", `ALTER ROLE reader ${away}`);
    return () => server.run("postgres", `ALTER ROLE reader ${back}`);
  };

  /** Pages in a table, with their owners and the people whom the owners' ids stand for. */
  const createHarness = async (watermark: string | null, owner: string | null) => {
    const name = await createDatabase();
    const relay = await startRelay(server.port);
    /** The server's clock, as far ahead of ours as it was set. */
    let ahead = "0 s";
    await server.run(
      name,
      `CREATE TABLE page (path text PRIMARY KEY, body text, updated_at timestamptz NOT NULL DEFAULT clock_timestamp(), owners text[]);
       CREATE TABLE person (id text PRIMARY KEY, email text);
       INSERT INTO person SELECT 'u-' || p, p || '@example.org' FROM unnest('{ann,bob,eve}'::text[]) AS p`,
    );
    const setOwners = (path: string, owners: (string | null)[]) =>
      server.run(name, "UPDATE page SET owners = $2 WHERE path = $1", [path, owners]);
    const tablesOf = (...names: string[]) => names.map((table) => ({ name: table, watermark, owner }));
    const config = configOf({
      port: relay.port,
      tables: tablesOf("page"),
      peopleQuery: "SELECT id, email FROM person",
    });
    return {
      ...tableHarness,
      connector: postgresConnector,
      config,
      relay,
      lockOuts: {
        "its password is another one": () => alterReader("PASSWORD 'another-password'", "PASSWORD 'reader-password'"),
        "it may not sign in": () => alterReader("NOLOGIN", "LOGIN"),
      },
      secrets,
      async put(path: string, text: string) {
        await server.run(
          name,
          `INSERT INTO page VALUES ($1, $2, clock_timestamp() + $3::interval)
           ON CONFLICT (path) DO UPDATE SET body = $2, updated_at = excluded.updated_at`,
          [path, text, ahead],
        );
        // As autovacuum does within a minute: until then a table does not tell how many rows it has.
        await server.run(name, "ANALYZE page");
      },
      async addParts(count: number) {
        const names = Array.from({ length: count }, (_, index) => `part_${index}`);
        for (const part of names)
          await server.run(
            name,
            `CREATE TABLE ${part} AS SELECT * FROM page LIMIT 1; ALTER TABLE ${part} ADD PRIMARY KEY (path)`,
          );
        config.tables = configOf({ tables: tablesOf("page", ...names) }).tables;
      },
      remove: (path: string) => server.run(name, "DELETE FROM page WHERE path = $1", [path]),
      move: (from: string, to: string) =>
        server.run(name, "UPDATE page SET path = $2, updated_at = clock_timestamp() WHERE path = $1", [from, to]),
      async breakItem(path: string) {
        await server.run(name, "UPDATE page SET body = repeat('x', 2000000) WHERE path = $1", [path]);
        return () =>
          server.run(name, "UPDATE page SET body = 'Rinse the filter under cold water.' WHERE path = $1", [path]);
      },
      async vanish() {
        await server.run("postgres", `ALTER DATABASE ${name} RENAME TO ${name}_away`);
        return () => server.run("postgres", `ALTER DATABASE ${name}_away RENAME TO ${name}`);
      },
      setClock: async (aheadMs: number) => void (ahead = `${aheadMs} ms`),
      // An entry of an index has at most 2,704 bytes.
      names: { controls: "\t\n\u0001\u007f", longest: [longPath(2600), longPath(2600, "mixed")] },
      async close() {
        await relay.stop();
        await server.run("postgres", `DROP DATABASE ${name} WITH (FORCE)`);
      },
      share: (path: string, allow: readonly Who[]) => setOwners(path, ownersOf(allow)),
      async breakPermissions(path: string) {
        await setOwners(path, [null, ""]);
        return () => setOwners(path, ["u-ann"]);
      },
    };
  };

  describeTables("postgres", "updated_at", createHarness);

  describe("postgresConnector", () => {
    beforeEach(async () => {
      await createDatabase();
    });

    it("renders every column by its name and type, and leaves out nulls and binaries", async () => {
      await server.run(
        database,
        `CREATE TABLE device (id int PRIMARY KEY, name text, madeOn date, "checkedAt" timestamptz, tags text[],
           spec jsonb, weight_kg numeric(6,2), active boolean, photo bytea, note text, missing text);
         INSERT INTO device VALUES (7, 'Pump  7', '2024-02-29', '2024-03-01 12:30:00+02', '{blue,"a, b"}',
           '{"bar": 4.5}', 12.50, true, '\\x00ff', E'First line.\\nSecond line.', NULL)`,
      );
      const target = await sync(new MemoryTarget());
      const stored = target.documents.get("device/7")!;
      expect(stored.text).toBe(
        [
          "# Pump 7",
          "Id: 7",
          "Madeon: 2024-02-29",
          "Checked at: 2024-03-01T10:30:00Z",
          "Tags: blue, a, b",
          'Spec: {"bar": 4.5}',
          "Weight kg: 12.50",
          "Active: true",
          "## Note\n\nFirst line.\nSecond line.\n",
        ].join("\n\n"),
      );
      expect(stored.item).toMatchObject({ title: "Pump 7", mediaType: "text/markdown", acl: null });
      expect(stored.item.uri).toBe(`postgres://127.0.0.1:${server.port}/${database}/device?id=7`);
    });

    it("finds the tables of public by itself, and says which one has no key", async () => {
      await server.run(
        database,
        `CREATE TABLE a (x int, y text, PRIMARY KEY (y, x)); INSERT INTO a VALUES (1, 'ü/,');
         CREATE TABLE b (x int); INSERT INTO b VALUES (1);
         CREATE TABLE hidden (id int PRIMARY KEY); REVOKE ALL ON hidden FROM reader;
         CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id);
         CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10); INSERT INTO part VALUES (3)`,
      );
      const target = await sync(new MemoryTarget());
      expect(refs(target)).toEqual(["a/%C3%BC%2F%2C,1", "part/3"]);
      expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["b/", "INVALID_INPUT"]]);
    });

    it("pages through a large table by its key, in any collation, in bounded pages", async () => {
      await server.run(
        database,
        `CREATE TABLE big (a text, b bigint, body text, PRIMARY KEY (a, b));
         INSERT INTO big SELECT chr(65 + i % 60), i, repeat('x', 1000) FROM generate_series(1, 20000) i`,
      );
      const target = await sync(new MemoryTarget());
      expect(target.documents.size).toBe(20_000);
      await sync(target);
      expect(target.opened).toEqual([]);
      expect(target.documents.size).toBe(20_000);
    });

    it.each([
      ["char(8)", "lpad(n::text, 8, 'k')"],
      ["char(8)[]", "array[lpad(n::text, 8, 'k')]"],
      ["bit(12)", "n::bit(12)"],
      ["varchar(8)", "lpad(n::text, 8, 'k')"],
      ["bytea", "decode(lpad(to_hex(n), 4, '0'), 'hex')"],
      ["numeric(20, 5)", "n + 0.00001"],
      ["timestamptz(3)", "timestamptz '2024-01-01' + n * interval '1 ms'"],
      ["interval", "n * interval '1 day'"],
      ["float8", "n / 7e0"],
    ])("reads every row whose key is a %s", async (type, expression) => {
      await server.run(
        database,
        `CREATE TABLE t (id ${type} PRIMARY KEY, body text); INSERT INTO t SELECT ${expression}, 'x' FROM generate_series(1, 700) AS n`,
      );
      const target = await sync(new MemoryTarget());
      expect(target.failures).toEqual([]);
      expect(target.documents.size).toBe(700);
    });

    it("streams a query through a cursor, keyed by the columns it is told", async () => {
      await server.run(
        database,
        `CREATE TABLE item (id int PRIMARY KEY, kind text);
         INSERT INTO item SELECT i, 'kind ' || i % 3 FROM generate_series(1, 2500) i`,
      );
      const queries = [{ name: "items", sql: "SELECT id AS item_id, kind FROM item -- all of them", title: "kind" }];
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

    it("never writes: not by a query, a second statement, a function, a lock or a changed setting", async () => {
      await server.run(
        database,
        `CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1); GRANT ALL ON item TO reader;
         CREATE FUNCTION eat() RETURNS int LANGUAGE sql VOLATILE SECURITY DEFINER AS 'DELETE FROM item RETURNING id';
         CREATE SEQUENCE counter; GRANT ALL ON SEQUENCE counter TO reader`,
      );
      const attempts = [
        "DELETE FROM item RETURNING id",
        "WITH gone AS (DELETE FROM item RETURNING id) SELECT * FROM gone",
        "SELECT 1 AS id; DELETE FROM item",
        "SELECT 1 AS id) AS q; DELETE FROM item; SELECT * FROM (SELECT 1 AS id",
        "SELECT eat() AS id",
        "SELECT nextval('counter') AS id",
        "SELECT id FROM item FOR UPDATE",
        "SELECT set_config('transaction_read_only', 'off', false) AS id, eat()",
        "SELECT 1 AS id INTO copy",
        "COPY item TO PROGRAM 'true'",
        // Up to PostgreSQL 15 it writes in a transaction that only reads.
        "SELECT lo_from_bytea(0, 'x')::text AS id",
        "SELECT 1 AS id, pg_notify('jobs', 'all')::text",
        "SELECT 1 AS id, query_to_xml('SELECT pg_advisory_' || 'lock(7)', true, true, '')::text",
      ];
      // The lock behind this one: such a user is refused unless somebody has confirmed it.
      const confirmed = { allowWritableUser: true };
      for (const sql of attempts) {
        const error = await sync(new MemoryTarget(), { ...confirmed, queries: [{ name: "attempt", sql }] }).then(
          () => null,
          (thrown: unknown) => thrown,
        );
        expect(error, sql).toMatchObject({ name: "AnnealError" });
      }
      const unlock = "SELECT set_config('default_transaction_read_only', 'off', false) AS id";
      const relock = { name: "second", sql: "SELECT eat() AS id" };
      const target = await sync(new MemoryTarget(), {
        ...confirmed,
        queries: [{ name: "first", sql: unlock }, relock],
      });
      expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["second/", "FORBIDDEN"]]);
      await sync(target, { ...confirmed, tables: [{ name: "item" }] });
      expect(refs(target)).toEqual(["item/1"]);
    });

    it("reads only what the watermark lets through, yet sees deletions and an overlap of late commits", async () => {
      await server.run(
        database,
        `CREATE TABLE log (id int PRIMARY KEY, body text, changed timestamptz);
         INSERT INTO log SELECT i, 'body', timestamptz '2024-01-01' + i * interval '1 hour' FROM generate_series(1, 100) i`,
      );
      const config = { tables: [{ name: "log", watermark: "changed" }] };
      const target = await sync(new MemoryTarget(), config);
      await server.run(
        database,
        `UPDATE log SET body = 'too old to notice' WHERE id = 5;
         UPDATE log SET body = 'late', changed = timestamptz '2024-01-01' + interval '99 hours 55 minutes' WHERE id = 6;
         UPDATE log SET body = 'unknown time', changed = NULL WHERE id = 7;
         INSERT INTO log VALUES (200, 'new', '2025-01-01'); DELETE FROM log WHERE id = 8`,
      );
      await sync(target, config);
      expect(target.opened.sort()).toEqual(["log/200", "log/6", "log/7"]);
      expect(target.documents.has("log/8")).toBe(false);
      expect(target.documents.size).toBe(100);
      // Other settings make other documents, so everything is read again.
      await sync(target, { tables: [{ name: "log", watermark: "changed", title: "body" }] });
      expect(target.documents.get("log/5")?.text).toContain("too old to notice");
    });

    it.each(["a table", "a query"])(
      "tries what could not be stored again, and of %s reads nothing else",
      async (from) => {
        await server.run(
          database,
          `CREATE TABLE log (a text, b int, body text, changed timestamptz, PRIMARY KEY (a, b));
         INSERT INTO log SELECT 'k/' || i, i, 'body ' || i, timestamptz '2024-01-01' + i * interval '1 hour'
           FROM generate_series(1, 100) i`,
        );
        const log = { name: "log", watermark: "changed" };
        const sql = "SELECT a, nullif(b, 5) AS b, body, changed FROM log";
        const config = from === "a table" ? { tables: [log] } : { queries: [{ ...log, sql, key: ["a", "b"] }] };
        const target = await sync(new MemoryTarget(), config);
        const ref = (row: number) => `log/k%2F${row},${from === "a query" && row === 5 ? "" : row}`;
        const stored = (row: number) => target.documents.get(ref(row))!;
        // As a consumer has them that could store neither the one nor what came after of the other two.
        target.documents.delete(ref(5));
        stored(6).item = { ...stored(6).item, fingerprint: "" };
        stored(7).item = { ...stored(7).item, fingerprint: stored(7).item.fingerprint.replace(/:.*/u, ":older") };
        const refused = new Set([ref(5), ref(6), ref(7)]);
        const tried: string[] = [];
        async function* unlessRefused(changes: AsyncIterable<Change>): AsyncIterable<Change> {
          for await (const change of changes) {
            const changed = change.type === "upsert" || change.type === "moved" ? change.item.ref : null;
            if (changed !== null && refused.has(changed)) tried.push(changed);
            else yield change;
          }
        }
        // Another watermark than before may tell of a clock that went back, so that all is read: once.
        await target.apply(unlessRefused(read(target, config)));
        for (const body of ["whoever reads all", "finds this"]) {
          await server.run(database, `UPDATE log SET body = '${body}' WHERE b = 8`);
          tried.length = 0;
          await target.apply(unlessRefused(read(target, config)));
          expect(tried.sort()).toEqual([...refused]);
          expect(target.opened).toEqual([]);
        }
        // A clock that does go back.
        await server.run(database, "UPDATE log SET body = 'back', changed = '2023-01-01' WHERE b = 9");
        await target.apply(unlessRefused(read(target, config)));
        expect(target.opened.sort()).toEqual([ref(8), ref(9)]);
        refused.clear();
        await sync(target, config);
        await sync(target, config);
        expect(target.changes.filter((change) => change.type !== "checkpoint")).toEqual([]);
        expect(target.documents.size).toBe(100);
      },
    );

    it("tells about how many rows there are while it reads all of them, and of a query only that it does", async () => {
      await server.run(
        database,
        `CREATE TABLE note (id int PRIMARY KEY, version int) PARTITION BY RANGE (id);
         CREATE TABLE note_1 PARTITION OF note FOR VALUES FROM (0) TO (300);
         CREATE TABLE note_2 PARTITION OF note FOR VALUES FROM (300) TO (1000);
         INSERT INTO note SELECT i, i FROM generate_series(1, 700) AS i`,
      );
      const unknown = await sync(new MemoryTarget(), { tables: [{ name: "note" }] });
      expect(progressOf(unknown)).toContainEqual({ total: null, listsAll: true });
      await server.run(database, "ANALYZE note");
      await expectProgressOfNotes(sync);
    });

    it("carries the owner as the audience, and a new owner without reading the row again", async () => {
      await server.run(
        database,
        `CREATE TABLE note (id int PRIMARY KEY, body text, owners text[]);
         INSERT INTO note VALUES (1, 'a', '{ada}'), (2, 'b', NULL)`,
      );
      const config = { tables: [{ name: "note", owner: "owners" }] };
      const target = await sync(new MemoryTarget(), config);
      const ada = { source: "postgres", tenant: `127.0.0.1/${database}`, kind: "user", id: "ada" };
      expect(target.documents.get("note/1")?.item.acl).toEqual({ allow: [ada], deny: [] });
      expect(target.documents.get("note/2")?.item.acl).toEqual({ allow: [], deny: [] });
    });

    it("reports an audience that alone changed as such", async () => {
      await server.run(
        database,
        `CREATE TABLE note (id int PRIMARY KEY, body text, owner text); INSERT INTO note VALUES (1, 'a', 'ada')`,
      );
      const config = { tables: [{ name: "note", owner: "owner" }] };
      const target = await sync(new MemoryTarget(), config);
      await server.run(database, "UPDATE note SET owner = 'bob'");
      await sync(target, config);
      expect(target.opened).toEqual([]);
      expect(target.changes.map((change) => change.type)).toEqual(["acl", "checkpoint", "checkpoint"]);
      await sync(target, config);
      expect(target.changes.filter((change) => change.type !== "checkpoint")).toEqual([]);
    });

    it("keeps the rows of a table that is gone for now, and reads the others", async () => {
      await server.run(
        database,
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1), (2)",
      );
      const config = { tables: [{ name: "a" }, { name: "b" }] };
      const target = await sync(new MemoryTarget(), config);
      await server.run(database, "ALTER TABLE a RENAME TO a_away; DELETE FROM b WHERE id = 2");
      await sync(target, config);
      expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["a/", "SOURCE_NOT_FOUND"]]);
      expect(refs(target)).toEqual(["a/1", "b/1"]);
    });

    it("names what is wrong, and refuses a user that could write until somebody confirms it", async () => {
      await server.run(
        database,
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE hidden (id int PRIMARY KEY); REVOKE ALL ON hidden FROM reader",
      );
      const check = (config: Record<string, unknown> = {}, keys: { password?: string } = secrets) =>
        postgresConnector.check(configOf(config), keys, context);
      const statusOf = async (config: Record<string, unknown>, keys?: { password: string }) =>
        (await check(config, keys)).checks.find(({ capability }) => capability === "read-only")?.status;
      expect(await statusOf({})).toBe("ok");
      const owner = { password: server.password };
      expect(await statusOf({ user: server.user }, owner)).toBe("missing");
      expect((await check({ user: server.user }, owner)).error?.code).toBe("FORBIDDEN");
      expect(await statusOf({ user: server.user, allowWritableUser: true }, owner)).toBe("warning");
      expect((await check({}, { password: "wrong-password" })).error?.code).toBe("SOURCE_CREDENTIALS");
      expect((await check({}, {})).error?.code).toBe("SOURCE_CREDENTIALS");
      expect((await check({ database: "missing" })).error?.code).toBe("SOURCE_NOT_FOUND");
      expect((await check({ tables: [{ name: "missing" }] })).error?.code).toBe("SOURCE_NOT_FOUND");
      const forbidden = (await check({ tables: [{ name: "hidden" }] })).error;
      expect(forbidden?.code).toBe("SOURCE_FORBIDDEN");
      expect(forbidden?.action).toContain("GRANT SELECT");
      expect((await check({ queries: [{ name: "q", sql: "SELEC 1" }] })).error?.code).toBe("INVALID_INPUT");
      expect((await check({ tables: [{ name: "a", title: "nope" }] })).error?.code).toBe("INVALID_INPUT");
      for (const peopleQuery of ["SELECT id, id FROM a", "SELECT id FROM a"]) {
        expect((await check({ peopleQuery })).error?.code, peopleQuery).toBe("INVALID_INPUT");
      }
      expect((await check({ peopleQuery: "SELECT id, email FROM a" })).error?.code).toBe("SOURCE_NOT_FOUND");
      expect((await check({ port: 9 })).error?.code).toBe("SOURCE_UNREACHABLE");
      expect((await check({ host: "nowhere.invalid" })).error?.code).toBe("SOURCE_UNREACHABLE");
      expect((await check({ host: "169.254.169.254" })).error?.code).toBe("SOURCE_FORBIDDEN");
      expect((await check({ host: "localhost", allowPrivateHosts: false })).error?.code).toBe("SOURCE_FORBIDDEN");
      expect((await check({ tls: "require" })).error?.code).toBe("SOURCE_UNREACHABLE");
    });

    it("says in check() what it holds, without counting to the end", async () => {
      await server.run(
        database,
        `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); INSERT INTO a VALUES (1);
         INSERT INTO b SELECT generate_series(1, 5000)`,
      );
      const { summary } = await postgresConnector.check(
        configOf({
          queries: [{ name: "q", sql: "SELECT id FROM b WHERE id < 3 -- two" }],
          tables: [{ name: "a" }, { name: "b" }],
        }),
        secrets,
        context,
      );
      expect(summary).toMatch(/can be read: 1 row in "a", at least 1,000 rows in "b" and 2 rows in "q"\.$/);
    });

    it("gives up on a server that accepts and then says nothing", async () => {
      const silent = createServer(() => {});
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
      const { port } = silent.address() as { port: number };
      const limits = { ...defaultLimits, requestTimeoutMs: 300 };
      const result = await postgresConnector.check(configOf({ port }), secrets, { ...context, limits });
      expect(result.error?.code).toBe("SOURCE_UNREACHABLE");
      silent.close();
    });
  });
});
