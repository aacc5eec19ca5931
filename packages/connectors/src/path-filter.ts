import { matchesGlob } from "node:path";
import { z } from "zod";

/** Shared by every connector whose refs read like paths. */
export const pathFilterShape = {
  include: z.array(z.string().min(1)).default([]).meta({
    title: "Include",
    description: "Glob patterns; when there are any, only matching paths are read.",
  }),
  exclude: z.array(z.string().min(1)).default([]).meta({
    title: "Exclude",
    description: "Glob patterns of paths to leave out; wins over include.",
  }),
};
export type PathFilter = { include: string[]; exclude: string[] };

function matchesAny(path: string, patterns: string[]): boolean {
  const shown = withoutHiding(path.replace(/^\/+/, ""));
  // A pattern without a slash means the file's name, wherever it lies, as in .gitignore.
  return patterns.some((pattern) =>
    matchesGlob(shown, withoutHiding(pattern.includes("/") ? pattern.replace(/^\//, "") : `**/${pattern}`)),
  );
}

/** Node's stars pass over names that begin with a dot, and what is excluded is excluded there as well. */
function withoutHiding(text: string): string {
  return text.replaceAll(/(?<=^|[/{,(|])\./g, dotLike);
}

/** Looks like a dot, and is none to Node. */
const dotLike = "\u2024";

/** @param path with forward slashes, relative to what is read; an address may leave a slash before it */
export function isIncluded(path: string, filter: PathFilter): boolean {
  return (filter.include.length === 0 || matchesAny(path, filter.include)) && !isExcluded(path, filter);
}

export function isExcluded(path: string, filter: PathFilter): boolean {
  return matchesAny(path, filter.exclude);
}
