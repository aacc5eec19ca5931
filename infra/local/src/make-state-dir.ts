import { constants } from "node:fs";
import { access, mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { AnnealError } from "@anneal/core/errors";

/**
 * @param setting names the folder to whoever has to choose another
 * @throws AnnealError INVALID_INPUT or DISK_FULL when this user cannot keep state there
 */
export async function makeStateDir(stateDir: string, setting = "ANNEAL_STATE_DIR"): Promise<void> {
  try {
    await makeDir(resolve(stateDir));
    await access(stateDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (!(code in reasons)) throw error;
    throw new AnnealError(
      code === "ENOSPC" || code === "EDQUOT" ? "DISK_FULL" : "INVALID_INPUT",
      `The state cannot be kept in ${stateDir}: ${reasons[code]}.`,
      {
        action: `Choose a folder that you may write to with ${setting}.`,
        details: { code },
        cause: error,
      },
    );
  }
}

/** Not `recursive`: where a file system says ENOENT to every name, as /proc does, Node would try for ever. */
async function makeDir(dir: string): Promise<void> {
  const found = await stat(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (found?.isDirectory()) return;
  if (found === null && dirname(dir) !== dir) await makeDir(dirname(dir));
  await mkdir(dir).catch(async (error: NodeJS.ErrnoException) => {
    // Somebody else may have made it in this moment.
    if (error.code !== "EEXIST" || !(await stat(dir)).isDirectory()) throw error;
  });
}

const reasons: Record<string, string> = {
  EEXIST: "that is a file",
  ENOTDIR: "a part of the path is a file",
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "the file system is read-only",
  ENOENT: "no folder can be made there",
  ENAMETOOLONG: "the path is too long",
  ELOOP: "its links lead in a circle",
  EDQUOT: "this user's quota is used up",
  ENOSPC: "the disk is full",
};
