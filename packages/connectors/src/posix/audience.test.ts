import { mayRead, principalKey, type Principal } from "@anneal/core/access/acl";
import { splitOrigins, type SourceAcl } from "@anneal/core/access/acl-origins";
import { describe, expect, it } from "vitest";
import {
  both,
  everybody,
  modeAccess,
  passThrough,
  posixPrincipals,
  readBit,
  readersOf,
  rememberReaders,
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

/** Folders are called /a, /a/b and so on, from the top. */
function wayDown(folders: NodeAccess[]): Audience {
  const path = (depth: number) => `/${["a", "b", "c", "d"].slice(0, depth + 1).join("/")}`;
  return folders.reduce<Audience>(
    (audience, node, depth) => passThrough(audience, path(depth), node, principals),
    everybody,
  );
}

function aclOfPath(folders: NodeAccess[], file: NodeAccess): SourceAcl {
  return readersOf(wayDown(folders), file, principals);
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
    expect(splitOrigins(aclOfPath([folder], file)).acl).toEqual({ allow: [], deny: [] });
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

describe("which folder closes a file, and to whom", () => {
  const folder = (mode: number, gid: number, uid = 1) => modeAccess({ mode, uid, gid }, traverseBit);
  const file = (mode: number, gid: number, uid = 1) => modeAccess({ mode, uid, gid }, readBit);
  const [open, group] = [folder(0o755, 10), principals.group];

  it("is told with who is named there instead, and not where a folder lets all through", () => {
    const acl = aclOfPath([open, folder(0o750, 11), folder(0o755, 12)], file(0o644, 12));
    expect(acl.allow).toEqual([principals.user(1), { ...group(11), inheritedFrom: "/a/b" }]);
    expect(acl.closed).toEqual([{ container: "/a/b", to: [principals.others] }]);
    for (const folders of [[], [open, open]]) {
      const { allow, closed } = aclOfPath(folders, file(0o644, 12));
      expect(closed).toBeUndefined();
      expect(splitOrigins({ allow, deny: [] }).origins).toBeNull();
    }
  });

  it("is told also where nobody is left", () => {
    const acl = aclOfPath([folder(0o700, 10, 2)], file(0o640, 11));
    expect(acl).toEqual({
      allow: [],
      deny: [],
      closed: [{ container: "/a", to: [principals.user(1), group(11)] }],
    });
  });

  it("is each folder's own, and nothing that the file's own rights refuse as well", () => {
    const folders = [open, folder(0o750, 11), folder(0o750, 12)];
    expect(aclOfPath(folders, file(0o644, 10)).closed).toEqual([
      { container: "/a/b", to: [principals.others] },
      { container: "/a/b/c", to: [group(11)] },
    ]);
    expect(aclOfPath([folder(0o750, 11)], file(0o640, 11)).closed).toBeUndefined();
  });

  it("names the folder that refuses a group whom the file's own rights would let in", () => {
    const acl = aclOfPath([open, folder(0o705, 11)], file(0o644, 10));
    expect(acl.deny).toEqual([{ ...group(11), inheritedFrom: "/a/b" }]);
    expect(aclOfPath([folder(0o705, 11)], file(0o604, 11)).deny).toEqual([group(11)]);
  });

  it("counts both ways of a link", () => {
    const [link, target] = [wayDown([folder(0o750, 11)]), wayDown([open, open, folder(0o700, 10)])];
    const { allow, closed } = readersOf(both(link, target), file(0o644, 10), principals);
    expect(allow).toEqual([principals.user(1)]);
    expect(closed).toEqual([
      { container: "/a", to: [principals.others] },
      { container: "/a/b/c", to: [group(11)] },
    ]);
  });

  it("is told of exactly those whom the file would let in and some folder does not", () => {
    const wrong: unknown[] = [];
    const [inner, files] = [[folder(0o750, 11), folder(0o705, 12), open], [...everyNode()]];
    for (const outer of everyNode()) {
      for (const below of inner) {
        for (const node of files) {
          const { allow, deny, closed = [] } = aclOfPath([outer, below], node);
          const told = new Set(closed.flatMap(({ to }) => to.map(principalKey)));
          const isTold = (principal: Principal) =>
            told.has(principalKey(principal)) || told.has(principalKey(principals.others));
          const decided = new Set([...allow, ...deny].map(principalKey));
          const lost = readersOf(everybody, node, principals).allow.filter((one) => !decided.has(principalKey(one)));
          if (!lost.every(isTold) || allow.some((principal) => told.has(principalKey(principal))))
            wrong.push({ outer, below, node, closed });
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("lists that refuse many", () => {
  /** As a default list gives it to all that is made below. */
  const refusing = (count: number, { first = 10_000, granted = 0 } = {}): NodeAccess => ({
    owner: { id: 1000, granted: true },
    users: Array.from({ length: count }, (_, index) => ({ id: first + index, granted: index < granted })),
    groups: [{ id: 1000, granted: true }],
    other: true,
  });
  const top = passThrough(everybody, "/srv", refusing(500), principals);

  it("are kept once for all folders below that refuse no one else, and told with the uppermost", () => {
    expect(passThrough(top, "/srv/a", refusing(500), principals)).toBe(top);
    expect(passThrough(top, "/srv/a", refusing(20, { first: 10_100 }), principals)).toBe(top);
    const more = passThrough(top, "/srv/a", refusing(501), principals);
    expect(more).not.toBe(top);
    const { deny } = readersOf(more, refusing(0), principals);
    expect(deny.length).toBe(501);
    expect(deny[0]).toEqual({ ...principals.user(10_000), inheritedFrom: "/srv" });
    expect(deny[500]).toEqual({ ...principals.user(10_500), inheritedFrom: "/srv/a" });
    expect(both(more, top).denied).toEqual(more.denied);
  });

  it("make no more work than they are long", () => {
    const count = 500;
    let reads = 0;
    const counted = {
      ...principals,
      user: (uid: number) => {
        const principal = principals.user(uid);
        return new Proxy(principal, {
          get(target, name: keyof Principal) {
            reads += 1;
            return target[name];
          },
        });
      },
    };
    const way = passThrough(passThrough(everybody, "/a", refusing(count), counted), "/a/b", refusing(count), counted);
    expect(readersOf(way, refusing(count), counted).deny.length).toBe(count);
    expect(reads).toBeLessThan(20 * count);
  });

  it("are worked out once for files with equal ones in a folder", () => {
    const readers = rememberReaders(principals);
    const first = readers(top, refusing(500));
    expect(first).toEqual(readersOf(top, refusing(500), principals));
    expect(readers(top, refusing(500))).toBe(first);
    const others = [
      refusing(499),
      refusing(500, { granted: 1 }),
      { ...refusing(500), other: false },
      { ...refusing(500), owner: { id: 1000, granted: false } },
      { ...refusing(500), groups: [] },
      { ...refusing(500), users: [], groups: [...refusing(500).groups, ...refusing(500).users] },
    ];
    for (const node of others) expect(readers(top, node)).toEqual(readersOf(top, node, principals));
    expect(readers(top, refusing(500))).toEqual(first);
    expect(readers(everybody, refusing(500))).toEqual(readersOf(everybody, refusing(500), principals));
  });
});
