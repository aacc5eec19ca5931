import { hash } from "node:crypto";
import { anyone, nobody, principalKey, type Principal } from "@anneal/core/access/acl";
import type { SourceAcl, SourceGrant } from "@anneal/core/access/acl-origins";

/**
 * Who may read a document of which several conditions hold at once: a space's readers, and those whom each restricted
 * page above it names. An ACL is a union, so an intersection of groups becomes a group of its own, whose members the
 * directory works out (`directory.ts`).
 */
export type Audience = { acl: SourceAcl; intersections: Intersection[] };
export type Intersection = { principal: Principal; levels: Principal[][] };

export const shownToNobody: Audience = { acl: nobody, intersections: [] };

/** Those who are in one of them. */
export function uniteAudiences(audiences: readonly Audience[]): Audience {
  const allow = new Map(audiences.flatMap(({ acl }) => acl.allow).map((grant) => [principalKey(grant), grant]));
  return {
    acl: { allow: [...allow.values()], deny: [] },
    intersections: audiences.flatMap(({ intersections }) => intersections),
  };
}

/** @param levels each a union, given in one place; somebody must be in all of them */
export function intersectLevels(
  levels: readonly (readonly SourceGrant[])[],
  identity: { source: string; tenant: string },
): Audience {
  if (levels.length === 0) return shownToNobody;
  const anyoneKey = principalKey(anyone);
  const sets = levels
    .map((level) => new Map(level.map((principal) => [principalKey(principal), principal])))
    .filter((set) => !set.has(anyoneKey));
  if (sets.length === 0) return { acl: { allow: [anyone], deny: [] }, intersections: [] };
  // A level that contains all of another one demands nothing more; of equal ones the first stays.
  const needed = sets.filter(
    (set, index) =>
      !sets.some((other, at) => at !== index && isSubset(other, set) && (other.size < set.size || at < index)),
  );
  const [only] = needed;
  if (needed.length === 1 && only !== undefined) {
    return { acl: { allow: [...only.values()], deny: [] }, intersections: [] };
  }
  const canonical = needed.map((set) => [...set.keys()].sort()).sort((a, b) => (a.join() < b.join() ? -1 : 1));
  const id = `intersection:${digest(JSON.stringify(canonical))}`;
  const principal: Principal = { ...identity, kind: "group", id };
  const places = needed.flatMap((set) => [...set.values()].at(0)?.inheritedFrom ?? []);
  // Where the document itself narrows, it inherits nothing as it is.
  const isInherited = places.length === needed.length;
  return {
    acl: { allow: [{ ...principal, ...(isInherited ? { inheritedFrom: places.join(" and ") } : {}) }], deny: [] },
    intersections: [{ principal, levels: needed.map((set) => [...set.values()]) }],
  };
}

function isSubset(part: ReadonlyMap<string, unknown>, whole: ReadonlyMap<string, unknown>): boolean {
  return part.size <= whole.size && [...part.keys()].every((key) => whole.has(key));
}

export function digest(text: string): string {
  return hash("sha256", text, "base64url").slice(0, 32);
}
