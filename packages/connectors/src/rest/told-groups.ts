import type { ItemConfig } from "./config.ts";
import type { ItemListing } from "./pages.ts";
import { parsePath, reachesAll, select, selectList, type Path } from "./path.ts";
import { namesOf } from "./readers.ts";

/** The groups of which the service's list tells every member, through groups in groups: a denial of another denies nobody. */
export async function listToldGroups(config: ItemConfig, listing: ItemListing): Promise<ReadonlySet<string>> {
  const groupId = parsePath(config.groupId);
  const groupMembers = parsePath(config.groupMembers);
  /** null where some cannot be read. */
  const inGroups = new Map<string, string[] | null>();
  for await (const { items } of listing.listGroups?.() ?? []) {
    for (const group of items) {
      const [name] = namesOf([select(group, groupId)]) ?? [];
      if (name === undefined) continue;
      const before = inGroups.get(name);
      const groups = allMembersOf(group, groupMembers)?.filter((member) => !member.includes("@"));
      inGroups.set(name, groups === undefined || before === null ? null : [...(before ?? []), ...groups]);
    }
  }
  return wholeOf(inGroups);
}

/** Without those that have one of the others in them. */
function wholeOf(inGroups: ReadonlyMap<string, string[] | null>): ReadonlySet<string> {
  const whole = new Set<string>();
  for (const [name, groups] of inGroups) if (groups !== null) whole.add(name);
  for (let before = -1; before !== whole.size;) {
    before = whole.size;
    for (const name of whole) if (!inGroups.get(name)?.every((group) => whole.has(group))) whole.delete(name);
  }
  return whole;
}

/** @returns undefined where there is no list of them, or one of them has no name */
function allMembersOf(group: unknown, members: Path): string[] | undefined {
  const isList = members.every(({ type }) => type !== "all") || selectList(group, members) !== null;
  if (!isList || !reachesAll(group, members)) return undefined;
  return namesOf(select(group, members)) ?? undefined;
}
