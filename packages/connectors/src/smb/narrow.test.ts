import { mayRead, principalKey, type Acl, type Principal } from "@anneal/core/access/acl";
import type { SourceAcl } from "@anneal/core/access/acl-origins";
import { describe, expect, it } from "vitest";
import { createNarrowing } from "./narrow.ts";

const people = ["ann", "bob", "eve"];
const groups: Record<string, string[]> = {
  finance: ["ann", "bob"],
  board: ["bob"],
  staff: ["finance", "eve"],
  loop: ["loop", "eve"],
  empty: [],
};
const accounts = {
  users: people.map((sid) => ({ sid, name: sid })),
  others: [],
  groups: Object.entries(groups).map(([sid, members]) => ({ sid, name: sid, members })),
};
const everyone = "S-1-1-0";
const principalOf = (id: string): Principal => ({
  source: "smb",
  tenant: "files",
  kind: people.includes(id) ? "user" : "group",
  id,
});
const aclOf = (allow: string[], deny: string[] = []): Acl => ({
  allow: allow.map(principalOf),
  deny: deny.map(principalOf),
});

function holdsOf(person: string): Set<string> {
  const held = new Set([person, everyone]);
  for (let before = 0; before < held.size;) {
    before = held.size;
    for (const [group, members] of Object.entries(groups)) if (members.some((one) => held.has(one))) held.add(group);
  }
  return new Set([...held].map((id) => principalKey(principalOf(id))));
}

const sids = [...people, ...Object.keys(groups), everyone, "stranger"];
const lists = [
  ...sids.map((one) => aclOf([one])),
  ...sids.flatMap((one) => sids.map((other) => aclOf([one, "bob"], [other]))),
];

const createLevel = createNarrowing(accounts, principalOf);
const narrowTo = (acl: Acl, container = "/Reports") => createLevel({ container, acl });

describe("createNarrowing", () => {
  it("admits exactly those whom both the share and the file admit, for every pair of lists", () => {
    const wrong: unknown[] = [];
    for (const share of lists) {
      const narrow = narrowTo(share);
      for (const file of lists) {
        const acl = narrow(file);
        for (const person of people) {
          const held = holdsOf(person);
          if (mayRead(acl, held) !== (mayRead(share, held) && mayRead(file, held))) wrong.push({ share, file, person });
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(lists.length).toBe(110);
  });

  it("admits exactly those whom every list admits, and names each once, through several", () => {
    const wrong: unknown[] = [];
    for (const [index, one] of lists.entries()) {
      const levels = [one, lists[(index * 7 + 3) % lists.length]!, lists[(index * 13 + 5) % lists.length]!];
      const acl = levels.reduce((narrowed, level) => narrowTo(level)(narrowed), aclOf([everyone, "staff", "bob"]));
      const twins = [acl.allow, acl.deny].some((grants) => new Set(grants.map(({ id }) => id)).size < grants.length);
      for (const person of people) {
        const held = holdsOf(person);
        const isAdmitted = mayRead(acl, held);
        if (twins || isAdmitted !== levels.every((level) => mayRead(level, held))) wrong.push({ levels, person });
      }
    }
    expect(wrong).toEqual([]);
  });

  it("keeps groups where it can, so that their members are followed", () => {
    const narrow = narrowTo(aclOf(["finance"]));
    const allowed = (file: Acl) => narrow(file).allow.map(({ id }) => id);
    expect(allowed(aclOf(["board"]))).toEqual(["board"]);
    expect(allowed(aclOf([everyone]))).toEqual(["finance"]);
    expect(allowed(aclOf(["staff"]))).toEqual(["finance"]);
    expect(allowed(aclOf(["loop"]))).toEqual([]);
    // Nobody knows who that is, but it is the same on both.
    const strangers = narrowTo(aclOf(["stranger"]))(aclOf(["stranger", "bob"]));
    expect(strangers.allow.map(({ id }) => id)).toEqual(["stranger"]);
  });

  it("tells which list closed the document to whom, and which one names who reads it instead", () => {
    const ids = (acl: SourceAcl) => (acl.closed ?? []).map(({ container, to }) => [container, to.map(({ id }) => id)]);
    const reports = narrowTo(aclOf(["finance"]))(aclOf([everyone, "eve"]));
    expect(reports.allow).toEqual([{ ...principalOf("finance"), inheritedFrom: "/Reports" }]);
    expect(ids(reports)).toEqual([["/Reports", [everyone]]]);
    const year = narrowTo(aclOf(["board"], ["eve"]), "/Reports/2027")(reports);
    expect(year.allow).toEqual([{ ...principalOf("board"), inheritedFrom: "/Reports/2027" }]);
    expect(year.deny).toEqual([{ ...principalOf("eve"), inheritedFrom: "/Reports/2027" }]);
    expect(ids(year)).toEqual([
      ["/Reports", [everyone]],
      ["/Reports/2027", ["finance"]],
    ]);
    // Also where nobody is left; and nothing where all are let through.
    expect(ids(narrowTo(aclOf([]), "share")(aclOf(["bob"])))).toEqual([["share", ["bob"]]]);
    expect(narrowTo(aclOf([everyone]))(aclOf(["staff"]))).toEqual(aclOf(["staff"]));
    // What the document names itself is not the folder's.
    expect(narrowTo(aclOf(["finance"]))(aclOf([everyone, "finance"])).allow).toEqual([principalOf("finance")]);
  });

  it("goes through a long list above once, however many of the document's groups give way to it", () => {
    const count = 300;
    const ids = Array.from({ length: count }, (_, index) => String(index));
    const groups = ids.map((id) => ({ sid: `group-${id}`, name: "", members: [...ids, "one more"] }));
    const users = [...ids, "one more"].map((sid) => ({ sid, name: "" }));
    let reads = 0;
    const counted = aclOf(ids).allow.map(
      (principal) =>
        new Proxy(principal, {
          get(target, name: keyof Principal) {
            reads += 1;
            return target[name];
          },
        }),
    );
    const level = { container: "/Reports", acl: { allow: counted, deny: [] } };
    const narrow = createNarrowing({ users, others: [], groups }, principalOf)(level);
    const { allow, closed } = narrow(aclOf(groups.map(({ sid }) => sid)));
    expect([allow.length, closed?.[0]?.to.length]).toEqual([count, count]);
    expect(reads).toBeLessThan(30 * count);
  });

  it("follows a group of more members than a call takes arguments", () => {
    const users = Array.from({ length: 300_000 }, (_, index) => ({ sid: `user-${index}`, name: "" }));
    const all = { sid: "all", name: "all", members: users.map(({ sid }) => sid) };
    const many = createNarrowing({ users, others: [], groups: [all] }, principalOf);
    expect(many({ container: "/", acl: aclOf(["all"]) })(aclOf(["user-7"])).allow.map(({ id }) => id)).toEqual([
      "user-7",
    ]);
  });
});
