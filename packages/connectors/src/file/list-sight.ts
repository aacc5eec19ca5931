import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { AnnealError } from "@anneal/core/errors";
import type { PosixPermissionsConfig } from "../posix/config.ts";
import { hiddenLists } from "../posix/hidden-lists.ts";
import type { FileCalls } from "./file-calls.ts";
import { placeOf } from "./file-systems.ts";

/**
 * Where getfacl says all that there is. Of a mount it mostly shows the mode alone (NFSv4, FUSE), without a word of the
 * access list that its server keeps.
 */
export type ListSight = {
  isWholeOfFolder(folder: string): Promise<boolean>;
  /** @param device what the file lies on, which is asked about once */
  isWholeOfFile(path: string, device: bigint): Promise<boolean>;
  /** What is wrong with the first place that it is not. */
  hidden(): AnnealError | null;
};

export function createListSight(
  { hiddenAccessLists }: Pick<PosixPermissionsConfig, "hiddenAccessLists">,
  calls: FileCalls,
): ListSight {
  let first: AnnealError | null = null;
  const byDevice = new Map<bigint, boolean>();

  /** @returns null where it cannot be told: gone since it was listed, or shut */
  async function look(path: string, folder: string): Promise<boolean | null> {
    const stats = await calls
      .call(path, () => statfs(path))
      .catch(() => {
        calls.ended.throwIfAborted();
        return null;
      });
    if (stats === null) return null;
    const place = placeOf(stats.type);
    if (place === "local" || (place === "mounted" && hiddenAccessLists === "none")) return true;
    if (first === null) {
      const mount = await mountOf(folder, calls);
      first = place === "smb" ? mountedSmb(mount) : hiddenLists(`The file system of "${mount}"`);
    }
    return false;
  }

  return {
    isWholeOfFolder: async (folder) => (await look(folder, folder)) ?? false,
    async isWholeOfFile(path, device) {
      const isWhole = byDevice.get(device) ?? (await look(path, dirname(path)));
      if (isWhole !== null) byDevice.set(device, isWhole);
      return isWhole ?? false;
    },
    hidden: () => first,
  };
}

/** The folder that it is mounted at: what is wrong with a source names none of those in it, which not everybody may know of. */
async function mountOf(folder: string, calls: FileCalls): Promise<string> {
  const deviceOf = (path: string) =>
    calls
      .call(path, () => stat(path, { bigint: true }))
      .then(
        ({ dev }) => dev,
        () => {
          calls.ended.throwIfAborted();
          return null;
        },
      );
  const device = await deviceOf(folder);
  let mount = folder;
  while (device !== null && mount !== dirname(mount) && (await deviceOf(dirname(mount))) === device) {
    mount = dirname(mount);
  }
  return mount;
}

/** Its owners and rights are mostly those that the mount was told, and its server goes by others. */
function mountedSmb(path: string): AnnealError {
  const message = `"${path}" is mounted over SMB, which shows owners and rights of the mount and not of its server, so that nobody is shown what lies there.`;
  return new AnnealError("INVALID_INPUT", message, {
    action: "Add the share as a source of kind SMB, which reads its access lists, or turn file permissions off.",
  });
}
