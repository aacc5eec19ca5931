import { aclFingerprint, principalKey, type Acl, type Principal } from "./acl.ts";

/**
 * A grant or a denial as its source gives it. `inheritedFrom` names the container that it was given on, as people there
 * know it: a path, a space, a drive; it is left out for what is given on the document itself, or where that is not told.
 */
export type SourceGrant = Principal & { inheritedFrom?: string };
export type SourceAcl = {
  allow: SourceGrant[];
  deny: SourceGrant[];
  /** From the outermost container in; left out where none closes the document to anybody, or the source tells none. */
  closed?: Closing[];
};

/** Whom the document's own permissions would admit, and a container that it lies in does not let through to it. */
export type Closing = { container: string; to: Principal[] };

/** Where what is inherited comes from, by the principal's key. It decides about nothing, and is only told. */
export type AclOrigins = {
  allow: Record<string, string>;
  deny: Record<string, string>;
  /** Left out where there is none, as earlier releases wrote it. */
  closed?: Closing[];
};

/** What decides, apart from what explains it, so that two documents with the same readers have equal ACLs. */
export function splitOrigins(given: SourceAcl): { acl: Acl; origins: AclOrigins | null } {
  const closed = (given.closed ?? []).map(({ container, to }) => ({ container, to: to.map(withoutOrigin) }));
  const origins: AclOrigins = {
    allow: originsOf(given.allow),
    deny: originsOf(given.deny),
    ...(closed.length === 0 ? {} : { closed }),
  };
  const acl = { allow: given.allow.map(withoutOrigin), deny: given.deny.map(withoutOrigin) };
  return { acl, origins: isEmpty(origins) ? null : origins };
}

/**
 * Changes with the audience and with where it comes from; equal to `aclFingerprint` where nothing is inherited. Not to be
 * asked whether two documents have the same readers.
 */
export function sourceAclFingerprint(given: SourceAcl): string {
  const { acl, origins } = splitOrigins(given);
  return origins === null ? aclFingerprint(acl) : `${aclFingerprint(acl)}${JSON.stringify(origins)}`;
}

/**
 * Tells one explanation of the same readers from another; null where there is none. Whose principals they are makes no
 * difference, so that it is the same before and after `aclOfSource`.
 */
export function digestOrigins(given: SourceAcl, sha256: (text: string) => string): string | null {
  const bare = <Given extends Principal>(principals: readonly Given[]) =>
    principals.map((principal) => ({ ...principal, source: "", tenant: "" }));
  const closed = given.closed?.map(({ container, to }) => ({ container, to: bare(to) }));
  const { origins } = splitOrigins({ allow: bare(given.allow), deny: bare(given.deny), ...(closed && { closed }) });
  return origins === null ? null : sha256(JSON.stringify(origins)).slice(0, 32);
}

/** Everything that is given on a container, as what lies in it inherits it. */
export function inheritFrom(container: string, given: SourceAcl): SourceAcl {
  const inherited = (grant: SourceGrant): SourceGrant => ({ inheritedFrom: container, ...grant });
  return { ...given, allow: given.allow.map(inherited), deny: given.deny.map(inherited) };
}

/** Whoever is also named on the document itself inherits nothing; of several containers the first is told. */
function originsOf(grants: readonly SourceGrant[]): Record<string, string> {
  const origins = new Map<string, string | undefined>();
  for (const grant of grants) {
    const key = principalKey(grant);
    if (!origins.has(key) || grant.inheritedFrom === undefined) origins.set(key, grant.inheritedFrom);
  }
  const told = [...origins].filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(told.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

function withoutOrigin({ source, tenant, kind, id }: SourceGrant): Principal {
  return { source, tenant, kind, id };
}

function isEmpty({ allow, deny, closed }: AclOrigins): boolean {
  return Object.keys(allow).length === 0 && Object.keys(deny).length === 0 && closed === undefined;
}
