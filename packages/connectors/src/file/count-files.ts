import { join } from "node:path";
import { isExcluded, isIncluded, type PathFilter } from "../path-filter.ts";
import type { FileCalls } from "./file-calls.ts";
import type { Ground } from "./ground.ts";
import { listFolder } from "./list-folder.ts";

/**
 * About how many files a first sync meets, by names alone: links and what is no file count as well, and what a folder that
 * cannot be listed holds does not.
 *
 * @returns null where names do not tell what is a folder, as on a mount: to ask for each is half of what a sync does
 */
export async function countFiles(ground: Ground, filter: PathFilter, calls: FileCalls): Promise<number | null> {
  const waiting = [""];
  let count = 0;
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    try {
      for await (const { name, isFolder } of listFolder(join(ground.path, folder), calls)) {
        const ref = folder + name;
        if (isFolder === null) return null;
        if (name.startsWith(".") || isExcluded(ref, filter) || ground.closed.includes(join(ground.path, ref))) continue;
        if (isFolder) waiting.push(`${ref}/`);
        else if (isIncluded(ref, filter)) count += 1;
      }
    } catch {
      // The walk meets it as well, and tells.
      calls.ended.throwIfAborted();
    }
  }
  return count;
}
