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
  // A pattern without a slash means the file's name, wherever it lies, as in .gitignore.
  return patterns.some((pattern) =>
    matchesGlob(path, pattern.includes("/") ? pattern.replace(/^\//, "") : `**/${pattern}`),
  );
}

/** @param path relative, with forward slashes */
export function isIncluded(path: string, filter: PathFilter): boolean {
  return (filter.include.length === 0 || matchesAny(path, filter.include)) && !isExcluded(path, filter);
}

export function isExcluded(path: string, filter: PathFilter): boolean {
  return matchesAny(path, filter.exclude);
}
