/** What a source lists of which it makes no document. */
export const leftOutReasons = [
  "link",
  "pipe",
  "socket",
  "device",
  /** Of no kind that anybody knows. */
  "other",
  /** By the patterns of its settings; a folder that is not even listed is one. */
  "excluded",
  "dotted",
  /** Addresses of a website, from here on. */
  "robots",
  "missing",
  "redirect",
  "elsewhere",
  "copy",
  "noindex",
  "feed",
  "type",
  "unwanted",
  "deep",
] as const;
export type LeftOutReason = (typeof leftOutReasons)[number];

/** How many of what a sync met it left out, which is neither a document nor a failure; `orMore` where not all were counted. */
export type LeftOut = Partial<Record<LeftOutReason | "orMore", number>>;

const words: Record<LeftOutReason, [one: string, many: string]> = {
  link: ["symbolic link", "symbolic links"],
  pipe: ["pipe", "pipes"],
  socket: ["socket", "sockets"],
  device: ["device", "devices"],
  other: ["of an unknown kind", "of an unknown kind"],
  excluded: ["kept out by Include or Exclude", "kept out by Include or Exclude"],
  dotted: ["name that begins with a dot", "names that begin with a dot"],
  robots: ["forbidden by robots.txt", "forbidden by robots.txt"],
  missing: ["not found", "not found"],
  redirect: ["redirect", "redirects"],
  elsewhere: ["redirect to another site", "redirects to other sites"],
  copy: ["copy of another page", "copies of other pages"],
  noindex: ["marked noindex", "marked noindex"],
  feed: ["feed", "feeds"],
  type: ["of a type that is not read", "of types that are not read"],
  unwanted: ["read for its links alone", "read for their links alone"],
  deep: ["beyond the links to follow", "beyond the links to follow"],
};

export function leaveOut(leftOut: LeftOut, reason: LeftOutReason): void {
  leftOut[reason] = (leftOut[reason] ?? 0) + 1;
}

/** What was left out before, and is met another way. */
export function takeIn(leftOut: LeftOut, reason: LeftOutReason): void {
  const count = (leftOut[reason] ?? 0) - 1;
  if (count > 0) leftOut[reason] = count;
  else delete leftOut[reason];
}

/**
 * "3 left out: 2 symbolic links, 1 pipe"; null where nothing was.
 * @param leftOut also as another release may have counted
 */
export function wordLeftOut({ orMore = 0, ...leftOut }: Readonly<Record<string, number | undefined>>): string | null {
  const known = Object.keys(words);
  const reasons = [...known, ...Object.keys(leftOut).filter((reason) => !known.includes(reason))];
  const counts = reasons.flatMap((reason): [reason: string, count: number][] => {
    const count = leftOut[reason] ?? 0;
    return count === 0 ? [] : [[reason, count]];
  });
  if (counts.length === 0) return null;
  const format = (count: number) => count.toLocaleString("en-GB");
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const each = counts.map(([reason, count]) => `${format(count)} ${wordReason(reason, count)}`);
  return `${format(total)}${orMore > 0 ? " or more" : ""} left out: ${each.join(", ")}`;
}

function wordReason(reason: string, count: number): string {
  const [one, many] = (words as Record<string, [string, string]>)[reason] ?? [reason, reason];
  return count === 1 ? one : many;
}
