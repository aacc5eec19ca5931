import { expect, it } from "vitest";
import type { DirectoryEntry } from "../connect/directory.ts";
import { anyone, mayRead, principalKey, workspaceMembers, type Principal } from "./acl.ts";
import { aclOfSource, directoryOfSource } from "./source-principals.ts";

const owner: Principal = { source: "postgres", tenant: "db/shop", kind: "user", id: "42" };
const group: Principal = { source: "postgres", tenant: "db/shop", kind: "group", id: "staff" };

async function collect(entries: DirectoryEntry[], sourceId: string | null): Promise<DirectoryEntry[]> {
  const all: DirectoryEntry[] = [];
  for await (const entry of directoryOfSource(stream(entries), sourceId)) all.push(entry);
  return all;
}

async function* stream(entries: DirectoryEntry[]): AsyncIterable<DirectoryEntry> {
  yield* entries;
}

it("keeps what a second source says of an account away from what the first one brought", async () => {
  const acl = aclOfSource({ allow: [owner], deny: [] }, "first");
  const holds = async (sourceId: string) => {
    const said: DirectoryEntry = { type: "user", principal: owner, name: "42", emails: ["eve@example.com"] };
    const [entry] = await collect([said], sourceId);
    if (entry?.type !== "user") return expect.fail("it is left out");
    return new Set([principalKey(entry.principal)]);
  };
  expect(mayRead(acl, await holds("second"))).toBe(false);
  expect(mayRead(acl, await holds("first"))).toBe(true);
});

it("scopes groups with their members, and leaves our own principals as they are", async () => {
  const [entry] = await collect([{ type: "group", principal: group, name: "Staff", members: [owner] }], "one");
  expect(entry).toMatchObject({ principal: { tenant: "db/shop@one" }, members: [{ tenant: "db/shop@one" }] });
  const own = { allow: [anyone, workspaceMembers("w")], deny: [] };
  expect(aclOfSource(own, "one")).toEqual(own);
});

it("scopes whom a folder keeps out as those whom a document admits", () => {
  const closed = [{ container: "/Reports", to: [group, anyone] }];
  expect(aclOfSource({ allow: [], deny: [], closed }, "one").closed).toEqual([
    { container: "/Reports", to: [{ ...group, tenant: "db/shop@one" }, anyone] },
  ]);
  expect(aclOfSource({ allow: [], deny: [] }, "one")).toEqual({ allow: [], deny: [] });
});

it("lets no source say who a principal of the portal is", async () => {
  const claimed: DirectoryEntry = { type: "user", principal: anyone, name: "all", emails: ["eve@example.com"] };
  const members: DirectoryEntry = { type: "group", principal: workspaceMembers("w"), name: "all", members: [owner] };
  for (const sourceId of ["one", null]) expect(await collect([claimed, members], sourceId)).toEqual([]);
});

it("takes a vendor's directory as it is: two sources of one tenant mean the same people", async () => {
  const said: DirectoryEntry = { type: "group", principal: group, name: "Staff", members: [owner] };
  expect(await collect([said], null)).toEqual([said]);
});
