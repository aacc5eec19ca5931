import { statfs } from "node:fs/promises";
import { AnnealError } from "@anneal/core/errors";

/**
 * @param wantedBytes what must be free on the disk that holds `dir`
 * @throws AnnealError DISK_FULL, with both numbers
 */
export async function checkDisk(dir: string, wantedBytes: number): Promise<{ freeBytes: number }> {
  const { bavail, bsize } = await statfs(dir);
  const freeBytes = bavail * bsize;
  if (freeBytes < wantedBytes) {
    throw new AnnealError(
      "DISK_FULL",
      `The disk that holds ${dir} has ${formatGiB(freeBytes)} free, and ${formatGiB(wantedBytes)} are needed.`,
      {
        action: "Free some space, or move the state to a larger disk with ANNEAL_STATE_DIR.",
        details: { dir, freeBytes, wantedBytes },
      },
    );
  }
  return { freeBytes };
}

function formatGiB(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
