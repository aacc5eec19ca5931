import { randomBytes, randomUUID } from "node:crypto";
import { nobody, workspaceMembers, type Acl } from "@anneal/core/access/acl";
import { defaultDeletionPolicy, refuseDeletions, withMissingRefs } from "@anneal/core/connect/deletion-policy";
import type { Scope } from "@anneal/db/database";
import { saveMember, saveUser, saveWorkspace } from "@anneal/db/queries/access";
import { getSource } from "@anneal/db/queries/sources";
import { upsertDocument } from "@anneal/db/queries/synced-documents";
import { listDocuments } from "@anneal/db/queries/documents";
import { createFingerprintReader } from "@anneal/db/queries/fingerprint-reader";
import { beginSync, endSync } from "@anneal/db/queries/source-syncs";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { createIdentity, type Identity } from "#server/auth/identity.ts";
import { appRouter } from "#server/root.ts";

// Whom documents without readers of their own are shown to, whatever is done with their source.

let test: TestDatabase;
let scope: Scope;
let admin: Identity;

beforeAll(async () => {
  test = await startTestDatabase();
  vi.stubEnv("ANNEAL_DATABASE_URL", test.appUrl);
  vi.stubEnv("ANNEAL_ENCRYPTION_KEY", randomBytes(32).toString("base64"));
  vi.stubEnv("NEXTAUTH_SECRET", "s".repeat(32));
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await test?.stop();
});

beforeEach(async () => {
  const { id: workspaceId } = await saveWorkspace(test.db, { slug: randomUUID(), name: "Test" });
  scope = { db: test.db, workspaceId };
  const email = `${randomUUID()}@example.com`;
  const { id: userId } = await saveUser(test.db, { email, name: "Ada", passwordHash: null });
  await saveMember(scope, userId, "admin");
  admin = createIdentity({ userId, email, workspaceId, role: "admin", via: { kind: "session" } });
});

const connect = () => appRouter.createCaller({ db: test.db, identity: admin }).connect;
const folder = (path: string, audience: "members" | "nobody", name = "Board") => ({
  name,
  kind: "file",
  config: { path },
  audience,
  schedule: null,
});
const put = (sourceId: string, ref: string, acl: Acl | null = null) =>
  upsertDocument(
    scope,
    sourceId,
    { ref, uri: ref, title: null, mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: "1", acl },
    { contentHash: ref, contentKey: ref, sizeBytes: 1 },
  );
const seenByMembers = async () => {
  const readers = [workspaceMembers(scope.workspaceId)];
  return (await listDocuments(scope, { readers }, { limit: 10, offset: 0 })).rows.map(({ ref }) => ref);
};

it("gives a new source nothing of a removed one that had its name, which can still be taken back", async () => {
  const { sourceId: old } = await connect().create(folder("/srv/board", "nobody"));
  await put(old, "salaries.txt");
  await connect().remove({ sourceId: old });

  const { sourceId } = await connect().create(folder("/srv/public", "members"));
  expect(sourceId).not.toBe(old);
  const documentCounts = async () => (await connect().list()).map(({ name, documentCount }) => [name, documentCount]);
  expect(await documentCounts()).toEqual([["Board", 0]]);
  expect(await seenByMembers()).toEqual([]);

  await connect().restore({ sourceId: old });
  expect(await getSource(scope, old)).toMatchObject({ config: { path: "/srv/board" }, defaultAcl: nobody });
  expect((await documentCounts()).toSorted()).toEqual([
    [`Board (removed ${old.slice(0, 8)})`, 1],
    ["Board", 0],
  ]);
  expect(await seenByMembers()).toEqual([]);
});

it("shows nobody what was read from another address, whatever its readers are from then on", async () => {
  const { sourceId } = await connect().create(folder("/srv/payroll", "nobody"));
  await put(sourceId, "salaries.txt");
  expect(await connect().update({ sourceId, ...folder("/srv/public", "members") })).toMatchObject({
    isElsewhere: true,
  });
  expect(await seenByMembers()).toEqual([]);
  await connect().update({ sourceId, ...folder("/srv/public", "nobody") });
  await connect().update({ sourceId, ...folder("/srv/public", "members") });
  expect(await seenByMembers()).toEqual([]);

  // What is there too is read again, and has the readers of the address that it was read from.
  await put(sourceId, "salaries.txt");
  expect(await seenByMembers()).toEqual(["salaries.txt"]);
});

it("shows nobody what refuses somebody of another address, whom nobody tells of from then on", async () => {
  const list = (host: string) => ({
    name: "Desk",
    kind: "rest",
    audience: "nobody" as const,
    schedule: null,
    config: { url: `https://${host}`, list: "articles", id: "id", allow: "readers", deny: "except" },
  });
  const { sourceId } = await connect().create(list("desk.example"));
  const allow = [workspaceMembers(scope.workspaceId)];
  await put(sourceId, "1", { allow, deny: [] });
  await put(sourceId, "2", { allow, deny: [{ source: "rest", tenant: "desk", kind: "user", id: "ann@example.com" }] });
  expect(await connect().update({ sourceId, ...list("help.example") })).toMatchObject({ isElsewhere: true });
  expect(await seenByMembers()).toEqual(["1"]);
});

it("shows nobody what was read without readers of its own, from when its documents bring them", async () => {
  const shared = (permissions: "off" | "posix") => ({
    ...folder("/srv/board", "members"),
    config: { path: "/srv/board", permissions, userEmailDomain: "example.com" },
  });
  const { sourceId } = await connect().create(shared("off"));
  await put(sourceId, "salaries.txt");
  await put(sourceId, "holidays.txt");
  expect(await seenByMembers()).toHaveLength(2);
  expect(await connect().update({ sourceId, ...shared("posix") })).toMatchObject({
    isElsewhere: false,
    hasOtherReaders: true,
  });
  expect(await seenByMembers()).toEqual([]);
  // What has readers by now keeps them with the next change, and nothing is kept back that is read again.
  await put(sourceId, "holidays.txt", { allow: [workspaceMembers(scope.workspaceId)], deny: [] });
  expect(await connect().update({ sourceId, ...shared("posix"), name: "Boards" })).toMatchObject({
    hasOtherReaders: false,
  });
  expect(await seenByMembers()).toEqual(["holidays.txt"]);

  // Without them again, it is what is read from then on that has the source's audience.
  expect(await connect().update({ sourceId, ...shared("off") })).toMatchObject({ hasOtherReaders: true });
  expect(await seenByMembers()).toEqual([]);
  const held = createFingerprintReader(scope, sourceId);
  for (const ref of ["holidays.txt", "salaries.txt"]) {
    expect(await held.fingerprintOf(ref)).toBe("");
    await put(sourceId, ref);
  }
  expect((await seenByMembers()).toSorted()).toEqual(["holidays.txt", "salaries.txt"]);
});

it("shows nobody what was read on an administrator's word, from when it is taken back", async () => {
  const wiki = (hiddenRestrictions: "possible" | "none") => ({
    name: "Wiki",
    kind: "confluence",
    audience: "members" as const,
    schedule: null,
    config: { url: "https://a.example", email: "reader@example.com", hiddenRestrictions },
  });
  const { sourceId } = await connect().create({ ...wiki("none"), secrets: { token: "t" } });
  const acl = { allow: [workspaceMembers(scope.workspaceId)], deny: [] };
  await put(sourceId, "KB/1", acl);
  expect(await connect().update({ sourceId, ...wiki("possible") })).toMatchObject({ hasOtherReaders: true });
  expect(await seenByMembers()).toEqual([]);
  await put(sourceId, "KB/1", acl);
  expect(await connect().update({ sourceId, ...wiki("none") })).toMatchObject({ hasOtherReaders: false });
  expect(await seenByMembers()).toEqual(["KB/1"]);
});

it("shows nobody what was read of a table without readers of its own, from when its rows bring them", async () => {
  const database = (tables: { name: string; owner?: string }[]) => ({
    name: "Desk",
    kind: "postgres",
    audience: "members" as const,
    schedule: null,
    config: { host: "db.example.com", database: "desk", user: "reader", tables },
  });
  const notes = { name: "notes", owner: "user_id" };
  const { sourceId } = await connect().create(database([notes, { name: "faq" }, { name: "public.calls" }]));
  for (const ref of ["faq/1", "calls/1", "calls/2", "calls_old/1"]) await put(sourceId, ref);
  const owned = database([notes, { name: "faq" }, { name: "public.calls", owner: "agent" }]);
  expect(await connect().update({ sourceId, ...owned })).toMatchObject({ hasOtherReaders: true });
  expect((await seenByMembers()).toSorted()).toEqual(["calls_old/1", "faq/1"]);

  await put(sourceId, "calls/2", { allow: [workspaceMembers(scope.workspaceId)], deny: [] });
  expect(await connect().update({ sourceId, ...owned, name: "Help desk" })).toMatchObject({ hasOtherReaders: false });
  expect((await seenByMembers()).toSorted()).toEqual(["calls/2", "calls_old/1", "faq/1"]);
});

it("shows nobody what was read of a table for its old owners, from when another column names them", async () => {
  const database = (owner: string | null) => ({
    name: "Desk",
    kind: "postgres",
    audience: "nobody" as const,
    schedule: null,
    config: {
      host: "db.example.com",
      database: "desk",
      user: "reader",
      tables: [
        { name: "notes", owner: "user_id" },
        { name: "calls", owner },
      ],
    },
  });
  // One that only ever fails is not read again.
  const readers = { allow: [workspaceMembers(scope.workspaceId)], deny: [] };
  const { sourceId } = await connect().create(database("agent"));
  for (const ref of ["notes/1", "calls/1", "calls/2", "calls_old/1"]) await put(sourceId, ref, readers);
  expect(await connect().update({ sourceId, ...database("customer") })).toMatchObject({ hasOtherReaders: true });
  expect((await seenByMembers()).toSorted()).toEqual(["calls_old/1", "notes/1"]);
  const held = createFingerprintReader(scope, sourceId);
  expect([await held.fingerprintOf("calls/1"), await held.fingerprintOf("notes/1")]).toEqual(["", "1"]);

  await put(sourceId, "calls/2", readers);
  expect(await connect().update({ sourceId, ...database("customer") })).toMatchObject({ hasOtherReaders: false });
  expect((await seenByMembers()).toSorted()).toEqual(["calls/2", "calls_old/1", "notes/1"]);
  // Owners were no part of the audience that counts for rows without any.
  await connect().update({ sourceId, ...database(null) });
  expect((await seenByMembers()).toSorted()).toEqual(["calls_old/1", "notes/1"]);
});

it.each([
  ["notion", {}, { token: "ntn_first" }, { token: "ntn_other" }],
  [
    "azure-blob",
    { container: "papers" },
    { connectionString: "AccountName=first;AccountKey=aa" },
    { connectionString: "AccountName=other;AccountKey=bb" },
  ],
  ["gdrive", {}, { serviceAccountKey: '{"client_email":"first"}' }, { serviceAccountKey: '{"client_email":"other"}' }],
  [
    "rest",
    { url: "https://desk.example", list: "articles", id: "id", content: ["text"], signIn: "bearer" },
    { token: "first" },
    { token: "other" },
  ],
])(
  "shows nobody what was read of %s with credentials that others, for whichever account, replace",
  async (...given) => {
    const [kind, config, first, other] = given as [string, object, Record<string, string>, Record<string, string>];
    const source = (secrets: Record<string, string> | undefined, audience: "members" | "nobody") => {
      return { name: "Papers", kind, config: { ...config }, secrets, audience, schedule: null };
    };
    const { sourceId } = await connect().create(source(first, "nobody"));
    await put(sourceId, "salaries.txt");
    expect(await connect().update({ sourceId, ...source(other, "members") })).toMatchObject({ isElsewhere: true });
    expect(await seenByMembers()).toEqual([]);
    await put(sourceId, "holidays.txt");

    // The same ones again are no others, and end no reading.
    const { revision } = await getSource(scope, sourceId);
    for (const secrets of [undefined, other])
      expect(await connect().update({ sourceId, ...source(secrets, "members") })).toMatchObject({ isElsewhere: false });
    expect(await seenByMembers()).toEqual(["holidays.txt"]);
    expect(await getSource(scope, sourceId)).toMatchObject({ revision });
  },
);

it("keeps what was read of an account that the settings name, with whichever credentials", async () => {
  const blobs = (sasToken: string) => ({
    name: "Papers",
    kind: "azure-blob",
    config: { accountUrl: "https://papers.blob.core.windows.net", container: "papers" },
    secrets: { sasToken },
    audience: "members" as const,
    schedule: null,
  });
  const { sourceId } = await connect().create(blobs("sig=first"));
  await put(sourceId, "holidays.txt");
  const { revision } = await getSource(scope, sourceId);
  expect(await connect().update({ sourceId, ...blobs("sig=renewed") })).toMatchObject({ isElsewhere: false });
  expect(await seenByMembers()).toEqual(["holidays.txt"]);
  // Whoever reads goes on with the new ones.
  expect(await getSource(scope, sourceId)).toMatchObject({ revision: revision + 1 });
});

it("shows nobody what was read as another user, where each begins in a folder of their own", async () => {
  const files = (user: string, audience: "members" | "nobody") => ({
    name: "Home",
    kind: "sftp",
    config: { host: "files.example", user },
    audience,
    schedule: null,
  });
  const { sourceId } = await connect().create(files("ann", "nobody"));
  await put(sourceId, "diary.txt");
  expect(await connect().update({ sourceId, ...files("reader", "members") })).toMatchObject({ isElsewhere: true });
  expect(await seenByMembers()).toEqual([]);
});

it("shows nobody what refuses somebody, from when other settings say who people are", async () => {
  const share = (groups: { sid: string; name: string; members: string[] }[]) => ({
    name: "Board",
    kind: "smb",
    config: { host: "files.example", share: "Board", user: "reader", groups },
    audience: "nobody" as const,
    schedule: null,
  });
  const contractors = { sid: "S-1-5-21-1-2-3-1001", name: "contractors", members: ["S-1-5-21-1-2-3-1002"] };
  const { sourceId } = await connect().create(share([contractors]));
  const allow = [workspaceMembers(scope.workspaceId)];
  await put(sourceId, "holidays.txt", { allow, deny: [] });
  const refused = { source: "smb", tenant: sourceId, kind: "group" as const, id: contractors.sid };
  await put(sourceId, "plan.txt", { allow, deny: [refused] });
  const unchanged = await connect().update({ sourceId, ...share([contractors]) });
  expect(unchanged).toMatchObject({ hasOtherPeople: false });
  expect(await seenByMembers()).toHaveLength(2);
  const changed = await connect().update({ sourceId, ...share([]) });
  expect(changed).toMatchObject({ isElsewhere: false, hasOtherReaders: false, hasOtherPeople: true });
  expect(await seenByMembers()).toEqual(["holidays.txt"]);
});

it("keeps what is read at the address that stays", async () => {
  const { sourceId } = await connect().create(folder("/srv/handbook", "nobody"));
  await put(sourceId, "holidays.txt");
  const changed = await connect().update({ sourceId, ...folder("/srv/handbook", "members", "Handbook") });
  expect(changed).toMatchObject({ isElsewhere: false });
  expect(await seenByMembers()).toEqual(["holidays.txt"]);
});

it("forgets deletions that were held back at another address: what a confirmation would delete here is not known", async () => {
  const { sourceId } = await connect().create(folder("/srv/handbook", "members"));
  await put(sourceId, "holidays.txt");
  const sync = { id: randomUUID(), sourceId, runId: null, startedBy: "ada" };
  const counts = await beginSync(scope, sync);
  const heldBack = withMissingRefs(refuseDeletions(defaultDeletionPolicy, 1, 1)!, ["holidays.txt"]);
  await endSync(scope, { ...sync, counts }, { status: "done", heldBack });
  const missing = async () => (await connect().get({ sourceId })).missingDocuments.map(({ ref }) => ref);

  await connect().update({ sourceId, ...folder("/srv/handbook", "nobody", "Handbook") });
  expect(await missing()).toEqual(["holidays.txt"]);
  await connect().update({ sourceId, ...folder("/srv/elsewhere", "nobody", "Handbook") });
  expect(await missing()).toEqual([]);
  expect(await connect().get({ sourceId })).toMatchObject({ lastSyncAt: null, lastSyncError: null });
});
