import { constants, type BigIntStats } from "node:fs";
import { access, lstat, opendir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Change, KnownItems, SourceItem } from "@anneal/core/connect/change";
import { leaveOut, type LeftOut, type LeftOutReason } from "@anneal/core/connect/left-out";
import { AnnealError, isAnnealError } from "@anneal/core/errors";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { audienceChange, hasContent, withAcl } from "../acl-change.ts";
import {
  defineConnector,
  type CapabilityCheck,
  type CheckResult,
  type ConnectContext,
  type DirectoryRequest,
  type ReadRequest,
} from "../connector.ts";
import { estimateTotal } from "../estimate-total.ts";
import { failedCheck, systemCode, tooLarge } from "../failure.ts";
import { beginFirstSync, cursorOnTheWay } from "../first-sync.ts";
import { hideBelow, hidingOf } from "../hiding.ts";
import { posixDirectory } from "../posix/accounts.ts";
import { checkAccounts } from "../posix/check-accounts.ts";
import { mediaTypeOf } from "../media-type.ts";
import { addToPreview, describePreview, sampleCount, type Preview } from "../preview.ts";
import { readerRulesOf } from "../reader-rules.ts";
import { deleteMissing, firstSegment } from "../reconcile.ts";
import { SeenRefs } from "../seen-refs.ts";
import { countFiles } from "./count-files.ts";
import { fileConfigSchema, fileFacts, fileSecretSchema, type FileConfig, type FileSecrets } from "./config.ts";
import {
  filePrincipals,
  readAcls,
  readersOfFiles,
  readLocalAccounts,
  withAcls,
  type EntryWithAcl,
  type FileEntry,
} from "./file-audience.ts";
import { openFileCalls, type FileCalls } from "./file-calls.ts";
import { fileContent } from "./file-content.ts";
import { toFileError } from "./file-errors.ts";
import { openGround, type Ground } from "./ground.ts";
import { createListSight } from "./list-sight.ts";
import { fingerprintOf, groundFolders, walkFolder } from "./walk.ts";

const checkpointEvery = 200;

export const fileConnector = defineConnector<FileConfig, FileSecrets>({
  kind: "file",
  title: "Folder",
  ...fileFacts,
  parallelReads: 6,
  configSchema: fileConfigSchema,
  secretSchema: fileSecretSchema,

  check: checkFolder,
  read: readFolder,
  readDirectory,
});

const checkedFiles = 1000;
/** On a mount, to look at the readers of each takes as long as to meet it. */
const judgedFiles = 256;
const checkMs = 5_000;

async function checkFolder(config: FileConfig, _secrets: FileSecrets, context: ConnectContext): Promise<CheckResult> {
  try {
    const calls = await openFileCalls(config.path, context);
    const { ground } = await openRoot(config.path, context, calls);
    const preview: Preview = { count: 0, complete: true, samples: [] };
    const unreadable: AnnealError[] = [];
    const files: FileEntry[] = [];
    const until = performance.now() + checkMs;
    for await (const entry of walkFolder(ground, config, calls)) {
      // Only the first files are tried: a folder whose files are all of another user is found by them.
      const tried = preview.samples.length < sampleCount && entry.type === "file";
      const error = entry.type === "failure" ? entry.error : tried ? await accessError(entry.path, calls) : null;
      if (entry.type === "file") files.push(entry);
      if (error !== null) unreadable.push(error);
      else addToPreview(preview, entry.ref);
      preview.complete = preview.count < checkedFiles && performance.now() < until;
      if (!preview.complete) break;
    }
    const [first] = unreadable;
    if (first !== undefined && preview.count === 0) return failedCheck("read", first);
    const except = describeClosed(ground);
    const content: CapabilityCheck =
      first === undefined
        ? { capability: "read", status: "ok", message: `"${config.path}" can be listed${except}.` }
        : { capability: "read", status: "warning", message: first.message, action: first.action };
    try {
      return {
        checks: [content, await checkPermissions(ground.path, files, config, calls)],
        summary: `"${config.path}" can be read${except} and holds ${describePreview(preview, "file")}.`,
        error: null,
      };
    } catch (error) {
      const failed = failedCheck("permissions", error);
      return { ...failed, checks: [content, ...failed.checks] };
    }
  } catch (error) {
    return failedCheck("read", error);
  }
}

function describeClosed({ closed }: Ground): string {
  if (closed.length === 0) return "";
  const named = new Intl.ListFormat("en").format(closed.map((folder) => `"${folder}"`));
  return ` (without ${named}, which no source may read)`;
}

/**
 * @param files those that were met in the folder
 * @throws AnnealError as a sync would end with, or would show to nobody all that it reads for
 */
async function checkPermissions(
  root: string,
  files: readonly FileEntry[],
  config: FileConfig,
  calls: FileCalls,
): Promise<CapabilityCheck> {
  const capability = "permissions";
  if (config.permissions === "off") {
    return {
      capability,
      status: "warning",
      message: "File permissions are not read: every document gets the source's default audience.",
    };
  }
  const sight = createListSight(config, calls);
  for (let folder = root; ; folder = dirname(folder)) {
    await sight.isWholeOfFolder(folder);
    if (folder === dirname(folder)) break;
  }
  const hidden = sight.hidden();
  if (hidden !== null) throw hidden;
  await readAcls([root], calls);
  const accounts = await readLocalAccounts(config, calls);
  for (const { path, stats } of files) await sight.isWholeOfFile(path, stats.dev);
  const below = sight.hidden();
  if (below !== null) return { capability, status: "warning", message: below.message, action: below.action };
  const acls = await readersOfFiles(files.slice(0, judgedFiles), accounts, calls, sight);
  return checkAccounts(accounts, config, filePrincipals, acls);
}

async function* readDirectory(request: DirectoryRequest<FileConfig, FileSecrets>): AsyncIterable<DirectoryEntry> {
  const { config, context } = request;
  if (config.permissions === "off") return;
  const accounts = await readLocalAccounts(config, await openFileCalls(config.path, context));
  yield* posixDirectory(accounts, filePrincipals, config);
}

/**
 * A checkpoint carries no position: what was stored is known by its fingerprint, so a resumed run lists again, which
 * is cheap, and reads nothing twice.
 */
async function* readFolder(request: ReadRequest<FileConfig, FileSecrets>): AsyncIterable<Change> {
  const { config, known, context } = request;
  const calls = await openFileCalls(config.path, context);
  const hiding = hidingOf(known, readerRulesOf(fileFacts, config));
  let root: Awaited<ReturnType<typeof openRoot>>;
  try {
    root = await openRoot(config.path, context, calls);
  } catch (error) {
    if (isAnnealError(error) && error.code === "SOURCE_FORBIDDEN") yield* hideBelow(known, [""], hiding);
    throw error;
  }
  const { ground, identity } = root;
  const seen = new SeenRefs();
  const unlisted: string[] = [];
  const closed: string[] = [];
  const leftOut: LeftOut = {};
  const sight = createListSight(config, calls);
  const first = await beginFirstSync(request.cursor, () => countFiles(ground, config, calls));
  const folders = groundFolders(first !== null && first.total === null);
  /** Ahead of what is scanned: permissions are read for many files at once. */
  let walked = 0;
  let scanned = 0;

  async function* walk() {
    const leave = (reason: LeftOutReason) => leaveOut(leftOut, reason);
    for await (const entry of walkFolder(ground, config, calls, folders, leave)) {
      if (entry.type === "file") walked += 1;
      yield entry;
    }
  }
  for await (const entry of withAcls(walk(), config, calls, sight)) {
    if (entry.type === "failure") {
      // The root alone has the empty ref: it was there a moment ago and no longer is.
      if (entry.ref === "") {
        if (entry.error.code === "SOURCE_FORBIDDEN") yield* hideBelow(known, [""], hiding);
        throw entry.error;
      }
      const folder = entry.ref.endsWith("/") ? entry.ref : entry.isUnknown === true ? `${entry.ref}/` : null;
      if (folder !== null) unlisted.push(folder);
      if (entry.error.code === "SOURCE_FORBIDDEN") {
        if (folder !== null) closed.push(folder);
        const change = folder === entry.ref ? null : await hiding.changeOf(entry.ref);
        if (change !== null) yield change;
      }
      seen.add(entry.ref);
      yield { type: "failure", ref: entry.ref, error: entry.error.toReport() };
      continue;
    }
    seen.add(entry.ref);
    scanned += 1;
    const before = await known.fingerprintOf(entry.ref);
    const ofAudience = await audienceChange(known, entry.ref, before, entry.acl);
    if (ofAudience !== null) yield ofAudience;
    const change = await changeOf(entry, {
      before,
      ground,
      known,
      calls,
      maxBytes: context.limits.documentBytes,
    });
    if (change !== null) yield change;
    if (scanned % checkpointEvery > 0) continue;
    const total = first?.total ?? estimateTotal(walked, folders.share);
    yield { type: "checkpoint", cursor: cursorOnTheWay(first), scanned, total, leftOut: { ...leftOut } };
  }

  // A drive that was unmounted during the walk left folders that read as empty.
  if ((await openRoot(config.path, context, calls)).identity !== identity) {
    throw new AnnealError("SOURCE_NOT_FOUND", `"${config.path}" was replaced while it was read.`, {
      action: "Check that its drive is mounted; then sync again.",
      retryable: true,
    });
  }
  const hidden = sight.hidden();
  if (hidden !== null) yield { type: "failure", ref: "", error: hidden.toReport() };
  yield* hideBelow(known, closed, hiding);
  yield* deleteMissing(
    known,
    context.deletions,
    hiding,
    (ref) => !seen.has(ref) && !unlisted.some((folder) => ref.startsWith(folder)),
    firstSegment,
  );
  yield { type: "checkpoint", cursor: { version: 1 }, scanned, total: scanned, leftOut };
}

type FileWithAcl = Extract<EntryWithAcl, { type: "file" }>;

type Around = { before: string | null; ground: Ground; known: KnownItems; calls: FileCalls; maxBytes: number };

async function changeOf(
  entry: FileWithAcl,
  { before, ground, known, calls, maxBytes }: Around,
): Promise<Change | null> {
  const item = itemOf(entry);
  if (hasContent(before, fingerprintOf(entry.stats), entry.acl)) return null;
  if (entry.stats.size > BigInt(maxBytes)) {
    const error = tooLarge(entry.path, Number(entry.stats.size), maxBytes);
    return { type: "failure", ref: entry.ref, error: error.toReport() };
  }
  if (before === null) {
    const fromRef = await movedFrom(ground.path, item, known, calls);
    if (fromRef !== null) return { type: "moved", fromRef, item };
  }
  const error = await accessError(entry.path, calls);
  if (error !== null) return { type: "failure", ref: entry.ref, error: error.toReport() };
  const file = { path: entry.path, judged: entry.acl === null ? null : entry.stats };
  return { type: "upsert", item, content: fileContent(ground, file, maxBytes, calls) };
}

/** @returns why the worker's user may not read the file, or null when it may */
async function accessError(path: string, calls: FileCalls): Promise<AnnealError | null> {
  try {
    await calls.call(path, () => access(path, constants.R_OK));
    return null;
  } catch (error) {
    calls.ended.throwIfAborted();
    return toFileError(error, path);
  }
}

/** The known ref that this file had before: same inode, size and mtime, and no longer there (or it is a hard link). */
async function movedFrom(root: string, item: SourceItem, known: KnownItems, calls: FileCalls): Promise<string | null> {
  for (const ref of await known.refsWithFingerprint(item.fingerprint)) {
    // Another extension is another parser, so the content must come again.
    if (mediaTypeOf(ref) === item.mediaType && (await isGone(join(root, ref), calls))) return ref;
  }
  return null;
}

async function isGone(path: string, calls: FileCalls): Promise<boolean> {
  return calls
    .call(path, () => lstat(path))
    .then(
      () => false,
      (error: unknown) => {
        calls.ended.throwIfAborted();
        return ["ENOENT", "ENOTDIR"].includes(systemCode(error) ?? "");
      },
    );
}

function itemOf({ ref, path, stats, acl }: FileWithAcl): SourceItem {
  return {
    ref,
    uri: pathToFileURL(path).href,
    title: basename(ref),
    mediaType: mediaTypeOf(ref),
    sizeBytes: Number(stats.size),
    modifiedAt: modifiedAtOf(stats),
    fingerprint: withAcl(fingerprintOf(stats), acl),
    acl,
  };
}

/** A file may claim a time that no calendar has. */
function modifiedAtOf(stats: BigIntStats): string | null {
  const time = new Date(Number(stats.mtimeMs));
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

/** @returns what may be read there, and what tells it from another folder at the same path */
async function openRoot(
  path: string,
  { ownFolders }: Pick<ConnectContext, "ownFolders">,
  calls: FileCalls,
): Promise<{ ground: Ground; identity: string }> {
  try {
    const real = await calls.call(path, () => realpath(path));
    const stats = await calls.call(path, () => stat(real, { bigint: true }));
    if (!stats.isDirectory()) {
      throw new AnnealError("INVALID_INPUT", `"${path}" is not a folder.`, {
        action: "Name the folder that holds it.",
      });
    }
    const ground = await openGround({ place: path, path: real, ownFolders }, calls);
    await calls.close(path, await calls.open(path, () => opendir(real)));
    return { ground, identity: `${stats.dev}-${stats.ino}` };
  } catch (error) {
    calls.ended.throwIfAborted();
    throw toFileError(error, path);
  }
}
