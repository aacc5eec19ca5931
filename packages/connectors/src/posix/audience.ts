import { nobody, type Acl, type Principal } from "@anneal/core/access/acl";
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

/** Who gets down to a place: kept as principals by id, so that a folder's is worked out once for all that is in it. */
export type Audience = { others: boolean; users: Set<number>; groups: Set<number>; denied: Acl["deny"] };

export const everybody: Audience = { others: true, users: new Set(), groups: new Set(), denied: [] };
export const noAudience: Audience = { others: false, users: new Set(), groups: new Set(), denied: [] };

/**
 * Those of `audience` whom `node` admits too. Whoever is named on one level must be named on the other, or the other
 * must admit others: "in group A above, and in group B here" has no form in an ACL and admits nobody, rather than
 * somebody too many. For the same reason a group that is refused where others are admitted is denied, although POSIX
 * would let a member in who owns the file.
 */
export function narrow(audience: Audience, node: NodeAccess, principals: PosixPrincipals): Audience {
  const users = granted([node.owner, ...node.users]);
  const groups = granted(node.groups);
  const refusedUsers = [node.owner, ...node.users].filter((grant) => !grant.granted).map(({ id }) => id);
  // Where others are refused as well, a refused group keeps nobody out whom something else would admit.
  const isRefused = ({ id }: Grant) => !node.groups.some((grant) => grant.id === id && grant.granted);
  const refusedGroups = node.other ? node.groups.filter(isRefused).map(({ id }) => id) : [];
  const denied = [...refusedUsers.map(principals.user), ...refusedGroups.map(principals.group)];
  return both(audience, { others: node.other, users, groups, denied });
}

/** Those who are in the one and in the other. */
export function both(one: Audience, other: Audience): Audience {
  return {
    others: one.others && other.others,
    users: intersect(one.users, one.others, other.users, other.others),
    groups: intersect(one.groups, one.others, other.groups, other.others),
    denied: [...one.denied, ...other.denied],
  };
}

export function aclOf(audience: Audience, principals: PosixPrincipals): Acl {
  const allow = [
    ...[...audience.users].map(principals.user),
    ...[...audience.groups].map(principals.group),
    ...(audience.others ? [principals.others] : []),
  ];
  return allow.length === 0 ? nobody : { allow, deny: audience.denied };
}

function granted(grants: Grant[]): Set<number> {
  return new Set(grants.filter((grant) => grant.granted && hasName(grant.id)).map(({ id }) => id));
}

function intersect(one: Set<number>, oneOthers: boolean, other: Set<number>, otherOthers: boolean): Set<number> {
  const ofOne = [...one].filter((id) => otherOthers || other.has(id));
  const ofOther = [...other].filter((id) => oneOthers || one.has(id));
  return new Set([...ofOne, ...ofOther]);
}
