import { mayRead, principalKey, type Acl, type Principal } from "@anneal/core/access/acl";
import { describe, expect, it } from "vitest";
import {
  aclOf,
  everybody,
  modeAccess,
  narrow,
  posixPrincipals,
  readBit,
  traverseBit,
  type Audience,
  type NodeAccess,
} from "./audience.ts";

const principals = posixPrincipals("file", "here");

type Account = { uid: number; gids: number[] };

/** What an account holds once the directory is read. */
function heldBy({ uid, gids }: Account): ReadonlySet<string> {
  const held: Principal[] = [principals.user(uid), ...gids.map(principals.group), principals.others];
  return new Set(held.map(principalKey));
}

/** The rule of acl(5), "Access check algorithm". */
function grants(node: NodeAccess, { uid, gids }: Account): boolean {
  if (node.owner.id === uid) return node.owner.granted;
  const named = node.users.find(({ id }) => id === uid);
  if (named) return named.granted;
  const groups = node.groups.filter(({ id }) => gids.includes(id));
  return groups.length > 0 ? groups.some(({ granted }) => granted) : node.other;
}

function aclOfPath(folders: NodeAccess[], file: NodeAccess): Acl {
  const above = folders.reduce<Audience>((audience, node) => narrow(audience, node, principals), everybody);
  return aclOf(narrow(above, file, principals), principals);
}

const accounts: Account[] = [1, 2, 3].flatMap((uid) => [[], [11], [12], [11, 12]].map((gids) => ({ uid, gids })));

function* everyNode(): Iterable<NodeAccess> {
  for (let bits = 0; bits < 64; bits += 1) {
    const has = (bit: number) => (bits & (1 << bit)) !== 0;
    yield {
      owner: { id: 1, granted: has(0) },
      users: has(1) ? [{ id: 2, granted: has(2) }] : [],
      groups: [{ id: 11, granted: has(3) }, ...(has(4) ? [{ id: 12, granted: has(2) }] : [])],
      other: has(5),
    };
  }
}

describe("audience", () => {
  it("admits nobody whom POSIX refuses, for every access list on a file and on its folder", () => {
    const leaks: unknown[] = [];
    let decided = 0;
    for (const folder of everyNode()) {
      for (const file of everyNode()) {
        const acl = aclOfPath([folder], file);
        for (const account of accounts) {
          const allowed = grants(folder, account) && grants(file, account);
          decided += 1;
          if (!allowed && mayRead(acl, heldBy(account))) leaks.push({ folder, file, account });
        }
      }
    }
    expect(leaks).toEqual([]);
    expect(decided).toBe(64 * 64 * 12);
  });

  it("admits exactly whom POSIX admits by the modes that people use", () => {
    for (const mode of [0o400, 0o440, 0o444, 0o600, 0o640, 0o644, 0o660, 0o664, 0o040, 0o000]) {
      const file = modeAccess({ mode, uid: 1, gid: 11 }, readBit);
      for (const account of accounts) {
        expect(mayRead(aclOfPath([], file), heldBy(account)), `${mode.toString(8)} ${JSON.stringify(account)}`).toBe(
          grants(file, account),
        );
      }
    }
  });

  it("keeps a group's folder to the group whatever the files in it allow", () => {
    const folder = modeAccess({ mode: 0o750, uid: 1, gid: 11 }, traverseBit);
    const file = modeAccess({ mode: 0o644, uid: 3, gid: 12 }, readBit);
    const readers = accounts.filter((account) => mayRead(aclOfPath([folder], file), heldBy(account)));
    expect(readers).toEqual(accounts.filter(({ uid, gids }) => uid === 1 || gids.includes(11)));
  });

  it("admits nobody where a folder is for one group and the file for another", () => {
    const folder = modeAccess({ mode: 0o750, uid: 1, gid: 11 }, traverseBit);
    const file = modeAccess({ mode: 0o640, uid: 3, gid: 12 }, readBit);
    expect(aclOfPath([folder], file)).toEqual({ allow: [], deny: [] });
  });

  it("admits nobody by the right of an owner or a group without a name, and whom others' rights admit", () => {
    for (const id of [65_534, 4_294_967_294, 4_294_967_295]) {
      const aclOfMode = (mode: number) => aclOfPath([], modeAccess({ mode, uid: id, gid: id }, readBit));
      const whoever = heldBy({ uid: id, gids: [id] });
      expect(mayRead(aclOfMode(0o440), whoever)).toBe(false);
      expect(mayRead(aclOfMode(0o440), heldBy({ uid: 1, gids: [] }))).toBe(false);
      // As root's own files are on a server that squashes it.
      expect(mayRead(aclOfMode(0o644), heldBy({ uid: 1, gids: [] }))).toBe(true);
      expect(aclOfMode(0o644).deny).toEqual([]);
    }
  });
});
