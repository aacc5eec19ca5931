import { dirname } from "node:path";
import {
  everybody,
  noAudience,
  passThrough,
  type Audience,
  type NodeAccess,
  type PosixPrincipals,
} from "../posix/audience.ts";

/** Who gets down to each of the folders that a walk is at, from the top of the file system. */
export type FolderAudiences = {
  /**
   * Works out the audience of some folders. What was known is kept of those above them alone: a walk goes through all
   * below a folder before the next, and there may be as many as there are files.
   */
  learn(paths: readonly string[]): Promise<void>;
  /** Nobody for one that was not among the last that were learnt, or above them. */
  of(folder: string): Audience;
  size(): number;
};

/** @param read what folders say of passing them; one that is left out lets nobody through */
export function createFolderAudiences(
  read: (folders: readonly string[]) => Promise<Map<string, NodeAccess>>,
  principals: PosixPrincipals,
): FolderAudiences {
  const known = new Map<string, Audience>();
  const of = (folder: string) => known.get(folder) ?? noAudience;
  return {
    of,
    size: () => known.size,
    async learn(paths) {
      const wanted = new Set<string>();
      for (const path of paths) {
        for (let folder = path; !wanted.has(folder); folder = dirname(folder)) wanted.add(folder);
      }
      for (const folder of known.keys()) if (!wanted.has(folder)) known.delete(folder);
      const missing = [...wanted].filter((folder) => !known.has(folder)).sort((a, b) => a.length - b.length);
      const nodes = await read(missing);
      for (const folder of missing) {
        const above = folder === dirname(folder) ? everybody : of(dirname(folder));
        const node = nodes.get(folder);
        known.set(folder, node === undefined ? noAudience : passThrough(above, folder, node, principals));
      }
    },
  };
}
