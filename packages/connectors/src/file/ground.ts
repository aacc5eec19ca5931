import { realpath } from "node:fs/promises";
import { resolve, sep } from "node:path";
import { AnnealError } from "@anneal/core/errors";
import type { FileCalls } from "./file-calls.ts";

/** What a source may read: all that lies in the folder `path`, but for the folders that are closed. Real paths. */
export type Ground = { path: string; closed: readonly string[] };

/** What processes are, hold and got as settings shows there, and no document lies in them. */
const systemFolders = ["/proc", "/sys", "/dev"];

/**
 * @param place the folder as it is written in the settings
 * @param path its real path
 * @param ownFolders see `ConnectContext`
 * @throws AnnealError SOURCE_FORBIDDEN where nothing is left to read
 */
export async function openGround(
  { place, path, ownFolders }: { place: string; path: string; ownFolders: readonly string[] },
  calls: FileCalls,
): Promise<Ground> {
  const own = await Promise.all(
    ownFolders.map((folder) => calls.call(folder, () => realpath(folder)).catch(() => resolve(folder))),
  );
  calls.ended.throwIfAborted();
  if (isIn(own, path)) {
    throw new AnnealError("SOURCE_FORBIDDEN", `"${place}" is where the platform keeps its own state, keys among it.`, {
      action: "Choose a folder outside of the platform's own.",
    });
  }
  if (isIn(systemFolders, path)) {
    throw new AnnealError(
      "SOURCE_FORBIDDEN",
      `"${place}" shows what this machine runs, secrets of programs among it.`,
      {
        action: "Choose a folder that holds documents.",
      },
    );
  }
  const closed = [...own, ...systemFolders].filter((folder) => isBelow(path, folder));
  return { path, closed: closed.filter((folder) => !closed.some((other) => isBelow(other, folder))) };
}

/** @param path a real path */
export function isInside({ path: root, closed }: Ground, path: string): boolean {
  return isBelow(root, path) && !isIn(closed, path);
}

function isIn(folders: readonly string[], path: string): boolean {
  return folders.some((folder) => path === folder || isBelow(folder, path));
}

function isBelow(folder: string, path: string): boolean {
  return path !== folder && path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
