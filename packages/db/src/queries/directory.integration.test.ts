import { principalKey, type Principal } from "@anneal/core/access/acl";
import { explainAccess } from "@anneal/core/access/explain-access";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import fc from "fast-check";
import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import type { Scope } from "../database.ts";
import { saveWorkspace } from "./access.ts";
import { deleteSource, saveSource } from "./sources.ts";
import { listHeldPrincipals, listMemberships, listPrincipalNames, replaceDirectory } from "./directory.ts";

let database: TestDatabase;
let scope: Scope;

beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database?.stop());
beforeEach(async () => {
  const { id } = await saveWorkspace(database.db, { slug: `w-${randomUUID()}`, name: "Directory" });
  scope = { db: database.db, workspaceId: id };
});

const principal = (kind: "user" | "group", id: string, tenant = "t1"): Principal => ({
  source: "sharepoint",
  tenant,
  kind,
  id,
});
const user = (id: string, emails: string[], tenant?: string): DirectoryEntry => ({
  type: "user",
  principal: principal("user", id, tenant),
  name: `${id} by name`,
  emails,
});
const group = (id: string, members: Principal[], tenant?: string): DirectoryEntry => ({
  type: "group",
  principal: principal("group", id, tenant),
  name: `Group ${id}`,
  members,
});

async function addSource(name = randomUUID()): Promise<string> {
  const id = randomUUID();
  const acl = { allow: [], deny: [] };
  await saveSource(scope, { id, name, kind: "file", config: {}, sealedSecrets: null, defaultAcl: acl, schedule: null });
  return id;
}

const report = (sourceId: string, entries: DirectoryEntry[]) => replaceDirectory(scope, sourceId, stream(entries));
const held = async (email: string, where = scope) =>
  (await listHeldPrincipals(where, email)).map(({ tenant, kind, id }) => `${tenant} ${kind} ${id}`).sort();

async function* stream(entries: DirectoryEntry[]): AsyncIterable<DirectoryEntry> {
  yield* entries;
}

/** A reading that tells one entry and then holds, until it is let go on with the others. */
function readSlowly(sourceId: string, first: DirectoryEntry, others: DirectoryEntry[]) {
  const [told, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  async function* entries() {
    yield first;
    told.resolve();
    await goOn.promise;
    yield* others;
  }
  const done = replaceDirectory(scope, sourceId, entries());
  return { told: told.promise, goOn: goOn.resolve, done };
}

describe("two readings of one directory", () => {
  const [ann, bob] = [principal("user", "ann"), principal("user", "bob")];

  it("let no older word come after the newer one, whichever source is slower", async () => {
    const [slow, quick] = [await addSource(), await addSource()];
    const people = [user("ann", ["ann@example.com"]), user("bob", ["bob@example.com", "old@example.com"])];
    await report(quick, [...people, group("board", [ann, bob]), group("choir", [ann])]);
    const older = readSlowly(slow, people[0]!, [people[1]!, group("board", [ann, bob]), group("choir", [ann])]);
    await older.told;
    // Bob has left the board and gave an address up, the choir is empty.
    await report(quick, [people[0]!, user("bob", ["bob@example.com"]), group("board", [ann]), group("choir", [])]);
    older.goOn();
    await older.done;
    expect(await held("bob@example.com")).toEqual(["t1 user bob"]);
    expect(await held("old@example.com")).toEqual([]);
    expect(await held("ann@example.com")).toEqual(["t1 group board", "t1 user ann"]);
    // The next reading of either is the newer one again.
    await report(slow, [...people, group("board", [ann, bob])]);
    expect(await held("bob@example.com")).toEqual(["t1 group board", "t1 user bob"]);
  });

  it("take nothing from what was removed meanwhile: its people and groups are gone and stay so", async () => {
    const sourceId = await addSource();
    const reading = readSlowly(sourceId, user("bob", ["bob@example.com"]), [group("board", [bob])]);
    await reading.told;
    await deleteSource(scope, sourceId);
    reading.goOn();
    await expect(reading.done).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await held("bob@example.com")).toEqual([]);
  });

  it("go on after what alone could not be read, and say what it was", async () => {
    const sourceId = await addSource();
    const all = [user("ann", ["ann@example.com"]), group("board", [ann]), group("choir", [ann])];
    expect(await report(sourceId, all)).toEqual({ users: 1, groups: 2, failure: null });
    const error = { code: "SOURCE_UNREACHABLE", message: "The board is refused.", action: "Sync again." } as const;
    const told = await report(sourceId, [all[0]!, { type: "failure", error }, all[2]!]);
    expect(told).toEqual({ users: 1, groups: 1, failure: error });
    // Who is in a group that cannot be read is nobody.
    expect(await held("ann@example.com")).toEqual(["t1 group choir", "t1 user ann"]);
  });
});

describe("the directory", () => {
  it("names the accounts and groups of the workspace's sources, and nobody that has only an id there", async () => {
    const [ann, clerks, far] = [
      principal("user", "ann"),
      principal("group", "clerks"),
      principal("group", "far", "t2"),
    ];
    const long = principal("group", "g".repeat(2_000));
    await report(await addSource(), [
      user("ann", ["ann@example.com", "lee@example.com"]),
      group("clerks", [ann]),
      { type: "group", principal: long, name: "Long", members: [ann] },
      { type: "group", principal: far, name: far.id, members: [ann] },
    ]);
    const all = [ann, clerks, long, far, principal("group", "clerks", "t2"), principal("user", "ben")];
    expect(await listPrincipalNames(scope, all)).toEqual(
      new Map([
        [principalKey(ann), "ann by name"],
        [principalKey(clerks), "Group clerks"],
        [principalKey(long), "Long"],
      ]),
    );
    expect(await listPrincipalNames(scope, [])).toEqual(new Map());
    const { id } = await saveWorkspace(database.db, { slug: `w-${randomUUID()}`, name: "Another" });
    expect(await listPrincipalNames({ ...scope, workspaceId: id }, all)).toEqual(new Map());
  });

  it("has the name also of an account without an address, who is nobody by that", async () => {
    const source = await addSource();
    const [root, ann] = [principal("user", "root"), principal("user", "ann")];
    const names = async () => [...(await listPrincipalNames(scope, [root, ann])).values()].sort();
    await report(source, [user("root", []), user("ann", ["ann@example.com"]), group("wheel", [root])]);
    expect(await names()).toEqual(["ann by name", "root by name"]);
    for (const email of ["", " ", "root@example.com"]) {
      expect(await held(email)).toEqual([]);
      expect([...(await listMemberships(scope, [email], [principal("group", "wheel")])).values()].flat()).toEqual([]);
    }
    // Who has an address later, or no more, is one account with one name.
    await report(source, [user("root", ["root@example.com"]), user("ann", [" "]), group("wheel", [root])]);
    expect(await held("root@example.com")).toEqual(["t1 group wheel", "t1 user root"]);
    expect(await held("ann@example.com")).toEqual([]);
    expect(await names()).toEqual(["ann by name", "root by name"]);
    await report(source, [user("root", [])]);
    expect(await held("root@example.com")).toEqual([]);
    expect(await names()).toEqual(["root by name"]);
    await deleteSource(scope, source);
    expect(await names()).toEqual([]);
  });

  it("gives a person their accounts by address, and groups through groups", async () => {
    const source = await addSource();
    await report(source, [
      user("ann", ["Ann.Lee@Example.com", "ann@old.example"]),
      user("bob", ["bob@example.com"]),
      group("clerks", [principal("user", "ann")]),
      group("finance", [principal("group", "clerks"), principal("user", "bob")]),
    ]);
    expect(await held("ann.lee@example.com")).toEqual(["t1 group clerks", "t1 group finance", "t1 user ann"]);
    expect(await held("ANN@old.example")).toEqual(["t1 group clerks", "t1 group finance", "t1 user ann"]);
    expect(await held("bob@example.com")).toEqual(["t1 group finance", "t1 user bob"]);
    expect(await held("eve@example.com")).toEqual([]);
  });

  it("takes away what a later enumeration no longer says, and adds what it says", async () => {
    const source = await addSource();
    await report(source, [user("ann", ["a@example.com"]), group("g", [principal("user", "ann")])]);
    await report(source, [user("ann", ["b@example.com"]), group("g", [principal("user", "bob")])]);
    expect(await held("a@example.com")).toEqual([]);
    expect(await held("b@example.com")).toEqual(["t1 user ann"]);
    await report(source, []);
    expect(await held("b@example.com")).toEqual([]);
  });

  it("keeps what was known when an enumeration breaks off", async () => {
    const source = await addSource();
    await report(source, [user("ann", ["a@example.com"]), group("g", [principal("user", "ann")])]);
    const broken = replaceDirectory(
      scope,
      source,
      (async function* () {
        yield user("bob", ["bob@example.com"]);
        throw new Error("the connection broke");
      })(),
    );
    await expect(broken).rejects.toThrow("the connection broke");
    expect(await held("a@example.com")).toEqual(["t1 group g", "t1 user ann"]);
  });

  it("keeps same-named groups of two tenants, and two workspaces, apart", async () => {
    const source = await addSource();
    await report(source, [
      user("ann", ["ann@example.com"], "t1"),
      user("ann", ["other@example.com"], "t2"),
      group("staff", [principal("user", "ann", "t1")], "t1"),
      group("staff", [principal("user", "ann", "t2")], "t2"),
    ]);
    expect(await held("ann@example.com")).toEqual(["t1 group staff", "t1 user ann"]);
    const { id } = await saveWorkspace(database.db, { slug: `w-${randomUUID()}`, name: "Other" });
    expect(await held("ann@example.com", { db: database.db, workspaceId: id })).toEqual([]);
  });

  it("believes the newer word where two sources see one group, and forgets a removed source", async () => {
    const [first, second] = [await addSource(), await addSource()];
    await report(first, [user("ann", ["ann@example.com"]), group("g", [principal("user", "ann")])]);
    await report(second, [group("g", [])]);
    expect(await held("ann@example.com")).toEqual(["t1 user ann"]);
    await report(second, [group("g", [principal("user", "ann")])]);
    await deleteSource(scope, second);
    expect(await held("ann@example.com")).toEqual(["t1 user ann"]);
  });

  it("adds what a source was told some of beside what another one has, and takes nothing of that one's away", async () => {
    const [first, second] = [await addSource(), await addSource()];
    const all = ["ann@example.com", "a.lee@example.com"];
    await report(first, [user("ann", all)]);
    const some = (emails: string[]) => report(second, [{ ...user("ann", emails), partial: true } as DirectoryEntry]);
    await some(["ann@example.com", "new@example.com"]);
    for (const email of [...all, "new@example.com"]) expect(await held(email)).toEqual(["t1 user ann"]);
    // Its own word it takes back.
    await some(["ann@example.com", "newer@example.com"]);
    expect(await held("new@example.com")).toEqual([]);
    expect(await held("newer@example.com")).toEqual(["t1 user ann"]);
    // What both have said stays when it is gone.
    await deleteSource(scope, second);
    expect(await held("newer@example.com")).toEqual([]);
    for (const email of all) expect(await held(email)).toEqual(["t1 user ann"]);
    // Who knows all of them says which are no more, whoever reported them.
    const third = await addSource();
    await report(third, [{ ...user("ann", ["own@example.com"]), partial: true } as DirectoryEntry]);
    await report(first, [user("ann", [])]);
    for (const email of [...all, "own@example.com"]) expect(await held(email)).toEqual([]);
  });

  it("ends at groups that contain each other, and tells the shortest way", async () => {
    const source = await addSource();
    await report(source, [
      user("ann", ["ann@example.com"]),
      group("left", [principal("group", "right"), principal("user", "ann")]),
      group("right", [principal("group", "left")]),
    ]);
    expect(await held("ann@example.com")).toEqual(["t1 group left", "t1 group right", "t1 user ann"]);
    const acl = { allow: [principal("group", "right")], deny: [] };
    const memberships = await listMemberships(scope, ["ann@example.com"], acl.allow);
    expect(explainAccess(acl, [], memberships.get("ann@example.com")!, null).path).toEqual([
      "Group right",
      "Group left",
      "ann by name",
    ]);
  });

  it("tells people apart who are in the same groups by other ways, whatever case their addresses are in", async () => {
    await report(await addSource(), [
      user("ann", ["ann@example.com"]),
      user("bob", ["bob@example.com"]),
      group("inner", [principal("user", "ann")]),
      group("outer", [principal("group", "inner"), principal("user", "bob")]),
    ]);
    const asked = ["Ann@example.com", "bob@example.com", "eve@example.com"];
    const acl = { allow: [principal("group", "outer")], deny: [] };
    const memberships = await listMemberships(scope, asked, acl.allow);
    expect(asked.map((email) => explainAccess(acl, [], memberships.get(email)!, null).path)).toEqual([
      ["Group outer", "Group inner", "ann by name"],
      ["Group outer", "bob by name"],
      [],
    ]);
    expect([...(await listMemberships(scope, [], acl.allow)).keys()]).toEqual([]);
  });

  it("tells of the groups that are asked about and those in them, however many others people are in", async () => {
    const people = ["ann", "bob"].map((id) => principal("user", id));
    const [ann, bob] = people as [Principal, Principal];
    const inner = principal("group", "inner");
    const outer = principal("group", "outer");
    await report(await addSource(), [
      user("ann", ["ann@example.com"]),
      user("bob", ["bob@example.com"]),
      group("inner", [ann]),
      group("outer", [inner]),
      group("everybody", [outer, bob]),
      ...Array.from({ length: 20 }, (_, index) => group(`choir ${index}`, [...people, inner])),
    ]);
    const told = async (about: Principal[]) => {
      const memberships = await listMemberships(scope, ["ann@example.com", "bob@example.com"], about);
      return [...memberships.values()].map((held) => held.map(({ group: { id } }) => id).sort());
    };
    expect(await told([outer])).toEqual([["ann", "inner", "outer"], ["bob"]]);
    expect(await told([principal("group", "choir 7"), ann])).toEqual([
      ["ann", "choir 7", "inner"],
      ["bob", "choir 7"],
    ]);
    expect(await told([])).toEqual([["ann"], ["bob"]]);
  });

  it.each([
    ["of 1,000 bytes", 1000],
    ["of 1,001 bytes", 1001],
    ["of 16 kB", 16 * 1024],
  ])("holds principals whose keys are %s, in groups of their kind", async (_, bytes) => {
    const source = await addSource();
    // Nothing that repeats, so that no compression helps.
    const longId = (principal: (id: string) => Principal) => {
      const id = randomBytes(bytes).toString("base64url");
      return id.slice(0, bytes - principalKey(principal("")).length);
    };
    const ann = longId((id) => principal("user", id));
    const [inner, outer] = [0, 1].map(() => longId((id) => principal("group", id))) as [string, string];
    // All but its end is the same.
    const other = `${outer.slice(0, -1)}${outer.endsWith("x") ? "y" : "x"}`;
    const entries = [
      user(ann, ["ann@example.com"]),
      user("bob", ["bob@example.com"]),
      group(inner, [principal("user", ann)]),
      group(outer, [principal("group", inner)]),
      group(other, [principal("user", "bob")]),
    ];
    await report(source, entries);
    const ofAnn = [`t1 group ${inner}`, `t1 group ${outer}`, `t1 user ${ann}`].sort();
    expect(await held("ann@example.com")).toEqual(ofAnn);
    expect(await held("bob@example.com")).toEqual([`t1 group ${other}`, "t1 user bob"]);
    const denied = { allow: [principal("user", ann)], deny: [principal("group", outer)] };
    const memberships = await listMemberships(scope, ["ann@example.com"], [...denied.allow, ...denied.deny]);
    expect(explainAccess(denied, [], memberships.get("ann@example.com")!, null)).toMatchObject({
      readable: false,
      path: [`Group ${outer}`, `Group ${inner}`, `${ann} by name`],
    });
    await report(source, entries);
    expect(await held("ann@example.com")).toEqual(ofAnn);
    // What another source says of the same group is about that group.
    await report(await addSource(), [group(inner, [])]);
    expect(await held("ann@example.com")).toEqual([`t1 user ${ann}`]);
  });

  it("leaves out an address that is longer than any that somebody signs in with, and nothing else", async () => {
    const address = `${randomBytes(4000).toString("hex")}@example.com`;
    await report(await addSource(), [user("ann", [address, "ann@example.com"]), user("bob", ["bob@example.com"])]);
    expect(await held(address)).toEqual([]);
    expect(await held("ann@example.com")).toEqual(["t1 user ann"]);
    expect(await held("bob@example.com")).toEqual(["t1 user bob"]);
  });

  it("agrees with a plain closure on any directory", async () => {
    const source = await addSource();
    const ids = fc.constantFrom("a", "b", "c", "d");
    const members = fc.array(fc.tuple(fc.constantFrom("user" as const, "group" as const), ids), { maxLength: 3 });
    for (const [groups] of fc.sample(fc.tuple(fc.array(members, { minLength: 4, maxLength: 4 })), {
      numRuns: 25,
      seed: 3,
    })) {
      const entries = groups.map((each, index) =>
        group(
          "abcd"[index]!,
          each.map(([kind, id]) => principal(kind, id)),
        ),
      );
      await report(source, [...["a", "b", "c", "d"].map((id) => user(id, [`${id}@example.com`])), ...entries]);
      const addresses = ["a", "b", "c", "d"].map((id) => `${id}@example.com`);
      const asked = await Promise.all(
        ["a", "b", "c", "d"].map((id) => listMemberships(scope, addresses, [principal("group", id)])),
      );
      for (const person of ["a", "b", "c", "d"]) {
        const expected = new Set([principalKey(principal("user", person))]);
        for (let size = 0; size !== expected.size;) {
          size = expected.size;
          for (const entry of entries) {
            if (entry.type === "group" && entry.members.some((member) => expected.has(principalKey(member))))
              expected.add(principalKey(entry.principal));
          }
        }
        const found = (await listHeldPrincipals(scope, `${person}@example.com`)).map(principalKey);
        expect(found.sort()).toEqual([...expected].sort());
        for (const [index, memberships] of asked.entries()) {
          const key = principalKey(principal("group", "abcd"[index]!));
          const keys = memberships.get(`${person}@example.com`)!.map(({ group: each }) => principalKey(each));
          expect(keys.includes(key)).toBe(expected.has(key));
        }
      }
    }
  });
});
