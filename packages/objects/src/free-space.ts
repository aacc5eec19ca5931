import { statfs } from "node:fs/promises";
import { diskReserveBytes } from "@anneal/core/disk-full";
import { AnnealError } from "@anneal/core/errors";

/**
 * @param dir an existing folder on the disk that is asked about
 * @throws AnnealError DISK_FULL while less than the reserve is free, with both numbers
 */
export async function requireFreeSpace(dir: string, reserveBytes = diskReserveBytes): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  const freeBytes = bavail * bsize;
  if (freeBytes >= reserveBytes) return;
  const mib = (bytes: number) => `${Math.floor(bytes / 1024 ** 2)} MiB`;
  throw new AnnealError(
    "DISK_FULL",
    `The disk that holds ${dir} has ${mib(freeBytes)} free, and the last ${mib(reserveBytes)} are kept for the database.`,
    {
      action: "Free some space and try again; nothing already stored was lost.",
      details: { dir, freeBytes, reserveBytes },
    },
  );
}
