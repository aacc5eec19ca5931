import type { BigIntStats, Dirent } from "node:fs";
import { lstat, opendir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { AnnealError } from "@anneal/core/errors";
import { isExcluded, isIncluded, type PathFilter } from "../path-filter.ts";
import { toFileError } from "./file-errors.ts";

export type WalkEntry =
  | { type: "file"; ref: string; path: string; stats: BigIntStats }
  /** `ref` ends in "/" for a folder, none of whose children were listed. */
  | { type: "failure"; ref: string; error: AnnealError };

/** So many names are sorted at once, which bounds the memory that a folder of millions takes. */
const sortedNames = 10_000;

/**
 * Every regular file below `root` (a real path), folder by folder and mostly in the order of names, in which what is known
 * of them is looked up; refs are relative with forward slashes. Names that
 * begin with a dot are skipped. A link to a file is followed only to a target inside the root; a link to a folder
 * never is, because what lies inside the root is listed at its own place and loops cannot arise.
 */
export async function* walkFolder(root: string, filter: PathFilter, signal: AbortSignal): AsyncIterable<WalkEntry> {
  const waiting = [""];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    signal.throwIfAborted();
    const subfolders: string[] = [];
    try {
      for await (const entry of inOrder(await opendir(join(root, folder), { bufferSize: 256 }))) {
        if (entry.name.startsWith(".")) continue;
        const ref = folder + entry.name;
        if (entry.name.includes("\ufffd") && (await isMissing(join(root, ref)))) {
          yield { type: "failure", ref, error: badName(ref) };
        } else if (entry.isDirectory()) {
          if (!isExcluded(ref, filter)) subfolders.push(`${ref}/`);
        } else if (isIncluded(ref, filter)) {
          const found = await inspect(root, ref);
          if (found !== null) yield found;
        }
      }
    } catch (error) {
      yield { type: "failure", ref: folder, error: toFileError(error, join(root, folder)) };
    }
    // The last one is taken first.
    for (const subfolder of subfolders.reverse()) waiting.push(subfolder);
  }
}

async function* inOrder(entries: AsyncIterable<Dirent>): AsyncIterable<Dirent> {
  let some: Dirent[] = [];
  const sorted = () => some.sort((left, right) => (left.name < right.name ? -1 : 1));
  for await (const entry of entries) {
    some.push(entry);
    if (some.length < sortedNames) continue;
    yield* sorted();
    some = [];
  }
  yield* sorted();
}

async function inspect(root: string, ref: string): Promise<WalkEntry | null> {
  const path = join(root, ref);
  try {
    let stats = await lstat(path, { bigint: true });
    if (stats.isSymbolicLink()) {
      if (!isInside(root, await realpath(path))) return null;
      stats = await stat(path, { bigint: true });
    }
    return stats.isFile() ? { type: "file", ref, path, stats } : null;
  } catch (error) {
    const failure = toFileError(error, path);
    // Deleted since the folder was listed, or a link to nowhere: there is no document.
    return failure.code === "SOURCE_NOT_FOUND" ? null : { type: "failure", ref, error: failure };
  }
}

export function isInside(root: string, path: string): boolean {
  return path.startsWith(root.endsWith(sep) ? root : root + sep);
}

async function isMissing(path: string): Promise<boolean> {
  return lstat(path).then(
    () => false,
    () => true,
  );
}

function badName(ref: string): AnnealError {
  return new AnnealError("INVALID_INPUT", `The name of "${ref}" is not valid UTF-8.`, {
    action: "Rename the file or folder.",
  });
}

/**
 * Survives a move within the file system (mtime and inode stay) and changes with every write. Nanoseconds, because two
 * writes within a millisecond are common in scripts.
 */
export function fingerprintOf(stats: BigIntStats): string {
  return `${stats.size}-${stats.mtimeNs}-${stats.ino}`;
}
