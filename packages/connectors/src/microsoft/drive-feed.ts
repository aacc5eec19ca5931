import { RemoteError } from "../remote/remote-client.ts";
import type { Graph } from "./graph-client.ts";
import { driveItemFields, driveItemPageSchema, type DriveItem, type GraphPage } from "./graph-schemas.ts";

export type FeedPage = GraphPage<DriveItem>;

export type DriveFeed = {
  /** @param link of the page before; null for the first page of a complete listing */
  page(driveId: string, link: string | null): Promise<FeedPage>;
  /** False once Graph has refused to report changes of permissions. */
  showsSharing(): boolean;
};

/**
 * Without these a change of permissions alone is not in the feed (driveItem: delta, "Scanning permissions
 * hierarchies"). What stays silent even so, a folder's effect on what is in it, is looked for by the reader.
 */
const sharingPreference = "deltashowremovedasdeleted, deltatraversepermissiongaps, deltashowsharingchanges";

export function createDriveFeed(graph: Graph): DriveFeed {
  let showsSharing = true;
  return {
    async page(driveId, link) {
      const path = link ?? `drives/${encodeURIComponent(driveId)}/root/delta`;
      const read = () =>
        graph.json(path, driveItemPageSchema, {
          // Later pages, and the next runs, have it in their address.
          query: link === null ? { $select: driveItemFields } : {},
          // Else every change brings its folders along, as if they had changed too.
          headers: { deltaExcludeParent: "true", ...(showsSharing ? { prefer: sharingPreference } : {}) },
        });
      try {
        return await read();
      } catch (error) {
        // Needs Sites.FullControl.All; a smaller grant reads the same feed without it.
        if (!showsSharing || !(error instanceof RemoteError) || error.status !== 403) throw error;
        showsSharing = false;
        return read();
      }
    },
    showsSharing: () => showsSharing,
  };
}
