import { nobody } from "@anneal/core/access/acl";
import { describe, expect, it } from "vitest";
import { principalOfSid, type SmbAccounts } from "./accounts.ts";
import { smbConfigSchema } from "./config.ts";
import { createIsTold, keepToldDenials } from "./told-denials.ts";

const domain = "S-1-5-21-1-2-3";
const [ann, bob, left] = [1001, 1002, 1003].map((rid) => `${domain}-${rid}`) as [string, string, string];
const [finance, staff, mixed, loop] = [2001, 2002, 2003, 2004].map((rid) => `${domain}-${rid}`) as [
  string,
  string,
  string,
  string,
];
const elsewhere = "S-1-5-21-9-9-9-1777";
const guests = "S-1-5-32-546";
const users = "S-1-5-32-545";

const accounts: SmbAccounts = {
  users: [
    { sid: ann, name: "ann" },
    { sid: bob, name: "bob" },
  ],
  others: [left],
  groups: [
    { sid: finance, name: "finance", members: [ann, left] },
    { sid: staff, name: "staff", members: [finance, bob] },
    { sid: mixed, name: "mixed", members: [bob, elsewhere] },
    { sid: loop, name: "loop", members: [loop, staff] },
    // Who may sign in at the machine is in it, too, as Windows makes it.
    { sid: users, name: "Users", members: ["S-1-5-4", "S-1-5-11", staff] },
  ],
};
const config = smbConfigSchema.parse({ host: "files.example.com", share: "docs", user: "ann" });

function keeps(denied: string, known = accounts): boolean {
  const principalOf = principalOfSid(config, known);
  const acl = { allow: [principalOf(ann)], deny: [principalOf(bob), principalOf(denied)] };
  const kept = keepToldDenials(known)(acl);
  expect(kept === acl || kept === nobody).toBe(true);
  return kept === acl;
}

describe("keepToldDenials", () => {
  it.each([
    ["a person", bob],
    ["an account that is disabled", left],
    ["a group", finance],
    ["a group with groups in it", staff],
    ["a group that is in itself", loop],
    ["a group with everybody in it", users],
    ["everyone", "S-1-1-0"],
    ["who signed in", "S-1-5-11"],
    ["who comes over the network", "S-1-5-2"],
    ["who sits at the machine", "S-1-5-4"],
    ["who has no account", "S-1-5-7"],
  ])("keeps a list that denies %s", (_, sid) => {
    expect(keeps(sid)).toBe(true);
  });

  it.each([
    ["a group of a domain that is not told", elsewhere],
    ["a group with such a group in it", mixed],
    ["a group of a known domain that is not told", `${domain}-1777`],
    ["local accounts", "S-1-5-113"],
    ["local administrators", "S-1-5-114"],
    ["guests who are not told", guests],
    ["something well known of which nothing is known here", "S-1-5-15"],
  ])("shows to nobody what denies %s", (_, sid) => {
    expect(keeps(sid)).toBe(false);
  });

  it("lets the configuration tell who is in a group", () => {
    const told = { ...accounts, groups: [...accounts.groups, { sid: guests, name: "Guests", members: [] }] };
    expect(keeps(guests, told)).toBe(true);
    expect(keeps(elsewhere, { ...accounts, groups: [{ sid: elsewhere, name: "Board", members: [ann] }] })).toBe(true);
  });
});

it("follows a group of more members than a call takes arguments", () => {
  const users = Array.from({ length: 300_000 }, (_, index) => ({ sid: `user-${index}`, name: "" }));
  const all = { sid: "all", name: "all", members: users.map(({ sid }) => sid) };
  expect(createIsTold({ users, others: [], groups: [all] })("all")).toBe(true);
});
