import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { AnnealError } from "@anneal/core/errors";

/** @throws AnnealError INVALID_INPUT or DISK_FULL when this user cannot keep state there */
export async function makeStateDir(stateDir: string): Promise<void> {
  try {
    await mkdir(stateDir, { recursive: true });
    await access(stateDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (!(code in reasons)) throw error;
    throw new AnnealError(
      code === "ENOSPC" ? "DISK_FULL" : "INVALID_INPUT",
      `The state cannot be kept in ${stateDir}: ${reasons[code]}.`,
      {
        action: "Choose a folder that you may write to with ANNEAL_STATE_DIR.",
        details: { code },
        cause: error,
      },
    );
  }
}

const reasons: Record<string, string> = {
  EEXIST: "that is a file",
  ENOTDIR: "a part of the path is a file",
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
};
