import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { nobody, workspaceMembers, workspaceUser, type Acl, type Principal } from "@anneal/core/access/acl";
import type { SourceAcl } from "@anneal/core/access/acl-origins";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import type { Scope } from "@anneal/db/database";
import { saveMember, saveUser, saveWorkspace } from "@anneal/db/queries/access";
import { listAuditEvents } from "@anneal/db/queries/audit";
import { upsertDocument } from "@anneal/db/queries/synced-documents";
import { replaceDirectory } from "@anneal/db/queries/directory";
import { countStatements } from "@anneal/db/testing/count-statements";
import { addSource, addWorkspace } from "@anneal/db/testing/source-fixture";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { loadIdentity, type Identity, type Role } from "#server/auth/identity.ts";
import { appRouter } from "#server/root.ts";

// An administrator can look at the documents as a member does, and learns no more by it than before.

let test: TestDatabase;
let scope: Scope;
/** Finance holds Ann, Legal holds Ben, and nobody holds the administrator. */
let people: Record<"admin" | "scientist" | "ann" | "ben", Identity>;

const principal = (kind: Principal["kind"], id: string): Principal => ({ source: "drive", tenant: "t", kind, id });
const [finance, legal] = [principal("group", "finance"), principal("group", "legal")];
const allow = (...principals: Principal[]): Acl => ({ allow: principals, deny: [] });
const page = { limit: 50, offset: 0 };

beforeAll(async () => {
  test = await startTestDatabase();
});

afterAll(() => test?.stop());

beforeEach(async () => {
  scope = await addWorkspace(test.db);
  const { workspaceId } = scope;
  const [drive, wiki] = [await addSource(scope), await addSource(scope)];
  const [ann, ben] = [await join("member"), await join("member")];
  await replaceDirectory(scope, drive, directoryOf({ finance: ann.email, legal: ben.email }));
  await addDocument(drive, "budget.pdf", allow(finance), "application/pdf");
  await addDocument(drive, "forecast.md", allow(finance), "text/markdown");
  await addDocument(drive, "contract.pdf", allow(legal), "application/pdf");
  await addDocument(drive, "dispute.md", { allow: [workspaceMembers(workspaceId)], deny: [finance] }, "text/markdown");
  await addDocument(wiki, "leave.md", allow(workspaceMembers(workspaceId)), "text/markdown");
  await addDocument(wiki, "unknown.md", nobody, "text/markdown");
  people = {
    admin: await held(await join("admin")),
    scientist: await held(await join("data_scientist")),
    ann: await held(ann),
    ben: await held(ben),
  };
});

type Person = Pick<Identity, "userId" | "email" | "role">;

async function join(role: Role, { workspaceId } = scope): Promise<Person> {
  const email = `${randomUUID()}@example.com`;
  const { id: userId } = await saveUser(test.db, { email, name: role, passwordHash: null });
  await saveMember({ db: test.db, workspaceId }, userId, role);
  return { userId, email, role };
}

/** As a request of theirs is met. */
const held = async (person: Person) =>
  loadIdentity(test.db, { ...person, workspaceId: scope.workspaceId, via: { kind: "session" } });

async function addDocument(sourceId: string, ref: string, acl: SourceAcl, mediaType: string): Promise<void> {
  const facts = { uri: ref, title: ref, mediaType, sizeBytes: 1, modifiedAt: null, fingerprint: ref };
  await upsertDocument(scope, sourceId, { ref, acl, ...facts }, { contentHash: ref, contentKey: ref, sizeBytes: 1 });
}

async function* stream(entries: DirectoryEntry[]): AsyncIterable<DirectoryEntry> {
  yield* entries;
}

/** Groups with one account each. */
async function* directoryOf(groups: Record<string, string>): AsyncIterable<DirectoryEntry> {
  for (const [group, email] of Object.entries(groups)) {
    const account = principal("user", `${group}-clerk`);
    yield { type: "user", principal: account, name: group, emails: [email] };
    yield { type: "group", principal: principal("group", group), name: group, members: [account] };
  }
}

const as = (identity: Identity) => appRouter.createCaller({ db: test.db, identity }).documents;
const looks = async () => (await listAuditEvents(scope, { search: "document.viewAs" }, page)).rows;

it("the document's page says through which group somebody may read, and where the group has it from", async () => {
  const [sourceId, ref] = [await addSource(scope), "report.md"];
  const inherited = { allow: [{ ...finance, inheritedFrom: "/Reports" }, legal], deny: [] };
  await addDocument(sourceId, ref, inherited, "text/markdown");
  const [row] = (await as(people.admin).list({ ...page, sourceId })).rows;
  const readers = await as(people.admin).readers({ documentId: row!.id });
  const of = ({ email }: Identity) => readers.find((reader) => reader.email === email);
  expect(of(people.ann)).toMatchObject({ by: finance, path: ["finance", "finance"], inheritedFrom: "/Reports" });
  expect(of(people.ben)).toMatchObject({ by: legal, inheritedFrom: null });
  const seen = await as(people.admin).get({ documentId: row!.id });
  expect(seen.readers.deny).toEqual([]);
  expect(seen.readers.allow).toMatchObject([
    { principal: finance, inheritedFrom: "/Reports" },
    { principal: legal, inheritedFrom: null },
  ]);
});

it("tells an administrator who may not read a document what denies it, or that nothing admits them, and nobody else", async () => {
  const sourceId = await addSource(scope);
  await replaceDirectory(scope, sourceId, directoryOf({ interns: people.admin.email }));
  const interns = principal("group", "interns");
  const open = allow(workspaceMembers(scope.workspaceId));
  await addDocument(sourceId, "denied.md", { ...open, deny: [{ ...interns, inheritedFrom: "/HR" }] }, "text/markdown");
  await addDocument(sourceId, "others.md", allow(finance), "text/markdown");
  await addDocument(sourceId, "open.md", open, "text/markdown");
  const admin = await held(people.admin);
  const rows = (await as(admin).list({ ...page, sourceId })).rows;
  const seenBy = async (identity: Identity, ref: string) =>
    as(identity).get({ documentId: rows.find(({ title }) => title === ref)!.id });
  expect((await seenBy(admin, "denied.md")).refusal).toMatchObject({
    readable: false,
    by: interns,
    path: ["interns", "interns"],
    inheritedFrom: "/HR",
  });
  expect((await seenBy(admin, "others.md")).refusal).toMatchObject({ readable: false, by: null });
  expect((await seenBy(admin, "open.md")).refusal).toBeNull();
  expect(await seenBy(people.ann, "denied.md")).toMatchObject({ readable: true, refusal: null });
});

describe("a document that a folder closes to some whom its own rights admit", () => {
  const others = principal("group", "others");
  const closed = [{ container: "/Reports", to: [others] }];

  async function report(): Promise<string> {
    const sourceId = await addSource(scope);
    await replaceDirectory(
      scope,
      sourceId,
      stream([
        { type: "user", principal: principal("user", "ben"), name: "Ben", emails: [people.ben.email] },
        { type: "group", principal: others, name: "everyone with an account", members: [principal("user", "ben")] },
      ]),
    );
    const acl = { allow: [finance], deny: [], closed };
    await addDocument(sourceId, "report.md", acl, "text/markdown");
    return (await as(people.admin).list({ ...page, sourceId })).rows[0]!.id;
  }

  it("names the folder to an administrator, with whom it keeps out", async () => {
    const documentId = await report();
    const { readers } = await as(people.admin).get({ documentId });
    expect(readers.closed).toMatchObject([
      { container: "/Reports", to: [{ words: "everyone with an account", principal: others, count: 1 }] },
    ]);
    const members = await as(people.admin).readers({ documentId });
    const of = ({ email }: Identity) => members.find((reader) => reader.email === email);
    const path = ["everyone with an account", "Ben"];
    expect(of(people.ben)).toMatchObject({ readable: false, by: others, path, closedBy: "/Reports" });
    expect(of(people.ann)).toMatchObject({ readable: true, by: finance, closedBy: null });
    expect(of(people.scientist)).toMatchObject({ readable: false, by: null, closedBy: null });
  });

  it("tells neither the folder nor whom it keeps out to anybody else", async () => {
    const seen = await as(people.ann).get({ documentId: await report() });
    expect(seen.readable).toBe(true);
    expect(seen.readers.closed).toEqual([]);
    expect(JSON.stringify(seen)).not.toMatch(/Reports|others/);
  });
});

it("the document's page asks no more often for many members than for few", async () => {
  const counted = countStatements(test.appUrl);
  try {
    const documentId = (await as(people.admin).list(page)).rows[0]!.id;
    const { documents } = appRouter.createCaller({ db: counted.db, identity: people.admin });
    const count = async () => {
      let members = 0;
      const statements = await counted.count(async () => (members = (await documents.readers({ documentId })).length));
      return { members, statements };
    };
    const few = await count();
    for (let index = 0; index < 10; index += 1) await join("member");
    expect(await count()).toEqual({ members: few.members + 10, statements: few.statements });
  } finally {
    await counted.close();
  }
});

describe("who may read a document, on its page", () => {
  const sid = (rid: number) => `S-1-5-21-397955417-626881126-188441444-${rid}`;
  const windows = (kind: Principal["kind"], rid: number): Principal => ({
    ...principal(kind, sid(rid)),
    source: "smb",
  });
  const [board, clerks, stranger, unnamed] = [
    windows("group", 1),
    windows("group", 2),
    windows("group", 3),
    windows("user", 4),
  ];

  async function share(): Promise<string> {
    const sourceId = await addSource(scope);
    const account = windows("user", 5);
    const entries: DirectoryEntry[] = [
      { type: "user", principal: account, name: "Ann Lee", emails: [people.ann.email] },
      { type: "group", principal: board, name: "Board", members: [windows("user", 6)] },
      { type: "group", principal: clerks, name: "Clerks", members: [account] },
    ];
    await replaceDirectory(scope, sourceId, stream(entries));
    const readers = [board, clerks, stranger, unnamed, account, workspaceUser(scope.workspaceId, people.ben.userId)];
    await addDocument(sourceId, "plan.md", { allow: readers, deny: [windows("group", 7)] }, "text/markdown");
    const [row] = (await as(people.admin).list({ ...page, sourceId })).rows;
    return row!.id;
  }
  const words = (readers: { words: string; count: number }[]) =>
    readers.map((reader) => `${reader.words} ${reader.count}`);

  it("is told to an administrator by the names of the sources' directories, with the ids behind them", async () => {
    const { readers } = await as(people.admin).get({ documentId: await share() });
    expect(words(readers.allow)).toEqual([
      "Board 1",
      "Clerks 1",
      `An account or group of unknown name (${sid(3)}) 1`,
      `An account of unknown name (${sid(4)}) 1`,
      "Ann Lee 1",
      `${people.ben.email} 1`,
    ]);
    expect(readers.allow[0]).toMatchObject({ kind: "group", source: "smb", principal: board });
    expect(words(readers.deny)).toEqual([`An account or group of unknown name (${sid(7)}) 1`]);
  });

  it("is told to others without an id and without a name, but for what they are themselves and are in", async () => {
    const documentId = await share();
    const ann = await held(people.ann);
    const seen = await as(ann).get({ documentId });
    expect(words(seen.readers.allow)).toEqual([
      "An account or group 2",
      "Clerks, which you are in 1",
      "An account 1",
      "You 1",
      "A member of this workspace 1",
    ]);
    expect(words(seen.readers.deny)).toEqual(["An account or group 1"]);
    expect(JSON.stringify(seen)).not.toMatch(/S-1-5|Board|Ann Lee/);
    const ben = await as(people.ben).get({ documentId });
    expect(words(ben.readers.allow)).toContain("You 1");
    expect(JSON.stringify(ben)).not.toMatch(/S-1-5|Board|Clerks|Ann Lee/);
    expect(JSON.stringify(ben)).not.toContain(people.ann.email);
  });
});

it("the name of a folder is not told to somebody who may read one document that lies in it", async () => {
  const [sourceId, ref] = [await addSource(scope), "offer.md"];
  const inherited = { allow: [{ ...finance, inheritedFrom: "/Finance/Layoffs 2027" }, legal], deny: [] };
  await addDocument(sourceId, ref, inherited, "text/markdown");
  const [row] = (await as(people.ben).list({ ...page, sourceId })).rows;
  const seen = await as(people.ben).get({ documentId: row!.id });
  expect(seen.readable).toBe(true);
  expect(seen.readers.allow).toMatchObject([
    { words: "finance", inheritedFrom: null, principal: null },
    { words: "legal", inheritedFrom: null, principal: null },
  ]);
  expect(JSON.stringify([row, seen])).not.toContain("Layoffs");
});

describe("an administrator who views the documents as a member", () => {
  it("sees the rows, the count and the facets that the member sees", async () => {
    const refsOf = ({ rows }: { rows: { ref: string }[] }) => rows.map(({ ref }) => ref).toSorted();
    const expected = {
      ann: ["budget.pdf", "forecast.md", "leave.md"],
      ben: ["contract.pdf", "dispute.md", "leave.md"],
    };
    for (const name of ["ann", "ben"] as const) {
      const viewAs = people[name].userId;
      const [own, viewed] = [await as(people[name]).list(page), await as(people.admin).list({ ...page, viewAs })];
      expect(refsOf(viewed)).toEqual(expected[name]);
      expect([viewed.total, refsOf(viewed)]).toEqual([own.total, refsOf(own)]);
      const pdf = { ...page, mediaType: "application/pdf" };
      expect((await as(people.admin).list({ ...pdf, viewAs })).total).toBe((await as(people[name]).list(pdf)).total);

      const facets = await as(people.admin).facets({ viewAs });
      expect(facets).toEqual(await as(people[name]).facets());
      expect(facets.status).toEqual([{ value: "fetched", count: 3 }]);
      expect(new Map(facets.mediaType.map(({ value, count }) => [value, count]))).toEqual(
        new Map([
          ["application/pdf", 1],
          ["text/markdown", 2],
        ]),
      );
      expect(facets.source.map(({ count }) => count)).toEqual([2, 1]);
    }
    expect((await as(people.admin).list(page)).total).toBe(6);
    expect((await as(people.admin).facets()).status).toEqual([{ value: "fetched", count: 6 }]);
  });

  it("may open no more than before: a row that only the member may read stays marked, and its text stays closed", async () => {
    const { rows } = await as(people.admin).list({ ...page, viewAs: people.ann.userId });
    expect(new Map(rows.map(({ ref, readable }) => [ref, readable]))).toEqual(
      new Map([
        ["budget.pdf", false],
        ["forecast.md", false],
        ["leave.md", true],
      ]),
    );
    const budget = rows.find(({ ref }) => ref === "budget.pdf")!;
    await expect(as(people.admin).text({ documentId: budget.id })).rejects.toMatchObject({ code: "FORBIDDEN" });
  });

  it("follows a change of the member's groups with the next request", async () => {
    const viewAs = people.ann.userId;
    const [drive] = (await as(people.admin).list({ ...page, search: "budget" })).rows;
    await replaceDirectory(scope, drive!.sourceId, directoryOf({ legal: people.ben.email }));
    const { rows } = await as(people.admin).list({ ...page, viewAs });
    expect(rows.map(({ ref }) => ref).toSorted()).toEqual(["dispute.md", "leave.md"]);
  });

  it("is recorded once for each member that is looked at, however often the page asks", async () => {
    const { admin, ann, ben } = people;
    const asked = [ann, ann, ben].flatMap(({ userId: viewAs }) => [
      as(admin).list({ ...page, viewAs }),
      as(admin).facets({ viewAs }),
    ]);
    await Promise.all(asked);
    await as(admin).list(page);
    const events = await looks();
    expect(events.map(({ subject }) => subject).toSorted()).toEqual(
      [`user:${ann.email}`, `user:${ben.email}`].toSorted(),
    );
    expect(events).toMatchObject([
      { actor: admin.email, allowed: true },
      { actor: admin.email, allowed: true },
    ]);
  });

  it("is told when there is no such member of the workspace, and nothing is recorded", async () => {
    const { id: elsewhere } = await saveWorkspace(test.db, { slug: randomUUID(), name: "Elsewhere" });
    const stranger = await join("member", { db: test.db, workspaceId: elsewhere });
    for (const viewAs of [stranger.userId, randomUUID()])
      await expect(as(people.admin).list({ ...page, viewAs })).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await looks()).toEqual([]);
  });
});

it("refuses a member's view to whoever is no administrator, their own included", async () => {
  const { ann, ben, scientist } = people;
  for (const [asker, viewed] of [
    [ann, ben],
    [ann, ann],
    [scientist, ann],
  ] as const) {
    const viewAs = viewed.userId;
    await expect(as(asker).list({ ...page, viewAs })).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(as(asker).facets({ viewAs })).rejects.toMatchObject({ code: "FORBIDDEN" });
  }
  expect(await looks()).toEqual([]);
});
