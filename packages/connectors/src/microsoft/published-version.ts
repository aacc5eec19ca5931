import { itemPath, type Drive, type DriveRun } from "./drive-run.ts";
import { versionPageSchema, type DriveFile, type DriveItem, type ItemVersion } from "./graph-schemas.ts";

/**
 * An application with rights over a whole site is shown drafts, which many of those who may read the file are not: minor
 * versions ("2.1"), and versions that wait for approval. Whether a library keeps drafts from its readers is a setting
 * that Graph does not tell, so that only published versions are read (publicationFacet, "List versions").
 */
export function isDraft({ publication }: DriveItem): boolean {
  const { level, versionId } = publication ?? {};
  return (!!level && level !== "published") || isMinor(versionId ?? "");
}

/** Nobody but its authors has ever been meant to see it. */
export function wasNeverPublished({ publication }: DriveItem): boolean {
  return /^0\.[1-9]/.test(publication?.versionId ?? "");
}

/**
 * The file as its readers see it: as it was last published.
 * @returns null for one that was never published
 * @throws RemoteError when its versions cannot be listed
 */
export async function findPublished(run: DriveRun, drive: Drive, item: DriveItem): Promise<DriveFile | null> {
  if (!isDraft(item)) return item;
  if (wasNeverPublished(item)) return null;
  const { level, versionId: currentId } = item.publication ?? {};
  let newest: ItemVersion | null = null;
  for await (const page of run.graph.pages(`${itemPath(drive.id, item.id)}/versions`, versionPageSchema)) {
    for (const version of page) {
      // What is checked out shows to others as it was last checked in; any other current version that is a draft does not.
      const mayShow =
        version.id === currentId ? level === "checkout" : (version.publication?.level ?? "published") === "published";
      // Their order is not promised.
      const isNewer = newest === null || Number(version.id) > Number(newest.id);
      if (mayShow && !isMinor(version.id) && isNewer) newest = version;
    }
  }
  if (newest === null) return null;
  // The service gives the current version's content at the item alone.
  if (newest.id === currentId) return item;
  const { id, size, lastModifiedDateTime } = newest;
  // Hashes and tags are the draft's.
  return { ...item, size, lastModifiedDateTime, file: {}, cTag: null, eTag: `version ${id}`, versionId: id };
}

/** Ids of another form come from drives without drafts. */
function isMinor(versionId: string): boolean {
  return /^\d+\.[1-9]\d*$/.test(versionId);
}
