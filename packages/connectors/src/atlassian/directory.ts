import { principalKey, type Principal } from "@anneal/core/access/acl";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import type { AnnealError } from "@anneal/core/errors";
import { isRefusedAlone, unknownMembers } from "../remote/refused-alone.ts";
import type { Intersection } from "./audience.ts";
import type { Group, Person } from "./people.ts";

export type Account = { principal: Principal; name: string; email: string | null };
/** `unread`: why its members could not be read, while others could; it is left out then. */
export type GroupMembers = { principal: Principal; name: string; members: Account[]; unread?: AnnealError };

const maxNameChars = 200;

export async function toGroupMembers(
  identity: { source: string; tenant: string },
  { id, name }: Group,
  members: AsyncIterable<Person>,
): Promise<GroupMembers> {
  const principal: Principal = { ...identity, kind: "group", id };
  const accounts: Account[] = [];
  try {
    for await (const person of members) {
      accounts.push({
        principal: { ...identity, kind: "user", id: person.id },
        name: person.name,
        email: person.email,
      });
    }
  } catch (error) {
    if (!isRefusedAlone(error)) throw error;
    return { principal, name, members: [], unread: error };
  }
  return { principal, name, members: accounts };
}

/**
 * The site's people and groups, and a group for each intersection that a document's audience needs: those who are in
 * every level of it.
 *
 * @param mayEnter leaves out accounts that may not use the product at all, whatever names them
 */
export async function* describeDirectory(
  groups: readonly GroupMembers[],
  intersections: AsyncIterable<Intersection>,
  mayEnter: (account: Account) => boolean,
): AsyncIterable<DirectoryEntry> {
  const people = new Map<string, Principal>();
  const names = new Map<string, string>();
  const membersOf = new Map<string, ReadonlySet<string>>();
  for (const group of groups) {
    if (group.unread !== undefined) {
      // What is made of it, such as all who may use the product, lacks whom only it would have named.
      yield unknownMembers(group.name, group.unread);
      continue;
    }
    const members = group.members.filter(mayEnter);
    const keys = new Set<string>();
    for (const { principal, name, email } of members) {
      const key = principalKey(principal);
      keys.add(key);
      if (people.has(key)) continue;
      people.set(key, principal);
      names.set(key, name);
      yield { type: "user", principal, name, emails: email === null ? [] : [email] };
    }
    membersOf.set(principalKey(group.principal), keys);
    names.set(principalKey(group.principal), group.name);
    yield {
      type: "group",
      principal: group.principal,
      name: group.name,
      members: members.map(({ principal }) => principal),
    };
  }

  const described = new Set<string>();
  for await (const { principal, levels } of intersections) {
    const key = principalKey(principal);
    if (described.has(key)) continue;
    described.add(key);
    const [first = new Set<string>(), ...others] = levels.map((level) => expand(level, membersOf));
    const common = [...first].filter((member) => others.every((level) => level.has(member)));
    yield {
      type: "group",
      principal,
      name: nameOf(levels, names),
      members: common.map((member) => people.get(member)).filter((member) => member !== undefined),
    };
  }
}

/** Groups become their members; one that the site does not list any more has none. */
function expand(level: readonly Principal[], membersOf: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const expanded = new Set<string>();
  for (const principal of level) {
    const key = principalKey(principal);
    if (principal.kind === "user") expanded.add(key);
    else for (const member of membersOf.get(key) ?? []) expanded.add(member);
  }
  return expanded;
}

/** "staff; and: finance or Ann" */
function nameOf(levels: Principal[][], names: ReadonlyMap<string, string>): string {
  const parts = levels.map((level) =>
    level.map((principal) => names.get(principalKey(principal)) ?? principal.id).join(" or "),
  );
  const name = parts.join("; and: ");
  return name.length > maxNameChars ? `${name.slice(0, maxNameChars - 1)}…` : name;
}
