import { countOrNull } from "../first-sync.ts";
import { createDriveFeed, type DriveFeed, type FeedPage } from "./drive-feed.ts";
import { isFile, isFolder, standingOf } from "./drive-items.ts";
import type { Drive } from "./drive-run.ts";
import { createFolderPaths } from "./folder-paths.ts";
import { isOwnFault } from "./graph-client.ts";
import type { DrivesRequest } from "./read-drives.ts";

type Place = Pick<DrivesRequest, "graph" | "filter" | "context" | "listing">;

/**
 * How many files a first sync will list. A page of the feed names some 200 of them, where each takes two requests to be read.
 * Drafts that nobody has published are among them.
 */
export async function countFiles(place: Place): Promise<number | null> {
  return countOrNull(place.context, async () => {
    const feed = createDriveFeed(place.graph);
    let count = 0;
    for (const drive of place.listing.drives) count += await countInDrive(place, drive, feed).catch(zeroIfRefused);
    return count;
  });
}

async function countInDrive(place: Place, drive: Drive, feed: DriveFeed): Promise<number> {
  const paths = createFolderPaths(place.graph, drive.id);
  let count = 0;
  let link: string | null | undefined = null;
  do {
    const page: FeedPage = await feed.page(drive.id, link);
    for (const item of page.value) {
      if (item.deleted) continue;
      if (isFolder(item)) paths.learn(item);
      else if (isFile(item) && (await standingOf(place, drive, paths, item)) === "wanted") count += 1;
    }
    link = page["@odata.nextLink"];
  } while (link);
  return count;
}

/** Such a drive is not listed either. */
function zeroIfRefused(error: unknown): number {
  if (isOwnFault(error) && [403, 404].includes(error.status)) return 0;
  throw error;
}
