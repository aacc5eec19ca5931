import { hash } from "node:crypto";
import { anyone, nobody, type Acl, type Principal } from "@anneal/core/access/acl";
import type { ItemConfig } from "./config.ts";
import { parsePath, reachesAll, select, type Path } from "./path.ts";

/** How an item says who may read it. */
export type Readers = {
  allow: Path;
  deny: Path | null;
  anyone: string | null;
  /** The groups that can be denied, because all their members are known; none until somebody lists them. */
  toldGroups: ReadonlySet<string>;
  principalOf(name: string): Principal;
};

/**
 * @param kind the connector's
 * @param groupSettings all that decides what a group's members are: groups read in another way are other groups, so that
 *   a second source on the same service cannot fill the groups of the first
 * @returns null where the service has no permissions: the source's own audience applies
 */
export function readersOf(kind: string, config: ItemConfig, groupSettings: readonly unknown[]): Readers | null {
  if (config.allow === null) return null;
  const settings = JSON.stringify([config.groupItems, config.groupId, config.groupMembers, ...groupSettings]);
  const tenant = `${config.url}#${hash("sha256", settings, "base64url").slice(0, 12)}`;
  return {
    allow: parsePath(config.allow),
    deny: config.deny === null ? null : parsePath(config.deny),
    anyone: config.anyone,
    toldGroups: new Set(),
    principalOf: (name) =>
      name.includes("@")
        ? { source: kind, tenant, kind: "user", id: name.toLowerCase() }
        : { source: kind, tenant, kind: "group", id: name },
  };
}

/**
 * What cannot be read as names admits nobody: neither an allowance nor a denial may be guessed. Nor does what denies a
 * group that nobody tells the members of: it would deny nobody.
 */
export function aclOf(readers: Readers, item: unknown): Acl {
  const allow = namesOf(select(item, readers.allow));
  const denied = readers.deny === null ? undefined : select(item, readers.deny);
  // A denial that is left out is none; an allowance that is left out is none either.
  const deny = denied === undefined || denied === null ? [] : namesOf(denied);
  // Of three denied, one without a name is a denial that would be lost.
  if (readers.deny !== null && !reachesAll(item, readers.deny)) return nobody;
  if (allow === null || deny === null) return nobody;
  const isTold = (name: string) => name === readers.anyone || name.includes("@") || readers.toldGroups.has(name);
  if (!deny.every(isTold)) return nobody;
  const principals = (names: string[]) =>
    names.map((name) => (name === readers.anyone ? anyone : readers.principalOf(name)));
  return { allow: principals(allow), deny: principals(deny) };
}

/** @returns the names of people and groups that an item's ACL mentions */
export function mentionedBy(readers: Readers, item: unknown): string[] {
  const names = [readers.allow, readers.deny].flatMap((path) => (path && namesOf(select(item, path))) ?? []);
  return names.filter((name) => name !== readers.anyone);
}

/** A list of names or numbers, or one name, or addresses between commas; null for anything else. */
export function namesOf(value: unknown): string[] | null {
  const list: unknown[] | null = Array.isArray(value) ? value.flat() : typeof value === "string" ? split(value) : null;
  if (list === null || !list.every((name) => typeof name === "string" || typeof name === "number")) return null;
  return list.flatMap((name) => String(name).trim() || []);
}

/** A comma may be part of a group's name: half of it might be another group. */
function split(text: string): string[] {
  const parts = text.split(/[,;]/);
  return parts.every((part) => part.includes("@")) ? parts : [text];
}
