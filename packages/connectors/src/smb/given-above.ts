import { concernsReading, creatorOwner, type AccessEntry, type SecurityDescriptor } from "./security-descriptor.ts";

/**
 * What a folder hands down to the files in it, and the folder that each of it was given on: an entry of NTFS says that it is
 * inherited, and not from where.
 */
export type GivenAbove = ReadonlyMap<string, string>;

export const nothingAbove: GivenAbove = new Map();

/**
 * @param folder as people write it
 * @param above what its own folder hands down; null for the top of the share, over which nobody sees
 */
export function givenIn(folder: string, { entries }: SecurityDescriptor, above: GivenAbove | null): GivenAbove {
  const given = new Map<string, string>();
  for (const entry of entries ?? []) {
    if (!entry.objectInherit || !concernsReading(entry.mask)) continue;
    const key = keyOf(entry.effect, entry.sid);
    const from = !entry.inherited || above === null ? folder : above.get(key);
    // Something may be given here and further up; nearest to the file is what somebody did last.
    if (from !== undefined && (!given.has(key) || !entry.inherited)) given.set(key, from);
  }
  // Most folders hand down what the one above them does: what is kept of all of them is one.
  return above !== null && isSame(given, above) ? above : given;
}

function isSame(one: GivenAbove, other: GivenAbove): boolean {
  return one.size === other.size && [...one].every(([key, from]) => other.get(key) === from);
}

/**
 * @param above what the file's folder hands down
 * @returns undefined for what is given on the file itself, and where that is not to be told: a file keeps what it inherited
 * when it is moved, until its server goes over it
 */
export function inheritedFrom(
  { effect, sid, inherited }: Pick<AccessEntry, "effect" | "sid" | "inherited">,
  owner: string | null,
  above: GivenAbove,
): string | undefined {
  if (!inherited) return undefined;
  // What is given to whoever makes a file is inherited by name.
  const asOwner = sid === owner ? above.get(keyOf(effect, creatorOwner)) : undefined;
  return above.get(keyOf(effect, sid)) ?? asOwner;
}

function keyOf(effect: AccessEntry["effect"], sid: string): string {
  return `${effect} ${sid}`;
}
