import { mayRead, nobody, type Acl } from "@anneal/core/access/acl";
import { describe, expect, it } from "vitest";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { parseAccounts, posixDirectory } from "./accounts.ts";
import {
  everybody,
  modeAccess,
  passThrough,
  posixPrincipals,
  readBit,
  readersOf,
  traverseBit,
  type NodeAccess,
} from "./audience.ts";
import { keepToldDenials } from "./told-denials.ts";

const principals = posixPrincipals("file", "here");
const passwd = [
  "ann:x:1001:1001::/home/ann:/bin/sh",
  "bob:x:1002:1002::/home/bob:/bin/sh",
  "nobody:x:65534:65534::/:/bin/false",
].join("\n");
const group = ["ann:x:1001:", "finance:x:2000:bob", "board:x:2001:ann", "nogroup:x:65534:"].join("\n");
const accounts = parseAccounts(passwd, group);
const settings = { userEmailDomain: "example.com", firstPersonId: 1000 };
const keepTold = keepToldDenials({ ...accounts, areGroupsWhole: true }, principals);

/** Who reads a file below folders, outermost first. */
async function namesOf(file: NodeAccess, ...folders: NodeAccess[]): Promise<string[]> {
  const way = folders.reduce((audience, each) => passThrough(audience, "/a", each, principals), everybody);
  return readersBy(keepTold(readersOf(way, file, principals)));
}

async function readersBy(acl: Acl): Promise<string[]> {
  const directory = await MemoryDirectory.read(posixDirectory(accounts, principals, settings));
  return ["ann", "bob"].filter((name) => mayRead(acl, directory.heldBy(`${name}@example.com`)));
}

const file = (mode: number, gid: number, uid = 1001) => modeAccess({ mode, uid, gid }, readBit);
const folder = (mode: number, gid: number, uid = 1001) => modeAccess({ mode, uid, gid }, traverseBit);

describe("keepToldDenials", () => {
  it("keeps what refuses a group of which the list tells who is in it", async () => {
    expect(await namesOf(file(0o604, 2000))).toEqual(["ann"]);
    expect(await namesOf(file(0o604, 2001, 1002))).toEqual(["bob"]);
  });

  it.each([
    ["is in no list", 5000],
    ["is known as the first group of an account alone", 1002],
    ["stands for whoever has no name, although it is listed", 65_534],
  ])("shows to nobody what refuses a group that %s", async (_, gid) => {
    expect(await namesOf(file(0o604, gid))).toEqual([]);
    expect(await namesOf(file(0o644, 2000), folder(0o701, gid))).toEqual([]);
    // Whom another group admits may be in the refused one.
    expect(await namesOf(file(0o604, gid), folder(0o710, 2000))).toEqual([]);
  });

  it("shows to nobody what refuses an account that is in no list, or has no name", async () => {
    for (const uid of [5000, 65_534]) {
      expect(await namesOf(file(0o044, 2000, uid))).toEqual([]);
      const named = { ...file(0o644, 2000), users: [{ id: uid, granted: false }] };
      expect(await namesOf(named)).toEqual([]);
    }
    const named = { ...file(0o644, 2000), users: [{ id: 1002, granted: false }] };
    expect(await namesOf(named)).toEqual(["ann"]);
  });

  it("shows to nobody what refuses a group to which a directory may add members, and keeps what refuses an account", () => {
    const keepOwn = keepToldDenials({ ...accounts, areGroupsWhole: false }, principals);
    const aclOfFile = (node: NodeAccess) => readersOf(everybody, node, principals);
    expect(keepOwn(aclOfFile(file(0o604, 2000)))).toEqual(nobody);
    const refusesBob = { ...file(0o644, 2000), users: [{ id: 1002, granted: false }] };
    for (const node of [file(0o644, 2000), refusesBob]) expect(keepOwn(aclOfFile(node))).toEqual(aclOfFile(node));
  });

  it("asks of nobody who is not refused whether the lists have them", async () => {
    expect(await namesOf(file(0o644, 5000, 5000))).toEqual(["ann", "bob"]);
    // Others are refused as well, so that the refused group keeps nobody out.
    expect(await namesOf(file(0o600, 5000))).toEqual(["ann"]);
    expect(keepTold(nobody)).toEqual(nobody);
  });
});
