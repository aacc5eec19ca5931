import type { Change } from "@anneal/core/connect/change";
import { digest, type DriveState } from "./drive-cursor.ts";
import type { DriveFeed, FeedPage } from "./drive-feed.ts";
import { applyFiles, applyFolder, isFile, isFolder } from "./drive-items.ts";
import { itemPath, itemsOf, readAcl, refOf, type Drive, type DriveRun } from "./drive-run.ts";
import { createFolderPaths, type FolderPaths } from "./folder-paths.ts";
import { isOwnFault, isStale } from "./graph-client.ts";
import { driveItemFields, driveItemSchema, type DriveItem } from "./graph-schemas.ts";
import { aclPart } from "./item-fingerprint.ts";

/** "first": a listing of a drive of which nothing is known, so that it may be resumed. "all": one to compare with. */
type Phase = DriveState["phase"] | "all";

/** A feed that is stale again and again, while it is listed, is not waited for in this run. */
const maxRestarts = 3;

/**
 * Everything that changed in one drive since its state. Deletions are only noted, for the run to weigh them as a whole;
 * from the first of them on, the state stays where it meets them again.
 * @param checkpoint called where one may be stored
 */
export async function* readDrive(
  run: DriveRun,
  drive: Drive,
  feed: DriveFeed,
  isKnown: (driveId: string) => Promise<boolean>,
  checkpoint: () => Change,
): AsyncIterable<Change> {
  const paths = createFolderPaths(run.graph, drive.id);
  const before = run.states.get(drive.id);
  const rootAcl = await readRootAcl(run, drive);
  let { phase, link } = await planReading(drive, before, rootAcl, isKnown);
  // A listing from the beginning reads all permissions, and tells anew when they end.
  const rest = { retry: [], othersEndMs: link === null ? null : (before?.othersEndMs ?? null) };
  if (phase !== "all") yield* retryItems(run, drive, paths, before?.retry ?? []);
  const walked = new Set<string>();

  for (let restarts = 0; ;) {
    const page = await feed.page(drive.id, link).catch((error: unknown) => {
      if (link !== null && isStale(error) && restarts < maxRestarts) return null;
      throw error;
    });
    if (page === null) {
      restarts += 1;
      phase = "all";
      link = null;
      run.relist.delete(drive.id);
      continue;
    }
    yield* applyPage(run, drive, paths, page, phase, walked);
    const next = page["@odata.nextLink"];
    if (!next) {
      await finishDrive(run, drive, feed, phase, {
        phase: "changes",
        link: page["@odata.deltaLink"] ?? "",
        rootAcl,
        ...(phase === "all" ? { ...rest, othersEndMs: null } : rest),
      });
      yield checkpoint();
      return;
    }
    link = next;
    if (phase !== "all" && !owesDeletions(run, drive.id)) {
      run.states.set(drive.id, { phase, link, rootAcl, ...rest });
    }
    yield checkpoint();
  }
}

/**
 * Who may read the root may read most of what is in it, and a change there comes with no feed at all. Nor does one of the
 * folders that count.
 */
async function readRootAcl(run: DriveRun, drive: Drive): Promise<string> {
  const root = await run.graph.json(`drives/${encodeURIComponent(drive.id)}/root`, driveItemSchema);
  const acl = aclPart(await readAcl(run, drive, root.id));
  if (drive.folderIds === undefined) return acl;
  return digest(acl, ...drive.folderIds.toSorted(), ...(drive.lacksFolders === true ? ["and others"] : []));
}

async function planReading(
  drive: Drive,
  before: DriveState | undefined,
  rootAcl: string,
  isKnown: (driveId: string) => Promise<boolean>,
): Promise<{ phase: Phase; link: string | null }> {
  // A feed that gave no link cannot be continued.
  if (before === undefined || before.link === "") {
    return { phase: (await isKnown(drive.id)) ? "all" : "first", link: null };
  }
  const othersEnded = before.othersEndMs !== null && before.othersEndMs <= Date.now();
  return before.rootAcl === rootAcl && !othersEnded ? before : { phase: "all", link: null };
}

async function* applyPage(
  run: DriveRun,
  drive: Drive,
  paths: FolderPaths,
  page: FeedPage,
  phase: Phase,
  walked: Set<string>,
): AsyncIterable<Change> {
  // An item may be there more than once; the last time counts.
  const items = new Map(page.value.map((item) => [item.id, item]));
  const files: DriveItem[] = [];
  const folders: string[] = [];
  for (const item of items.values()) {
    if (item.deleted) {
      if (phase !== "all") await noteDeletion(run, drive, item);
    } else if (isFile(item)) {
      files.push(item);
    } else if (isFolder(item)) {
      paths.learn(item);
      folders.push(item.id);
    }
  }
  yield* applyFiles(run, drive, paths, files);
  if (phase !== "changes") return;
  for (const folderId of folders) yield* applyFolder(run, drive, paths, folderId, walked);
}

async function noteDeletion(run: DriveRun, drive: Drive, item: DriveItem): Promise<void> {
  const ref = refOf(drive.id, item.id);
  itemsOf(run.unread, drive.id).delete(item.id);
  if ((await run.known.fingerprintOf(ref)) !== null) run.deleted.add(ref);
  // The feed need not say what a deleted item was.
  else if (!item.file) run.relist.add(drive.id);
}

function owesDeletions(run: DriveRun, driveId: string): boolean {
  return run.relist.has(driveId) || [...run.deleted].some((ref) => ref.startsWith(`${driveId}/`));
}

async function finishDrive(
  run: DriveRun,
  drive: Drive,
  feed: DriveFeed,
  phase: Phase,
  state: DriveState,
): Promise<void> {
  // What failed before, as a whole, did not fail this time.
  const failedRef = `${drive.id}/`;
  if ((await run.known.fingerprintOf(failedRef)) !== null) run.deleted.add(failedRef);
  if (phase !== "all" && run.relist.has(drive.id)) await relist(run, drive, feed);
  if (phase === "all") run.enumerated.add(drive.id);
  if (phase === "all" || owesDeletions(run, drive.id)) run.pendingStates.set(drive.id, state);
  else run.states.set(drive.id, state);
}

/** What is in the drive now, so that what is not can be told. Nothing is read of it. */
async function relist(run: DriveRun, drive: Drive, feed: DriveFeed): Promise<void> {
  let link: string | null | undefined = null;
  do {
    const page: FeedPage = await feed.page(drive.id, link);
    for (const item of page.value) if (!item.deleted && isFile(item)) run.seen.add(refOf(drive.id, item.id));
    link = page["@odata.nextLink"];
  } while (link);
  run.enumerated.add(drive.id);
}

/** The feed names an item once: whose reading failed then is asked for by its id. */
async function* retryItems(
  run: DriveRun,
  drive: Drive,
  paths: FolderPaths,
  ids: readonly string[],
): AsyncIterable<Change> {
  for (const id of ids) {
    const item = await findItem(run, drive, id);
    if (item === null) itemsOf(run.unread, drive.id).delete(id);
    else if ("type" in item) yield item;
    else if (isFile(item)) yield* applyFiles(run, drive, paths, [item]);
    else if (isFolder(item)) yield* applyFolder(run, drive, paths, id, new Set());
  }
}

/** @returns null for one that is gone, which the feed says too; a failure for one that still cannot be had */
async function findItem(run: DriveRun, drive: Drive, id: string): Promise<DriveItem | Change | null> {
  try {
    return await run.graph.json(itemPath(drive.id, id), driveItemSchema, { query: { $select: driveItemFields } });
  } catch (error) {
    run.context.signal.throwIfAborted();
    if (!isOwnFault(error)) throw error;
    return error.status === 404 ? null : { type: "failure", ref: refOf(drive.id, id), error: error.toReport() };
  }
}
