import type { BigIntStats } from "node:fs";
import { lstat, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import type { LeftOutReason } from "@anneal/core/connect/left-out";
import { AnnealError } from "@anneal/core/errors";
import { isExcluded, isIncluded, type PathFilter } from "../path-filter.ts";
import { WalkedFolders } from "../walked-folders.ts";
import type { FileCalls } from "./file-calls.ts";
import { toFileError } from "./file-errors.ts";
import { isInside, type Ground } from "./ground.ts";
import { listFolder } from "./list-folder.ts";

export type WalkEntry =
  | { type: "file"; ref: string; path: string; stats: BigIntStats }
  /**
   * `ref` ends in "/" for a folder, none of whose children were listed. `isUnknown`: whether it is a folder could not be
   * told, so that something may lie in it.
   */
  | { type: "failure"; ref: string; error: AnnealError; isUnknown?: boolean };

/**
 * Every regular file of the ground, folder by folder and mostly in the order of names, in which what is known of them is
 * looked up; refs are relative with forward slashes. Names that begin with a dot are skipped. A link to a file is followed
 * only to a target inside the ground; a link to a folder never is, because what lies inside is listed at its own place and
 * loops cannot arise.
 *
 * @param folders those to list: at the beginning the ground alone
 * @param leave is told of each link that is not followed, of what is neither file nor folder, of names that begin with a dot, and of
 *   what the filter excludes
 */
export async function* walkFolder(
  ground: Ground,
  filter: PathFilter,
  calls: FileCalls,
  folders = groundFolders(false),
  leave: (reason: LeftOutReason) => void = () => {},
): AsyncIterable<WalkEntry> {
  const { path: root, closed } = ground;
  for (let folder = folders.next(); folder !== undefined; folder = folders.next()) {
    calls.ended.throwIfAborted();
    const path = join(root, folder);
    try {
      for await (const { name, isFolder } of folders.entries(() => listFolder(path, calls))) {
        if (name.startsWith(".")) {
          leave("dotted");
          continue;
        }
        const ref = folder + name;
        if (name.includes("\ufffd") && (await isMissing(join(root, ref), calls))) {
          yield { type: "failure", ref, error: badName(ref) };
          continue;
        }
        if (closed.includes(join(root, ref))) continue;
        if (isExcluded(ref, filter)) {
          leave("excluded");
          continue;
        }
        const isWanted = isIncluded(ref, filter);
        const found =
          isFolder === true ? "folder" : isWanted || isFolder === null ? await inspect(ground, ref, calls) : null;
        if (found === "folder") folders.enter(`${ref}/`);
        else if (found?.type === "failure" && isFolder === null) yield { ...found, isUnknown: true };
        else if (!isWanted) leave("excluded");
        else if (found === null) continue;
        else if (found.type === "leftOut") leave(found.reason);
        else yield found;
      }
    } catch (error) {
      calls.ended.throwIfAborted();
      yield { type: "failure", ref: folder, error: toFileError(error, path) };
    }
  }
}

/** @param counts whether it is wanted which share of the tree was walked */
export function groundFolders(counts: boolean): WalkedFolders<string> {
  return new WalkedFolders("", counts);
}

type LeftOutEntry = { type: "leftOut"; reason: LeftOutReason };

async function inspect(
  ground: Ground,
  ref: string,
  calls: FileCalls,
): Promise<WalkEntry | LeftOutEntry | "folder" | null> {
  const path = join(ground.path, ref);
  const link: LeftOutEntry = { type: "leftOut", reason: "link" };
  let isLink = false;
  try {
    let stats = await calls.call(path, () => lstat(path, { bigint: true }));
    if (stats.isDirectory()) return "folder";
    isLink = stats.isSymbolicLink();
    if (isLink) {
      if (!isInside(ground, await calls.call(path, () => realpath(path)))) return link;
      stats = await calls.call(path, () => stat(path, { bigint: true }));
    }
    if (stats.isFile()) return { type: "file", ref, path, stats };
    return isLink ? link : { type: "leftOut", reason: reasonOf(stats) };
  } catch (error) {
    calls.ended.throwIfAborted();
    const failure = toFileError(error, path);
    if (failure.code !== "SOURCE_NOT_FOUND") return { type: "failure", ref, error: failure };
    // A link to nowhere, or deleted since the folder was listed: there is no document.
    return isLink ? link : null;
  }
}

function reasonOf(stats: BigIntStats): LeftOutReason {
  if (stats.isFIFO()) return "pipe";
  if (stats.isSocket()) return "socket";
  return stats.isCharacterDevice() || stats.isBlockDevice() ? "device" : "other";
}

async function isMissing(path: string, calls: FileCalls): Promise<boolean> {
  return calls
    .call(path, () => lstat(path))
    .then(
      () => false,
      () => {
        calls.ended.throwIfAborted();
        return true;
      },
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
