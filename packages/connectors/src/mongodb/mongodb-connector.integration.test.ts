import { createServer } from "node:net";
import { BSON, type Document } from "mongodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createCertificate } from "../../conformance/create-certificate.ts";
import type { Who } from "../../conformance/describe-permissions.ts";
import { describeTables, ownersOf, tableHarness } from "../../conformance/describe-tables.ts";
import { FakeMongodb, type FakeUser } from "../../conformance/fake-mongodb/start-fake-mongodb.ts";
import { noCharacter } from "../../conformance/fake-mongodb/wire.ts";
import { hasOpenssl } from "../../conformance/has-openssl.ts";
import { longPath } from "../../conformance/long-names.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { progressOf } from "../../conformance/progress-of.ts";
import { startRelay } from "../../conformance/start-relay.ts";
import { testContext } from "../../conformance/test-context.ts";
import { defaultLimits } from "../connector.ts";
import { wholeCursor } from "../parts-in-journal.ts";
import { mongodbConfigSchema } from "./config.ts";
import { mongodbConnector } from "./mongodb-connector.ts";

const { Binary, Decimal128, Long, ObjectId, UUID } = BSON;

const reading = ["find", "listCollections", "killCursors", "collStats"];
const everywhere = { db: "", collection: "" };
const reader: FakeUser = {
  password: "reader-password",
  roles: [{ role: "readAnyDatabase", db: "admin" }],
  privileges: [{ resource: everywhere, actions: reading }],
};
const writer: FakeUser = {
  password: "writer-password",
  roles: [
    { role: "read", db: "shop" },
    { role: "readWrite", db: "shop" },
  ],
  privileges: [{ resource: everywhere, actions: [...reading, "insert", "remove", "update"] }],
};
const shopOnly: FakeUser = {
  password: "shop-password",
  roles: [{ role: "read", db: "shop" }],
  privileges: [{ resource: { db: "shop", collection: "" }, actions: reading }],
};

describe("with a server that speaks MongoDB's protocol", () => {
  const server = new FakeMongodb();
  let databaseCount = 0;
  let database = "";
  beforeAll(() => server.start());
  afterAll(() => server.stop());
  beforeEach(() => {
    server.databases.clear();
    server.users.clear();
    server.users.set("reader", reader).set("writer", writer).set("shop-reader", shopOnly);
    server.commands.length = 0;
    server.failures.length = 0;
    server.batchDocuments = 2;
    databaseCount += 1;
    database = `documents_${databaseCount}`;
  });

  const configOf = (config: Record<string, unknown> = {}) =>
    mongodbConfigSchema.parse({
      host: "127.0.0.1",
      allowPrivateHosts: true,
      port: server.port,
      database,
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
    await target.apply(mongodbConnector.read(request));
    return target;
  };
  const refs = (target: MemoryTarget) => [...target.documents.keys()].sort();

  const createHarness = async (watermark: string | null, owner: string | null) => {
    const name = database;
    const relay = await startRelay(server.port);
    let aheadMs = 0;
    const now = () => new Date(Date.now() + aheadMs);
    const change = (path: string, values: Document) => {
      const before = server.collection(name, "page").find((document) => document["_id"] === path);
      server.put(name, "page", { _id: path, ...before, ...values });
      return Promise.resolve();
    };
    server.collection(name, "page");
    for (const person of ["ann", "bob", "eve"]) {
      server.put(name, "person", { _id: `u-${person}`, email: `${person}@example.org` });
    }
    const collectionsOf = (...names: string[]) =>
      names.map((collection) => ({ name: collection, fields: ["body"], watermark, owner }));
    const config = configOf({
      port: relay.port,
      collections: collectionsOf("page"),
      peopleCollection: "person",
    });
    return {
      ...tableHarness,
      connector: mongodbConnector,
      config,
      relay,
      lockOuts: {
        "its password is another one": async () => {
          server.users.set("reader", { ...reader, password: "another-password" });
          return async () => void server.users.set("reader", reader);
        },
        "it was dropped": async () => {
          server.users.delete("reader");
          return async () => void server.users.set("reader", reader);
        },
      },
      secrets,
      put: (path: string, text: string) => change(path, { body: text, updatedAt: now() }),
      async addParts(count: number) {
        const names = Array.from({ length: count }, (_, index) => `part_${index}`);
        for (const part of names) server.put(name, part, { _id: "part.md", body: "One of many.", updatedAt: now() });
        config.collections = configOf({ collections: collectionsOf("page", ...names) }).collections;
      },
      remove: (path: string) => Promise.resolve(server.remove(name, "page", path)),
      async move(from: string, to: string) {
        const before = server.collection(name, "page").find((document) => document["_id"] === from);
        server.remove(name, "page", from);
        await change(to, { ...before, _id: to, updatedAt: now() });
      },
      async breakItem(path: string) {
        await change(path, { body: "x".repeat(2_000_000), updatedAt: now() });
        return () => change(path, { body: "Rinse the filter under cold water.", updatedAt: now() });
      },
      async vanish() {
        const collections = server.databases.get(name)!;
        server.databases.delete(name);
        return () => Promise.resolve(void server.databases.set(name, collections));
      },
      setClock: async (ms: number) => void (aheadMs = ms),
      names: { controls: "\t\n\u0001\u007f", longest: [longPath(4096), longPath(4096, "mixed")] },
      close: () => relay.stop(),
      share: (path: string, allow: readonly Who[]) => change(path, { owners: ownersOf(allow) }),
      async breakPermissions(path: string) {
        await change(path, { owners: { team: ["u-ann"] } });
        return () => change(path, { owners: ["u-ann"] });
      },
    };
  };

  describeTables("mongodb", "updatedAt", createHarness);

  describe("mongodbConnector", () => {
    it("renders every field by its name and type, and leaves out nulls and binaries", async () => {
      server.put(database, "device", {
        _id: new ObjectId("65e1f0c0a1b2c3d4e5f60718"),
        name: "Pump  7",
        checkedAt: new Date("2024-03-01T10:30:00.500Z"),
        tags: ["blue", "wet"],
        spec: { bar: 4.5, valves: [{ mm: 12 }] },
        weightKg: Decimal128.fromString("12.50"),
        serial: Long.fromString("9223372036854775807"),
        uid: new UUID("123e4567-e89b-12d3-a456-426614174000"),
        photo: new Binary(Buffer.from("00ff", "hex")),
        active: true,
        note: "First line.\nSecond line.",
        missing: null,
      });
      const target = await sync(new MemoryTarget());
      const stored = target.documents.get("device/65e1f0c0a1b2c3d4e5f60718")!;
      expect(stored.text).toBe(
        [
          "# Pump 7",
          "Id: 65e1f0c0a1b2c3d4e5f60718",
          "Checked at: 2024-03-01T10:30:00.500Z",
          "Tags: blue, wet",
          'Spec: {"bar":4.5,"valves":[{"mm":12}]}',
          "Weight kg: 12.50",
          "Serial: 9223372036854775807",
          "Uid: 123e4567-e89b-12d3-a456-426614174000",
          "Active: true",
          "## Note\n\nFirst line.\nSecond line.\n",
        ].join("\n\n"),
      );
      expect(stored.item).toMatchObject({ title: "Pump 7", mediaType: "text/markdown", acl: null });
      expect(stored.item.uri).toBe(
        `mongodb://127.0.0.1:${server.port}/${database}/device?_id=65e1f0c0a1b2c3d4e5f60718`,
      );
    });

    it("tells about how many documents there are while it reads all of them, as far as the server tells", async () => {
      for (const _id of [1, 2, 3]) server.put(database, "note", { _id, text: "x", version: _id });
      const config = { collections: [{ name: "note", watermark: "version" }] };
      const target = await sync(new MemoryTarget(), config);
      expect(progressOf(target)).toContainEqual({ total: 3, listsAll: true });
      await sync(target, config);
      expect(progressOf(target).length).toBeGreaterThan(0);
      for (const progress of progressOf(target)) expect(progress).toEqual({ total: null, listsAll: false });
      server.failures.push({ command: "count", code: 50, codeName: "MaxTimeMSExpired" });
      const slow = await sync(new MemoryTarget(), config);
      expect(slow.documents.size).toBe(3);
      expect(progressOf(slow)).toContainEqual({ total: null, listsAll: true });
    });

    it("asks only for the chosen fields, inside objects and arrays too", async () => {
      server.put(database, "order", {
        _id: 1,
        subject: "Order 1",
        customer: { name: "Ada", secret: "hidden" },
        lines: [{ text: "a pump" }, { text: "a valve", price: 3 }],
        internal: "hidden",
      });
      const collections = [{ name: "order", fields: ["customer.name", "lines.text"], title: "subject" }];
      const target = await sync(new MemoryTarget(), { collections });
      expect(target.documents.get("order/1")?.text).toBe(
        "# Order 1\n\nCustomer name: Ada\n\nLines text: a pump, a valve\n",
      );
    });

    it("reads every document whatever the type of its _id, each under a ref of its own", async () => {
      const hex = "65e1f0c0a1b2c3d4e5f60718";
      const ids = [1, 2.5, "1", "a", "ü/,", hex, new ObjectId(hex), new Date(0), true, { a: 1 }, "(bson)"];
      for (const id of [...ids, ...Array.from({ length: 1200 }, (_, index) => index * 3 + 10)]) {
        server.put(database, "mixed", { _id: id, text: "x" });
      }
      server.batchDocuments = 400;
      const target = await sync(new MemoryTarget());
      expect(target.failures).toEqual([]);
      expect(target.documents.size).toBe(ids.length + 1200);
      await sync(target);
      expect(target.changes.filter((change) => change.type !== "checkpoint")).toEqual([]);
    });

    it("reads a text that is no UTF-8 as far as it is one, and shows to nobody what such an id owns", async () => {
      server.put(database, "note", { _id: 1, text: `Grüße${noCharacter}!`, owner: "ann" });
      server.put(database, "note", { _id: 2, text: "Whole.", owner: `ann${noCharacter}` });
      const target = await sync(new MemoryTarget(), { collections: [{ name: "note", owner: "owner" }] });
      expect(Object.values(target.contents())).toEqual([
        expect.stringContaining("Grüße\ufffd"),
        expect.stringContaining("Whole."),
      ]);
      const owners = [...target.documents.values()].map(({ item }) => item.acl?.allow.map(({ id }) => id));
      expect(owners).toEqual([["ann"], []]);
    });

    it("goes on where it was when the server has forgotten the cursor", async () => {
      for (let id = 0; id < 20; id += 1) server.put(database, "page", { _id: id, text: `Page ${id}` });
      server.failures.push({ command: "getMore", code: 43, codeName: "CursorNotFound" });
      server.batchDocuments = 7;
      const target = await sync(new MemoryTarget(), { collections: [{ name: "page" }] });
      expect(server.failures).toEqual([]);
      expect(target.documents.size).toBe(20);
      expect(target.opened.length).toBe(20);
    });

    it("reads only what the watermark lets through, yet sees deletions and an overlap of late writes", async () => {
      const at = (minutes: number) => new Date(Date.UTC(2024, 0, 1) + minutes * 60_000);
      for (let id = 1; id <= 100; id += 1) server.put(database, "log", { _id: id, body: "b", changed: at(id * 60) });
      const config = { collections: [{ name: "log", watermark: "changed" }] };
      const target = await sync(new MemoryTarget(), config);
      server.put(database, "log", { _id: 5, body: "too old to notice", changed: at(300) });
      server.put(database, "log", { _id: 6, body: "late", changed: at(5995) });
      server.put(database, "log", { _id: 7, body: "unknown time" });
      server.put(database, "log", { _id: 9, body: "another type", changed: 17 });
      server.put(database, "log", { _id: 200, body: "new", changed: at(10_000) });
      server.remove(database, "log", 8);
      await sync(target, config);
      expect(target.opened.sort()).toEqual(["log/200", "log/6", "log/7", "log/9"]);
      expect(target.documents.has("log/8")).toBe(false);
      expect(target.documents.size).toBe(100);
      // Other settings make other documents, so everything is read again.
      await sync(target, { collections: [{ ...config.collections[0], title: "body" }] });
      expect(target.documents.get("log/5")?.text).toContain("too old to notice");
    });

    it("tries what could not be stored again, and reads nothing else", async () => {
      for (let id = 1; id <= 100; id += 1) server.put(database, "log", { _id: id, body: "b", version: id });
      const config = { collections: [{ name: "log", watermark: "version" }] };
      const target = await sync(new MemoryTarget(), config);
      // As a consumer has them that could store neither the one nor what came after of the other.
      target.documents.delete("log/5");
      const older = target.documents.get("log/6")!;
      const unstored = () => {
        const fingerprint = older.item.fingerprint.replace(/:.*/u, ":older");
        target.documents.delete("log/5");
        target.documents.set("log/6", { ...older, item: { ...older.item, fingerprint } });
      };
      unstored();
      // Another watermark than before may tell of a clock that went back, so that all is read: once.
      await sync(target, config);
      for (const body of ["whoever reads all", "finds this"]) {
        unstored();
        server.put(database, "log", { _id: 8, body, version: 8 });
        await sync(target, config);
        expect(target.opened).toEqual(["log/5"]);
        expect(target.changes.flatMap((change) => (change.type === "moved" ? [change.item.ref] : []))).toEqual([
          "log/6",
        ]);
      }
      server.put(database, "log", { _id: 9, body: "back", version: 1 });
      await sync(target, config);
      expect(target.opened).toEqual(["log/8", "log/9"]);
      await sync(target, config);
      expect(target.changes.filter((change) => change.type !== "checkpoint")).toEqual([]);
      expect(target.documents.size).toBe(100);
    });

    it("reads only what the filter lets through, and takes what leaves it for deleted and what enters it for new", async () => {
      const at = (minutes: number) => new Date(Date.UTC(2024, 0, 1) + minutes * 60_000);
      const team = new ObjectId("65e1f0c0a1b2c3d4e5f60718");
      const put = (id: number, status: string, minutes: number) =>
        server.put(database, "article", { _id: id, team, status, body: `Article ${id}`, at: at(minutes) });
      for (let id = 1; id <= 20; id += 1) put(id, id % 2 === 0 ? "draft" : "published", id);
      const filter = { team: { $oid: team.toHexString() }, status: "published", "no.field": { $exists: false } };
      const config = { collections: [{ name: "article", watermark: "at", filter }] };
      const check = await mongodbConnector.check(configOf(config), secrets, context);
      expect(check.summary).toContain('10 documents in "article" that match the filter.');

      const target = await sync(new MemoryTarget(), config);
      expect(refs(target)).toEqual([1, 11, 13, 15, 17, 19, 3, 5, 7, 9].map((id) => `article/${id}`));
      expect(target.opened).toHaveLength(10);
      // A draft's watermark, the highest of all, is none of what is read.
      const position = await wholeCursor({ cursor: target.cursor, journal: target.journal() }, ["watermarks"]);
      expect(JSON.stringify(position)).toContain(String(at(19).getTime()));

      put(1, "draft", 1);
      put(3, "draft", 100);
      put(2, "published", 2);
      put(5, "published", 101);
      await sync(target, config);
      expect(refs(target)).toEqual([11, 13, 15, 17, 19, 2, 5, 7, 9].map((id) => `article/${id}`));
      expect(target.opened.sort()).toEqual(["article/2", "article/5"]);
      await sync(target, config);
      expect(target.changes.filter((change) => change.type !== "checkpoint")).toEqual([]);

      // Another filter is another reading.
      await sync(target, { collections: [{ name: "article", watermark: "at", filter: { status: "draft" } }] });
      expect(refs(target)).toEqual([1, 10, 12, 14, 16, 18, 20, 3, 4, 6, 8].map((id) => `article/${id}`));
    });

    it("says what the server says of a filter that it does not take, and deletes nothing", async () => {
      server.put(database, "a", { _id: 1 });
      server.put(database, "b", { _id: 1 });
      const target = await sync(new MemoryTarget());
      const wrong = { collections: [{ name: "a", filter: { n: { $most: 1 } } }, { name: "b" }] };
      await sync(target, wrong);
      expect(refs(target)).toEqual(["a/1", "b/1"]);
      expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["a/", "INVALID_INPUT"]]);
      const { error } = await mongodbConnector.check(configOf(wrong), secrets, context);
      expect(error).toMatchObject({ code: "INVALID_INPUT", message: expect.stringContaining("$most") });
    });

    it("reports an owner that changed without the watermark, and reads nothing", async () => {
      for (const id of [1, 2]) server.put(database, "note", { _id: id, owner: "ada", version: id });
      const config = { collections: [{ name: "note", owner: "owner", watermark: "version" }] };
      const target = await sync(new MemoryTarget(), config);
      server.put(database, "note", { _id: 1, owner: "bob", version: 1 });
      await sync(target, config);
      expect(target.opened).toEqual([]);
      expect(target.documents.get("note/1")?.item.acl?.allow.map(({ id }) => id)).toEqual(["bob"]);
      expect(target.documents.get("note/2")?.item.acl?.allow.map(({ id }) => id)).toEqual(["ada"]);
      await sync(target, config);
      expect(target.changes.filter((change) => change.type !== "checkpoint")).toEqual([]);
    });

    it("reports an owner that changed together with a text that grew too large, and keeps the old text", async () => {
      server.put(database, "note", { _id: 1, owner: "ada", body: "short" });
      const config = { collections: [{ name: "note", owner: "owner" }] };
      const target = await sync(new MemoryTarget(), config);
      server.put(database, "note", { _id: 1, owner: "bob", body: "x".repeat(2_000) });
      const limits = { ...context.limits, documentBytes: 1_000 };
      const request = {
        config: configOf(config),
        secrets,
        cursor: target.cursor,
        journal: target.journal(),
        known: target.known(),
      };
      await target.apply(mongodbConnector.read({ ...request, context: { ...context, limits } }));
      expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["note/1", "DOCUMENT_TOO_LARGE"]]);
      expect(target.documents.get("note/1")?.item.acl?.allow.map(({ id }) => id)).toEqual(["bob"]);
      expect(target.documents.get("note/1")?.text).toContain("short");
    });

    it("keeps the documents of a collection that is gone for now, and reads the others", async () => {
      server.put(database, "a", { _id: 1 });
      server.put(database, "b", { _id: 1 });
      server.put(database, "b", { _id: 2 });
      const config = { collections: [{ name: "a" }, { name: "b" }] };
      const target = await sync(new MemoryTarget(), config);
      server.databases.get(database)!.delete("a");
      server.remove(database, "b", 2);
      await sync(target, config);
      expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["a/", "SOURCE_NOT_FOUND"]]);
      expect(refs(target)).toEqual(["a/1", "b/1"]);
    });

    it("stores the watermark of a document that was only touched, without reading it again, and then leaves it", async () => {
      const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 10, minute));
      for (const id of [1, 2]) server.put(database, "a", { _id: id, body: `Text ${id}`, at: at(0) });
      const config = { collections: [{ name: "a", fields: ["body"], watermark: "at" }] };
      const target = await sync(new MemoryTarget(), config);
      server.put(database, "a", { _id: 2, body: "Text 2", at: at(30) });
      await sync(target, config);
      expect(target.changes.flatMap((change) => (change.type === "checkpoint" ? [] : [change.type]))).toEqual([
        "moved",
      ]);
      expect(target.documents.get("a/2")?.item.modifiedAt).toBe(at(30).toISOString());
      // Its watermark goes back, and its text with it, as from a backup.
      server.put(database, "a", { _id: 2, body: "Text 2 as it was", at: at(-60) });
      await sync(target, config);
      expect(target.opened).toEqual(["a/2"]);
      await sync(target, config);
      expect(target.changes.every((change) => change.type === "checkpoint")).toBe(true);
    });

    it("stops when it is cancelled while the server thinks", async () => {
      server.put(database, "a", { _id: 1 });
      const abort = new AbortController();
      server.silence = { command: "find", asked: () => abort.abort() };
      const known = new MemoryTarget().known();
      const request = {
        config: configOf(),
        secrets,
        cursor: null,
        known,
        context: { ...context, signal: abort.signal },
      };
      await expect(new MemoryTarget().apply(mongodbConnector.read(request))).rejects.toThrow("aborted");
      server.silence = null;
    });

    it("sends only commands that read", async () => {
      server.put(database, "a", { _id: 1, at: new Date(), owner: "u" });
      server.put(database, "person", { _id: "u", email: "u@example.org" });
      const config = {
        collections: [{ name: "a", watermark: "at", owner: "owner" }],
        peopleCollection: "person",
      };
      await mongodbConnector.check(configOf(config), secrets, context);
      await sync(await sync(new MemoryTarget(), config), config);
      const directory = mongodbConnector.readDirectory!({ config: configOf(config), secrets, context });
      for await (const entry of directory) expect(entry).toMatchObject({ emails: ["u@example.org"] });
      const reads = [
        "hello",
        "ismaster",
        "saslContinue",
        "connectionStatus",
        "listCollections",
        "find",
        "getMore",
        "count",
      ];
      for (const command of new Set(server.commands)) {
        expect([...reads, "aggregate", "killCursors", "endSessions", "ping", "saslStart"]).toContain(command);
      }
      expect(server.commands).toContain("find");
    });

    it("refuses a user that can write until that is confirmed, and names the role to take away", async () => {
      server.put(database, "a", { _id: 1 });
      const keys = { password: "writer-password" };
      const check = (config: Record<string, unknown>) =>
        mongodbConnector.check(configOf({ user: "writer", ...config }), keys, context);
      const refused = await check({});
      expect(refused.error?.code).toBe("FORBIDDEN");
      expect(refused.error?.action).toContain('db.revokeRolesFromUser("writer", [{ role: "readWrite", db: "shop" }])');
      const target = new MemoryTarget();
      const request = { secrets: keys, cursor: null, known: target.known(), context };
      const run = (config: Record<string, unknown>) =>
        target.apply(mongodbConnector.read({ ...request, config: configOf({ user: "writer", ...config }) }));
      await expect(run({})).rejects.toMatchObject({ code: "FORBIDDEN" });
      const confirmed = await check({ allowWritableUser: true });
      expect(confirmed.error).toBeNull();
      expect(confirmed.checks.find(({ capability }) => capability === "read-only")?.status).toBe("warning");
      await run({ allowWritableUser: true });
      expect(refs(target)).toEqual(["a/1"]);
    });

    it("names what is wrong in check(), and never a password", async () => {
      server.put(database, "a", { _id: 1 });
      for (let id = 0; id < 1500; id += 1) server.put(database, "b", { _id: id });
      const check = (config: Record<string, unknown> = {}, keys: { password?: string } = secrets) =>
        mongodbConnector.check(configOf(config), keys, context);
      const codeOf = async (config: Record<string, unknown>, keys?: { password: string }) =>
        (await check(config, keys)).error?.code;
      const wrong = await check({}, { password: "wrong-password" });
      expect(wrong.error?.code).toBe("SOURCE_CREDENTIALS");
      expect(JSON.stringify(wrong)).not.toContain("wrong-password");
      expect((await check({}, {})).error?.code).toBe("SOURCE_CREDENTIALS");
      expect(await codeOf({ database: "missing" })).toBe("SOURCE_EMPTY");
      expect(await codeOf({ user: "shop-reader" }, { password: "shop-password" })).toBe("SOURCE_EMPTY");
      expect(await codeOf({ collections: [{ name: "missing" }] })).toBe("SOURCE_NOT_FOUND");
      expect(await codeOf({ port: 9 })).toBe("SOURCE_UNREACHABLE");
      expect(await codeOf({ host: "nowhere.invalid" })).toBe("SOURCE_UNREACHABLE");
      expect(await codeOf({ host: "169.254.169.254" })).toBe("SOURCE_FORBIDDEN");
      expect(await codeOf({ host: "localhost", allowPrivateHosts: false })).toBe("SOURCE_FORBIDDEN");
      const { summary } = await check();
      expect(summary).toMatch(/can be read: 1 document in "a" and at least 1,000 documents in "b"\.$/);
    });

    it.skipIf(!hasOpenssl())("encrypts where the server can, and looks at its certificate when told to", async () => {
      const secure = new FakeMongodb(await createCertificate("localhost"));
      await secure.start();
      secure.users.set("reader", reader);
      secure.put(database, "a", { _id: 1 });
      const limits = { ...defaultLimits, requestTimeoutMs: 2000 };
      const codeOf = async (tls: string) => {
        const config = configOf({ host: "localhost", port: secure.port, tls });
        return (await mongodbConnector.check(config, secrets, { ...context, limits })).error?.code;
      };
      for (const tls of ["prefer", "require"]) expect(await codeOf(tls)).toBeUndefined();
      for (const tls of ["disable", "verify"]) expect(await codeOf(tls)).toBe("SOURCE_UNREACHABLE");
      await secure.stop();
    });

    it("gives up on a server that accepts and then says nothing, and on one without the TLS it was told", async () => {
      const silent = createServer(() => {});
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
      const { port } = silent.address() as { port: number };
      const limits = { ...defaultLimits, requestTimeoutMs: 300 };
      const check = (config: Record<string, unknown>) =>
        mongodbConnector.check(configOf(config), secrets, { ...context, limits });
      expect((await check({ port })).error?.code).toBe("SOURCE_UNREACHABLE");
      expect((await check({ port, tls: "disable" })).error?.code).toBe("SOURCE_UNREACHABLE");
      expect((await check({ tls: "require" })).error?.code).toBe("SOURCE_UNREACHABLE");
      silent.close();
    });
  });
});
