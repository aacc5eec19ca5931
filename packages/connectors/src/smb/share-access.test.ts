import { mayRead, principalKey, type Acl, type Principal } from "@anneal/core/access/acl";
import { describe, expect, it } from "vitest";
import { smbConfigSchema } from "./config.ts";
import { narrowToShare, readShareAcl } from "./share-access.ts";

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

describe("narrowToShare", () => {
  it("admits exactly those whom both the share and the file admit, for every pair of lists", () => {
    const wrong: unknown[] = [];
    for (const share of lists) {
      const narrow = narrowToShare(share, accounts, principalOf);
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

  it("keeps groups where it can, so that their members are followed", () => {
    const narrow = narrowToShare(aclOf(["finance"]), accounts, principalOf);
    const allowed = (file: Acl) => narrow(file).allow.map(({ id }) => id);
    expect(allowed(aclOf(["board"]))).toEqual(["board"]);
    expect(allowed(aclOf([everyone]))).toEqual(["finance"]);
    expect(allowed(aclOf(["staff"]))).toEqual(["finance"]);
    expect(allowed(aclOf(["loop"]))).toEqual([]);
  });
});

describe("readShareAcl", () => {
  const config = smbConfigSchema.parse({ host: "files.example.com", share: "docs", user: "ann" });
  /** A session whose server refuses to tell. */
  const refusing = {
    request: async <T>(_op: Record<string, unknown>, schema: { parse(value: unknown): T }) =>
      schema.parse({ share: { error: "STATUS_ACCESS_DENIED" } }),
    received: () => {},
    lost: () => null,
    close() {},
  };

  it("admits nobody to a share that does not tell whom it admits, until somebody says that it is everybody", async () => {
    await expect(readShareAcl(refusing, config, principalOf)).rejects.toMatchObject({
      code: "SOURCE_FORBIDDEN",
      action: expect.stringContaining("Share Permissions"),
    });
    expect(await readShareAcl(refusing, { ...config, shareAdmitsEverybody: true }, principalOf)).toBeNull();
  });
});
