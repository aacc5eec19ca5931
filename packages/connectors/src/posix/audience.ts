import { nobody, type Principal } from "@anneal/core/access/acl";
import type { Closing, SourceAcl, SourceGrant } from "@anneal/core/access/acl-origins";
import { hasName } from "./unnamed-ids.ts";

/** The principals of one machine's accounts. `others` is a group that every account is a member of. */
export type PosixPrincipals = { user(uid: number): Principal; group(gid: number): Principal; others: Principal };

export function posixPrincipals(source: string, tenant: string): PosixPrincipals {
  return {
    user: (uid) => ({ source, tenant, kind: "user", id: String(uid) }),
    group: (gid) => ({ source, tenant, kind: "group", id: String(gid) }),
    others: { source, tenant, kind: "group", id: "others" },
  };
}

type Grant = { id: number; granted: boolean };

/** Whom one file lets read, or one folder lets through, as acl(5) orders its entries. */
export type NodeAccess = {
  owner: Grant;
  /** Named users, the mask applied. */
  users: Grant[];
  /** The owning group and named groups, the mask applied. */
  groups: Grant[];
  other: boolean;
};

/** Needed to read a file. */
export const readBit = 4;
/** Needed on every folder above it. */
export const traverseBit = 1;

export function modeAccess(
  stats: { mode: number; uid: number; gid: number },
  bit: typeof readBit | typeof traverseBit,
): NodeAccess {
  return {
    owner: { id: stats.uid, granted: (stats.mode & (bit << 6)) !== 0 },
    users: [],
    groups: [{ id: stats.gid, granted: (stats.mode & (bit << 3)) !== 0 }],
    other: (stats.mode & bit) !== 0,
  };
}

/** Some of those who have an account, as far as ids say. */
type Admitted = { others: boolean; users: ReadonlySet<number>; groups: ReadonlySet<number> };

/** Who gets down to a place: kept as principals by id, so that a folder's is worked out once for all that is in it. */
export type Audience = Admitted & {
  /** Whom a folder refuses whatever else admits them, by `denialKey`, with the uppermost that does. */
  denied: ReadonlyMap<string, SourceGrant>;
  /** The folders that let fewer through than get to them, from the top down, each with whom it lets through of these. */
  gates: readonly Gate[];
};
type Gate = Admitted & { folder: string };

export const everybody: Audience = { others: true, users: new Set(), groups: new Set(), denied: new Map(), gates: [] };
export const noAudience: Audience = {
  others: false,
  users: new Set(),
  groups: new Set(),
  denied: new Map(),
  gates: [],
};

/**
 * Those of `audience` whom a folder lets through. Whoever is named on one level must be named on the other, or the other
 * must admit others: "in group A above, and in group B here" has no form in an ACL and admits nobody, rather than
 * somebody too many. For the same reason a group that is refused where others are admitted is denied, although POSIX
 * would let a member in who owns the file.
 *
 * @param folder as people know it
 */
export function passThrough(
  audience: Audience,
  folder: string,
  node: NodeAccess,
  principals: PosixPrincipals,
): Audience {
  const admitted = inBoth(audience, admittedBy(node));
  const refused = refusedBy(node, principals).map((principal) => ({ ...principal, inheritedFrom: folder }));
  const denied = addDenied(audience.denied, refused);
  const keeps = keepsAll(audience, admitted);
  // Most folders have the owner and the group of the one above, and refuse nobody else: what is kept of all of them is one.
  if (keeps && keepsAll(admitted, audience)) return denied === audience.denied ? audience : { ...audience, denied };
  return { ...admitted, denied, gates: keeps ? audience.gates : [...audience.gates, { folder, ...admitted }] };
}

/** Those who get down by the one way and by the other. */
export function both(one: Audience, other: Audience): Audience {
  const denied = addDenied(one.denied, other.denied.values());
  return { ...inBoth(one, other), denied, gates: [...one.gates, ...other.gates] };
}

/**
 * Whom a file's own rights and the way down to it admit, and whom the way closes it to. Who is named by a folder alone
 * reads by the file's rights for others, because that folder lets no others through.
 */
export function readersOf(way: Audience, file: NodeAccess, principals: PosixPrincipals): SourceAcl {
  const own = admittedBy(file);
  const admitted = inBoth(way, own);
  const closed = closedOn(way, own, principals);
  const closings = closed.length === 0 ? {} : { closed };
  const firstGate = way.others ? undefined : way.gates.find(({ others }) => !others);
  const grantOf = (principal: Principal, isOwn: boolean): SourceGrant =>
    isOwn || firstGate === undefined ? principal : { ...principal, inheritedFrom: firstGate.folder };
  const allow = [
    ...[...admitted.users].map((id) => grantOf(principals.user(id), own.users.has(id))),
    ...[...admitted.groups].map((id) => grantOf(principals.group(id), own.groups.has(id))),
    ...(admitted.others ? [principals.others] : []),
  ];
  if (allow.length === 0) return { ...nobody, ...closings };
  // What the file refuses itself is not the folder's.
  const refused = new Map(refusedBy(file, principals).map((principal) => [denialKey(principal), principal]));
  const denied = [...way.denied].flatMap(([key, above]) => (refused.has(key) ? [] : [above]));
  return { allow, deny: [...denied, ...refused.values()], ...closings };
}

/** So many lists of one folder are remembered: the files in it mostly have one, or one for each of a few owners. */
const rememberedLists = 16;

/** `readersOf`, which gives files in one folder with equal rights the same record: their lists may be long. */
export function rememberReaders(principals: PosixPrincipals): (way: Audience, file: NodeAccess) => SourceAcl {
  let last: Audience | null = null;
  const known = new Map<string, SourceAcl>();
  return (way, file) => {
    if (way !== last) known.clear();
    last = way;
    const key = nodeKey(file);
    const before = known.get(key);
    if (before !== undefined) return before;
    if (known.size === rememberedLists) known.clear();
    const readers = readersOf(way, file, principals);
    known.set(key, readers);
    return readers;
  };
}

function nodeKey({ owner, users, groups, other }: NodeAccess): string {
  const all = (grants: Grant[]) => grants.map(({ id, granted: has }) => (has ? `${id}` : `-${id}`)).join();
  return [all([owner]), all(users), all(groups), other].join(" ");
}

/** By folder, from the top: whom a file's own rights admit and that folder is the first to let through no more. */
function closedOn({ gates }: Audience, own: Admitted, principals: PosixPrincipals): Closing[] {
  if (gates.length === 0) return [];
  const to = new Map<Gate, Principal[]>(gates.map((gate) => [gate, []]));
  const closing = (isPassed: (gate: Gate) => boolean) => gates.find((gate) => !gate.others && !isPassed(gate));
  const atOthers = own.others ? closing(() => false) : undefined;
  const naming = [own, ...(own.others ? gates : [])];
  const named = (kind: "users" | "groups") => new Set(naming.flatMap((each) => [...each[kind]]));
  const add = (gate: Gate | undefined, principal: Principal) => {
    // They are among the others whom it closes the file to.
    if (gate !== undefined && gate !== atOthers) to.get(gate)?.push(principal);
  };
  for (const uid of named("users"))
    add(
      closing(({ users }) => users.has(uid)),
      principals.user(uid),
    );
  for (const gid of named("groups"))
    add(
      closing(({ groups }) => groups.has(gid)),
      principals.group(gid),
    );
  if (atOthers !== undefined) to.get(atOthers)?.push(principals.others);
  return [...to].flatMap(([{ folder }, closed]) => (closed.length === 0 ? [] : [{ container: folder, to: closed }]));
}

function admittedBy({ owner, users, groups, other }: NodeAccess): Admitted {
  return { others: other, users: granted([owner, ...users]), groups: granted(groups) };
}

function refusedBy(node: NodeAccess, principals: PosixPrincipals): Principal[] {
  const users = [node.owner, ...node.users].filter((grant) => !grant.granted).map(({ id }) => id);
  // Where others are refused as well, a refused group keeps nobody out whom something else would admit.
  const granting = new Set(node.groups.filter((grant) => grant.granted).map(({ id }) => id));
  const groups = node.other ? node.groups.map(({ id }) => id).filter((id) => !granting.has(id)) : [];
  return [...users.map(principals.user), ...groups.map(principals.group)];
}

function granted(grants: Grant[]): Set<number> {
  return new Set(grants.filter((grant) => grant.granted && hasName(grant.id)).map(({ id }) => id));
}

function inBoth(one: Admitted, other: Admitted): Admitted {
  return {
    others: one.others && other.others,
    users: intersect(one.users, one.others, other.users, other.others),
    groups: intersect(one.groups, one.others, other.groups, other.others),
  };
}

function intersect(
  one: ReadonlySet<number>,
  oneOthers: boolean,
  other: ReadonlySet<number>,
  otherOthers: boolean,
): Set<number> {
  const ofOne = [...one].filter((id) => otherOthers || other.has(id));
  const ofOther = [...other].filter((id) => oneOthers || one.has(id));
  return new Set([...ofOne, ...ofOther]);
}

function keepsAll(before: Admitted, after: Admitted): boolean {
  const keeps = (kind: "users" | "groups") => [...before[kind]].every((id) => after[kind].has(id));
  return before.others === after.others && keeps("users") && keeps("groups");
}

/** The first of each stays. @returns `before` itself where nothing is new */
function addDenied(
  before: ReadonlyMap<string, SourceGrant>,
  refused: Iterable<SourceGrant>,
): ReadonlyMap<string, SourceGrant> {
  const added = [...refused].map((grant) => [denialKey(grant), grant] as const).filter(([key]) => !before.has(key));
  if (added.length === 0) return before;
  const denied = new Map(before);
  for (const [key, grant] of added) if (!denied.has(key)) denied.set(key, grant);
  return denied;
}

/** All are of one source. */
function denialKey({ kind, id }: Principal): string {
  return `${kind} ${id}`;
}
