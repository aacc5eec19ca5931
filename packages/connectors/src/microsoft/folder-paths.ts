import { itemPath } from "./drive-run.ts";
import { isOwnFault, type Graph } from "./graph-client.ts";
import { driveItemSchema, type DriveItem } from "./graph-schemas.ts";

export type FolderPaths = {
  learn(folder: DriveItem): void;
  /** "guides/reset.md", relative to the drive's root. */
  pathOf(item: DriveItem): Promise<string>;
};

/**
 * The feed names an item's parent by its id alone. A listing brings parents before their children; another parent is
 * asked for once in a run, and only if there is a pattern to compare its path with.
 */
export function createFolderPaths(graph: Graph, driveId: string): FolderPaths {
  const folders = new Map<string, { name: string; parentId: string | null }>();

  const pathOfFolder = async (folderId: string): Promise<string> => {
    const names: string[] = [];
    for (let id: string | null = folderId; id !== null;) {
      const folder: { name: string; parentId: string | null } = folders.get(id) ?? (await load(id));
      if (folder.parentId !== null) names.unshift(folder.name);
      id = folder.parentId;
    }
    return names.join("/");
  };
  const load = async (id: string) => {
    try {
      learn(await graph.json(itemPath(driveId, id), driveItemSchema));
    } catch (error) {
      // Gone again, and with it what was in it.
      if (!isOwnFault(error) || error.status !== 404) throw error;
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
      const parentId = item.parentReference?.id;
      const parent = parentId ? await pathOfFolder(parentId) : "";
      return `${parent === "" ? "" : `${parent}/`}${item.name ?? ""}`;
    },
  };
}
