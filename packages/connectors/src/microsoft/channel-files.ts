import { AnnealError, type ErrorReport } from "@anneal/core/errors";
import { digest } from "./drive-cursor.ts";
import { itemPath, type Drive } from "./drive-run.ts";
import { isOwnAnswer, isOwnFault, type Graph } from "./graph-client.ts";
import { driveItemSchema, driveRootSchema, filesFolderSchema } from "./graph-schemas.ts";
import { channelPath, type ChannelListing, type TeamChannel } from "./list-channels.ts";
import { isRefused } from "./read-directory.ts";
import type { DriveListing } from "./read-drives.ts";
import { refOfChannel } from "./read-threads.ts";
import type { ChannelFolders } from "./teams-cursor.ts";

export type FilesListing = DriveListing & { sites: Site[]; folders: ChannelFolders };
/** Of a drive: the site collection, and where SharePoint answers for it. */
export type Site = { collectionId: string; url: string };

type Found = { channel: TeamChannel; driveId: string; folderId: string; isRoot: boolean };
type Failed = { channel: TeamChannel; error: AnnealError };

/**
 * The drives that hold the files of channels: a standard channel's are in a folder of its team's drive, those of a private
 * or shared one in a drive of its own.
 * @param before what an earlier run found: a folder that was there is not gone because Graph says once that it is
 */
export async function listChannelDrives(
  graph: Graph,
  { channels, lacksChosen }: Pick<ChannelListing, "channels" | "lacksChosen">,
  before: ChannelFolders,
): Promise<FilesListing> {
  const found: Found[] = [];
  const failed: Failed[] = [];
  await Promise.all(
    channels.map(async (channel) => {
      try {
        const folder = await findFolder(graph, channel, before);
        if (folder !== null) found.push(folder);
      } catch (error) {
        if (!isOwnAnswer(error) && !(error instanceof DoubtfulAnswer)) throw error;
        failed.push({ channel, error });
      }
    }),
  );
  const listing: FilesListing = {
    drives: [],
    failures: failuresOf(failed, channels.length),
    found: found.map(({ channel }) => refOfChannel(channel)),
    sites: [],
    folders: {},
  };
  for (const [driveId, folders] of Object.entries(Object.groupBy(found, (each) => each.driveId))) {
    if (folders === undefined) continue;
    listing.folders[driveId] = Object.fromEntries(folders.map(({ channel, folderId }) => [keyOf(channel), folderId]));
    // Without all of its folders, what lies in the others would seem to be gone.
    const isWhole = folders.some(({ isRoot }) => isRoot);
    const lacksOne = failed.some(({ channel }) => folders.some((each) => mayShareDrive(each.channel, channel)));
    if (!isWhole && lacksOne) continue;
    await addDrive(graph, listing, driveId, folders, isWhole ? null : { lacksFolders: lacksChosen });
  }
  for (const { channel } of failed) remember(listing.folders, before, channel);
  return listing;
}

async function addDrive(
  graph: Graph,
  listing: FilesListing,
  driveId: string,
  folders: readonly Found[],
  part: Pick<Drive, "lacksFolders"> | null,
): Promise<void> {
  try {
    const path = `drives/${encodeURIComponent(driveId)}/root`;
    const { sharepointIds } = await graph.json(path, driveRootSchema, { query: { $select: "id,sharepointIds" } });
    const { siteId, siteUrl } = sharepointIds ?? {};
    const name = folders[0]?.channel.displayName ?? driveId;
    const drive: Drive = { id: driveId, name, siteScope: siteId ?? driveId };
    const folderIds = folders.map(({ folderId }) => folderId);
    listing.drives.push(part === null ? drive : { ...drive, folderIds, ...part });
    if (siteId && siteUrl && !listing.sites.some(({ collectionId }) => collectionId === siteId)) {
      listing.sites.push({ collectionId: siteId, url: siteUrl });
    }
  } catch (error) {
    if (!isOwnAnswer(error)) throw error;
    listing.failures.push({ ref: `${driveId}/`, error: error.toReport() });
  }
}

/** @returns null for a channel that has none yet: its folder is made when somebody first opens its files */
async function findFolder(graph: Graph, channel: TeamChannel, before: ChannelFolders): Promise<Found | null> {
  try {
    const { id, root, parentReference } = await graph.json(`${channelPath(channel)}/filesFolder`, filesFolderSchema);
    return { channel, driveId: parentReference.driveId, folderId: id, isRoot: !!root };
  } catch (error) {
    if (!isOwnFault(error) || error.status !== 404) throw error;
    for (const [driveId, folders] of Object.entries(before)) {
      const folderId = folders[keyOf(channel)];
      if (folderId !== undefined && (await isThere(graph, driveId, folderId))) throw new DoubtfulAnswer(channel);
    }
    return null;
  }
}

async function isThere(graph: Graph, driveId: string, itemId: string): Promise<boolean> {
  try {
    await graph.json(itemPath(driveId, itemId), driveItemSchema);
    return true;
  } catch (error) {
    if (isOwnFault(error) && error.status === 404) return false;
    throw error;
  }
}

class DoubtfulAnswer extends AnnealError {
  constructor({ displayName, id }: TeamChannel) {
    super("SOURCE_UNREACHABLE", `Microsoft Graph does not find the files of the channel "${displayName ?? id}".`, {
      action: "Its folder is still there, so what is known of it stays; the next sync asks again.",
      retryable: true,
    });
  }
}

function failuresOf(failed: readonly Failed[], channelCount: number): { ref: string; error: ErrorReport }[] {
  const [first] = failed;
  if (first !== undefined && failed.length === channelCount && failed.every(({ error }) => isRefused(error))) {
    return [{ ref: "", error: missingFileRights(first.error).toReport() }];
  }
  return failed.map(({ channel, error }) => ({ ref: refOfChannel(channel), error: error.toReport() }));
}

function missingFileRights({ message, details }: AnnealError): AnnealError {
  return new AnnealError("SOURCE_FORBIDDEN", `The files of channels cannot be read. ${message}`, {
    action:
      "Grant the permission Files.Read.All on Microsoft Graph (application permission with admin consent; delegated permission by signing in again), or switch “Files” off.",
    details,
  });
}

function remember(folders: ChannelFolders, before: ChannelFolders, channel: TeamChannel): void {
  const key = keyOf(channel);
  for (const [driveId, { [key]: folderId }] of Object.entries(before)) {
    if (folderId !== undefined) folders[driveId] = { ...folders[driveId], [key]: folderId };
  }
}

/** Private and shared channels have drives of their own. */
function mayShareDrive(one: TeamChannel, other: TeamChannel): boolean {
  const hasOwn = other.membershipType === "private" || other.membershipType === "shared";
  return one.teamId === other.teamId && !hasOwn;
}

function keyOf({ id }: TeamChannel): string {
  return digest(id);
}
