import { nobody, type Acl } from "@anneal/core/access/acl";
import type { Change, ContentHandle, SourceItem } from "@anneal/core/connect/change";
import { tooLarge } from "../failure.ts";
import { mediaTypeOf } from "../media-type.ts";
import { isIncluded } from "../path-filter.ts";
import { itemPath, itemsOf, readAcl, refOf, tellRefusedAcls, type Drive, type DriveRun } from "./drive-run.ts";
import type { FolderPaths } from "./folder-paths.ts";
import { isOwnFault } from "./graph-client.ts";
import {
  driveItemFields,
  driveItemPageSchema,
  type DriveFile,
  type DriveItem,
  type GraphPage,
} from "./graph-schemas.ts";
import { joinParts, partsOf, splitParts } from "./item-fingerprint.ts";
import { findPublished } from "./published-version.ts";

/** A shortcut to somebody else's item is that drive's to read; a notebook is a folder of a kind that has no file. */
export function isFile(item: DriveItem): boolean {
  return !!item.file && !item.remoteItem;
}

export function isFolder(item: DriveItem): boolean {
  return !!item.folder && !item.root && !item.remoteItem;
}

/** "elsewhere": in none of the drive's folders that count. "excluded": by the patterns. */
export async function standingOf(
  run: Pick<DriveRun, "filter">,
  drive: Drive,
  paths: FolderPaths,
  item: DriveItem,
): Promise<"wanted" | "excluded" | "elsewhere"> {
  if (drive.folderIds !== undefined && !(await paths.liesIn(drive.folderIds, item))) return "elsewhere";
  const { include, exclude } = run.filter;
  if (include.length === 0 && exclude.length === 0) return "wanted";
  return isIncluded(await paths.pathOf(item), run.filter) ? "wanted" : "excluded";
}

/** The changes of files that are there, whatever is known of them. */
export async function* applyFiles(
  run: DriveRun,
  drive: Drive,
  paths: FolderPaths,
  files: readonly DriveItem[],
): AsyncIterable<Change> {
  const wanted: DriveFile[] = [];
  for (const listed of files) {
    const ref = refOf(drive.id, listed.id);
    run.deleted.delete(ref);
    const file = await wantedFile(run, drive, paths, listed);
    if (file === null || file === "excluded") {
      itemsOf(run.unread, drive.id).delete(listed.id);
      if ((await run.known.fingerprintOf(ref)) !== null) run.deleted.add(ref);
      else if (file === "excluded") run.excluded.add(ref);
      continue;
    }
    run.seen.add(ref);
    if ("type" in file) yield file;
    else wanted.push(file);
  }
  run.scanned += wanted.length;
  const acls = await Promise.all(wanted.map((file) => readAcl(run, drive, file.id)));
  for (const [index, file] of wanted.entries()) yield* changesOf(run, drive, file, acls[index] ?? null);
  yield* tellRefusedAcls(run);
}

/** @returns "excluded" or null for one that is not asked for, null for one that no reader has ever seen; a failure where that cannot be told */
async function wantedFile(
  run: DriveRun,
  drive: Drive,
  paths: FolderPaths,
  listed: DriveItem,
): Promise<DriveFile | Change | "excluded" | null> {
  const isFollowed = async () =>
    drive.lacksFolders === true && (await run.known.fingerprintOf(refOf(drive.id, listed.id))) !== null;
  try {
    const standing = await standingOf(run, drive, paths, listed);
    if (standing === "wanted" || (await isFollowed())) return await findPublished(run, drive, listed);
    return standing === "excluded" ? standing : null;
  } catch (error) {
    run.context.signal.throwIfAborted();
    if (!isOwnFault(error)) throw error;
    itemsOf(run.unread, drive.id).add(listed.id);
    return { type: "failure", ref: refOf(drive.id, listed.id), error: error.toReport() };
  }
}

async function* changesOf(run: DriveRun, drive: Drive, file: DriveFile, acl: Acl | null): AsyncIterable<Change> {
  const ref = refOf(drive.id, file.id);
  run.checked.add(ref);
  itemsOf(run.unread, drive.id).delete(file.id);

  const parts = partsOf(file, acl);
  const before = splitParts(await run.known.fingerprintOf(ref));
  const audience = acl ?? nobody;
  const item = toItem(ref, file, audience, joinParts(parts));
  if (before?.content === parts.content) {
    if (before.place !== parts.place) yield { type: "moved", fromRef: ref, item };
    else if (before.acl !== parts.acl) yield { type: "acl", ref, acl: audience, fingerprint: item.fingerprint };
    return;
  }
  // Who lost access loses it now, even if the new content cannot be had.
  if (before !== null && before.acl !== parts.acl) {
    yield { type: "acl", ref, acl: audience, fingerprint: joinParts({ ...before, acl: parts.acl }) };
  }
  const { documentBytes } = run.context.limits;
  if ((file.size ?? 0) > documentBytes) {
    const error = tooLarge(file.name ?? ref, file.size ?? null, documentBytes);
    yield { type: "failure", ref, error: error.toReport() };
    return;
  }
  itemsOf(run.unread, drive.id).add(file.id);
  yield { type: "upsert", item, content: fileContent(run, drive, file) };
}

function toItem(ref: string, file: DriveItem, acl: Acl, fingerprint: string): SourceItem {
  const name = file.name ?? file.id;
  return {
    ref,
    uri: file.webUrl ?? ref,
    title: name,
    mediaType: mediaTypeOf(name),
    sizeBytes: file.size ?? null,
    modifiedAt: file.lastModifiedDateTime ?? null,
    fingerprint,
    acl,
  };
}

function fileContent(run: DriveRun, drive: Drive, file: DriveFile): ContentHandle {
  return {
    async open() {
      const version = file.versionId === undefined ? "" : `/versions/${encodeURIComponent(file.versionId)}`;
      // Answers with an address of its own, at a host that must not see the token.
      const body = await run.graph.download(`${itemPath(drive.id, file.id)}${version}/content`, file.name ?? file.id);
      return (async function* () {
        yield* body;
        itemsOf(run.unread, drive.id).delete(file.id);
      })();
    },
  };
}

const childrenPage = { $top: 200, $select: driveItemFields };

/**
 * All that lies in a folder that changed. The feed names the folder alone when it is renamed, restored or shared, and
 * each of these changes what is in it.
 */
export async function* applyFolder(
  run: DriveRun,
  drive: Drive,
  paths: FolderPaths,
  folderId: string,
  walked: Set<string>,
): AsyncIterable<Change> {
  const open = [folderId];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (walked.has(id)) continue;
    walked.add(id);
    let next: string | null | undefined = `${itemPath(drive.id, id)}/children`;
    for (let query: Record<string, number | string> = childrenPage; next; query = {}) {
      const page: Page | Change | null = await childrenOf(run, drive, next, id, query);
      if (page === null) break;
      if ("type" in page) {
        yield page;
        break;
      }
      for (const child of page.value) {
        if (!isFolder(child)) continue;
        paths.learn(child);
        open.push(child.id);
      }
      yield* applyFiles(run, drive, paths, page.value.filter(isFile));
      next = page["@odata.nextLink"];
    }
  }
}

type Page = GraphPage<DriveItem>;

/** @returns null for a folder that is gone again, which the feed will say; a failure for one that cannot be listed */
async function childrenOf(
  run: DriveRun,
  drive: Drive,
  path: string,
  folderId: string,
  query: Record<string, number | string>,
): Promise<Page | Change | null> {
  try {
    const page = await run.graph.json(path, driveItemPageSchema, { query });
    const ref = `${refOf(drive.id, folderId)}/`;
    const failedBefore = itemsOf(run.unread, drive.id).delete(folderId);
    if (failedBefore && (await run.known.fingerprintOf(ref)) !== null) run.deleted.add(ref);
    return page;
  } catch (error) {
    run.context.signal.throwIfAborted();
    if (!isOwnFault(error)) throw error;
    if (error.status === 404) return null;
    itemsOf(run.unread, drive.id).add(folderId);
    return { type: "failure", ref: `${refOf(drive.id, folderId)}/`, error: error.toReport() };
  }
}
