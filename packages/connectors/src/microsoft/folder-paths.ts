import { itemPath } from "./drive-run.ts";
import type { RemoteError } from "../remote/remote-client.ts";
import { isOwnFault, type Graph } from "./graph-client.ts";
import { driveItemSchema, type DriveItem } from "./graph-schemas.ts";

export type FolderPaths = {
  learn(folder: DriveItem): void;
  /** "guides/reset.md", relative to the drive's root. */
  pathOf(item: DriveItem): Promise<string>;
  /** Whether it lies in one of these folders, however deep. */
  liesIn(folderIds: readonly string[], item: DriveItem): Promise<boolean>;
};

/**
 * The feed names an item's parent by its id alone. A listing brings parents before their children; another parent is
 * asked for once in a run, and only if there is a pattern to compare its path with.
 */
export function createFolderPaths(graph: Graph, driveId: string): FolderPaths {
  const folders = new Map<string, { name: string; parentId: string | null }>();

  /** A folder and those around it, up to the root, which has no name. */
  async function* chainFrom(folderId: string): AsyncIterable<{ id: string; name: string }> {
    for (let id: string | null = folderId; id !== null;) {
      const folder: { name: string; parentId: string | null } = folders.get(id) ?? (await load(id));
      yield { id, name: folder.parentId === null ? "" : folder.name };
      id = folder.parentId;
    }
  }
  /** Many files lie in one that cannot be read, which is asked for once all the same. */
  const refused = new Map<string, RemoteError>();
  const load = async (id: string) => {
    const before = refused.get(id);
    if (before !== undefined) throw before;
    try {
      learn(await graph.json(itemPath(driveId, id), driveItemSchema));
    } catch (error) {
      // Gone again, and with it what was in it; or not for the account to see, unlike something in it.
      const isHidden = isOwnFault(error) && error.status === 403 && (await graph.account()) !== null;
      if (isOwnFault(error) && error.isAlone) refused.set(id, error);
      if (!isHidden && (!isOwnFault(error) || error.status !== 404)) throw error;
    }
    return folders.get(id) ?? { name: "", parentId: null };
  };
  const learn = (folder: DriveItem) => {
    const parentId = folder.root ? null : (folder.parentReference?.id ?? null);
    folders.set(folder.id, { name: folder.name ?? "", parentId });
  };

  return {
    learn,
    async pathOf(item) {
      const names = [item.name ?? ""];
      const parentId = item.parentReference?.id;
      if (parentId) for await (const { name } of chainFrom(parentId)) if (name !== "") names.unshift(name);
      return names.join("/");
    },
    async liesIn(folderIds, item) {
      const parentId = item.parentReference?.id;
      if (parentId) for await (const { id } of chainFrom(parentId)) if (folderIds.includes(id)) return true;
      return false;
    },
  };
}
