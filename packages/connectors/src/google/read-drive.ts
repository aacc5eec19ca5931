import type { Change } from "@anneal/core/connect/change";
import { refuseDeletions } from "@anneal/core/connect/deletion-policy";
import type { ReadRequest } from "../connector.ts";
import { countOrNull } from "../first-sync.ts";
import { hideSource, hidingOf, type Hiding } from "../hiding.ts";
import { rulesForAll } from "../reader-rules.ts";
import { countHeld, deleteMissing, holdBack } from "../reconcile.ts";
import { isRefusedAlone } from "../remote/refused-alone.ts";
import { RemoteError } from "../remote/remote-client.ts";
import { SeenRefs } from "../seen-refs.ts";
import type { GdriveConfig, GdriveSecrets } from "./config.ts";
import {
  findFile,
  folderType,
  getStartToken,
  listChanges,
  listFiles,
  scopeFields,
  type ChangePage,
  type Corpus,
  type DriveChange,
  type DriveFile,
} from "./drive-api.ts";
import {
  countedFiles,
  knownCorpora,
  readDriveCursor,
  unsettledCursor,
  writeDriveCursor,
  type DriveCursor,
  type DrivePosition,
} from "./drive-cursor.ts";
import {
  audienceOf,
  changesOf,
  failureOf,
  isInScope,
  openDriveAccess,
  settingsDigest,
  standingOf,
  type DriveAccess,
  type Revisits,
  type Standing,
} from "./drive-access.ts";

type Run = {
  access: DriveAccess;
  request: ReadRequest<GdriveConfig, GdriveSecrets>;
  settings: string;
  revisits: Revisits;
  scanned: number;
  /** Files that the patterns keep out, of those that this run met. */
  excluded: SeenRefs;
};

/** What the feeds told that can only be acted on once all of them are read. */
type Pending = {
  /** Gone or out of scope, by the feed's word; a later word that it is there takes it back. */
  gone: Set<string>;
  /** Folders whose content may have another place or audience, or lie in the trash. */
  folders: Set<string>;
  live: SeenRefs;
};

export async function* readDrive(request: ReadRequest<GdriveConfig, GdriveSecrets>): AsyncIterable<Change> {
  request.context.signal.throwIfAborted();
  let access: DriveAccess;
  try {
    access = await openDriveAccess(request);
  } catch (error) {
    const anew = unsettledCursor(knownCorpora(request.cursor));
    yield* hideSource(error, request.known, hidingIn(request), anew);
    throw error;
  }
  const settings = settingsDigest(request.config, request.context.limits.documentBytes);
  const run: Run = { access, request, settings, revisits: new Set(), scanned: 0, excluded: new SeenRefs() };
  try {
    const cursor = readDriveCursor(request.cursor, settings, access.corpora.map(keyOf));
    const isWhole = cursor !== null && (yield* followFeeds(run, cursor));
    if (!isWhole) yield* listAll(run);
  } finally {
    await access.close();
  }
}

function keyOf(corpus: Corpus): string {
  return corpus.driveId ?? "";
}

const foldersQuery = `trashed = false and mimeType = '${folderType}'`;
const filesQuery = `trashed = false and mimeType != '${folderType}'`;

/**
 * Everything there is. The positions are taken first, so that what changes while it is listed is in the next run's feed;
 * a checkpoint on the way holds none of them, and a run that is resumed there lists again and reads nothing twice.
 */
async function* listAll(run: Run): AsyncGenerator<Change> {
  const { access, request } = run;
  const { client, corpora, tree } = access;
  const positions: Record<string, DrivePosition> = {};
  const lost = knownCorpora(request.cursor).filter((key) => !corpora.some((corpus) => keyOf(corpus) === key));
  for (const corpus of corpora) {
    positions[keyOf(corpus)] = {
      token: await getStartToken(client, corpus),
      audience: await audienceOf(access, corpus),
    };
  }
  tree.forget();
  run.revisits.clear();
  run.scanned = 0;
  const seen = new SeenRefs();
  let isComplete = true;
  for (const corpus of corpora) {
    for await (const page of listFiles(client, corpus, foldersQuery)) {
      isComplete &&= page.complete;
      for (const folder of page.files) tree.add(folder);
    }
  }
  const total = request.cursor === null ? await countFiles(run) : countedFiles(request.cursor);
  // What is lost stays named, so that a run after this one knows of it as well.
  const unsettled = unsettledCursor([...corpora.map(keyOf), ...lost], total);
  for (const corpus of corpora) {
    for await (const page of listFiles(client, corpus, filesQuery)) {
      isComplete &&= page.complete;
      for (const file of page.files) {
        const standing = await standingIn(run, file);
        if (standing === "excluded") run.excluded.add(file.id);
        if (standing === "excluded" || standing === "elsewhere") continue;
        // A listing that moves while it is paged through may show a file twice.
        if (!seen.add(file.id)) continue;
        if (standing === "wanted") yield* liveChanges(run, file);
        else yield standing;
      }
      yield { type: "checkpoint", cursor: unsettled, ...countsOf(run), total, listsAll: true };
    }
  }
  let isReconciled = isComplete;
  if (isComplete) {
    // No ref says in which drive it is: once a drive is gone, what is missing counts as that one's.
    const lostDrives = lost.map((key) => (key === "" ? "My Drive" : `shared drive ${key}`)).join(", ");
    const isGone = (ref: string) => !seen.has(ref);
    const partOf = (ref: string) => (lost.length > 0 && isGone(ref) ? lostDrives : null);
    const { known, context } = request;
    for await (const change of deleteMissing(known, context.deletions, hidingIn(request), isGone, partOf)) {
      // Held back: the feed will not tell of these again.
      if (change.type === "failure") isReconciled = false;
      yield change;
    }
  } else {
    yield incompleteListing;
  }
  const cursor = isReconciled
    ? writeDriveCursor(run.settings, positions, run.revisits)
    : unsettledCursor([...corpora.map(keyOf), ...lost]);
  yield { type: "checkpoint", cursor, ...countsOf(run), total: run.scanned };
}

function hidingIn({ known }: Run["request"]): Hiding {
  return hidingOf(known, rulesForAll("the file's permissions"));
}

/** A thousand files a request, where to read one takes a request or two. */
async function countFiles({ access, request }: Run): Promise<number | null> {
  return countOrNull(request.context, async () => {
    let count = 0;
    for (const corpus of access.corpora) {
      for await (const { files } of listFiles(access.client, corpus, filesQuery, scopeFields)) {
        for (const file of files) if (await isInScope(access, file).catch(falseIfRefused)) count += 1;
      }
    }
    return count;
  });
}

function falseIfRefused(error: unknown): false {
  if (isRefusedAlone(error)) return false;
  throw error;
}

const incompleteListing: Change = {
  type: "failure",
  ref: "",
  error: {
    code: "SOURCE_UNREACHABLE",
    message: "Google Drive could not search all of its files this time, so nothing was deleted.",
    action: "Sync again later.",
  },
};

/** A failure where a folder above it is refused alone, so that it cannot be told whether the file is asked for. */
async function standingIn(run: Run, file: DriveFile): Promise<Standing | Change> {
  return standingOf(run.access, file).catch((error: unknown) => {
    if (!isRefusedAlone(error)) throw error;
    run.revisits.add(file.id);
    return failureOf(file, error);
  });
}

function countsOf({ scanned, excluded }: Run) {
  return { scanned, leftOut: { excluded: excluded.size } };
}

async function* liveChanges(run: Run, file: DriveFile): AsyncIterable<Change> {
  run.scanned += 1;
  const { known, context } = run.request;
  yield* await changesOf(run.access, file, known, { maxBytes: context.limits.documentBytes, revisits: run.revisits });
}

/** @returns false where the feeds do not suffice and everything must be listed */
async function* followFeeds(run: Run, cursor: DriveCursor): AsyncGenerator<Change, boolean> {
  const { access, request } = run;
  const { corpora, client } = access;
  const pending: Pending = { gone: new Set(), folders: new Set(), live: new SeenRefs() };
  const positions: Record<string, DrivePosition> = {};
  const audiencesChanged: Corpus[] = [];
  for (const id of cursor.revisits) {
    const file = await findFile(client, id);
    if (file?.mimeType === folderType) pending.folders.add(id);
    else if (file !== null) yield* fileChanges(run, pending, file);
    else if ((await request.known.fingerprintOf(id)) !== null) pending.gone.add(id);
  }
  for (const corpus of corpora) {
    const before = cursor.positions[keyOf(corpus)]!;
    const audience = await audienceOf(access, corpus);
    if (audience !== before.audience) audiencesChanged.push(corpus);
    let token = before.token;
    for (let next: string | undefined = token; next !== undefined;) {
      const page: ChangePage | "stale" = await listChanges(client, corpus, next).catch(orStale);
      if (page === "stale") return false;
      for (const change of page.changes) {
        if (change.changeType === "drive") audiencesChanged.push(corpus);
        else if (!(yield* feedChange(run, pending, change))) return false;
      }
      next = page.nextPageToken;
      token = page.newStartPageToken ?? next ?? token;
      // The old positions: what is pending must come again if this run ends here.
      yield { type: "checkpoint", cursor, ...countsOf(run), total: null };
    }
    positions[keyOf(corpus)] = { token, audience };
  }
  access.tree.forget();
  for (const corpus of new Set(audiencesChanged)) {
    for await (const { files } of listFiles(client, corpus, filesQuery)) {
      for (const file of files) yield* fileChanges(run, pending, file);
    }
  }
  yield* followFolders(run, pending);
  const isDone = yield* deleteGone(run, pending);
  const after = isDone ? writeDriveCursor(run.settings, positions, run.revisits) : { ...cursor };
  yield { type: "checkpoint", cursor: after, ...countsOf(run), total: run.scanned };
  return true;
}

function orStale(error: unknown): "stale" {
  if (error instanceof RemoteError && [400, 404, 410].includes(error.status)) return "stale";
  throw error;
}

/** @returns false for what the feed no longer names well enough to act on */
async function* feedChange(run: Run, pending: Pending, change: DriveChange): AsyncGenerator<Change, boolean> {
  const { fileId, file } = change;
  if (file !== undefined && change.removed !== true) {
    if (file.mimeType === folderType) pending.folders.add(file.id);
    else yield* fileChanges(run, pending, file);
    return true;
  }
  if (fileId === undefined) return true;
  // It may have been a folder, which took with it what no entry names.
  if ((await run.request.known.fingerprintOf(fileId)) === null) return false;
  pending.gone.add(fileId);
  return true;
}

async function* fileChanges(run: Run, pending: Pending, file: DriveFile): AsyncIterable<Change> {
  const standing = await standingIn(run, file);
  if (standing !== "excluded" && standing !== "elsewhere") {
    pending.gone.delete(file.id);
    pending.live.add(file.id);
    if (standing === "wanted") yield* liveChanges(run, file);
    else yield standing;
  } else if ((await run.request.known.fingerprintOf(file.id)) !== null) {
    pending.gone.add(file.id);
  } else if (standing === "excluded") {
    run.excluded.add(file.id);
  }
}

/** Drive need not tell of each file below a folder that was moved, shared or put into the trash. */
async function* followFolders(run: Run, pending: Pending): AsyncIterable<Change> {
  const { client } = run.access;
  for (const id of pending.folders) {
    try {
      const folder = await findFile(client, id);
      // Gone since: the next run's feed tells.
      if (folder === null) continue;
      run.access.tree.add(folder);
      const corpus = { driveId: folder.driveId ?? null };
      for await (const { files } of listFiles(client, corpus, `'${id}' in parents`)) {
        for (const file of files) {
          // A set that grows while it is walked is walked to its new end.
          if (file.mimeType === folderType) pending.folders.add(file.id);
          else yield* fileChanges(run, pending, file);
        }
      }
    } catch (error) {
      if (!isRefusedAlone(error)) throw error;
      run.revisits.add(id);
      yield { type: "failure", ref: `${id}/`, error: error.toReport() };
    }
  }
}

/** @returns false when a person must confirm first */
async function* deleteGone(run: Run, pending: Pending): AsyncGenerator<Change, boolean> {
  const { known, context } = run.request;
  const gone: string[] = [];
  /** Those of them that are documents: of the others nothing is held. */
  let lost = 0;
  for (const ref of pending.gone) {
    // One feed's word that it is gone may be another's that it came: a move between drives.
    const moved = pending.live.has(ref) ? await findFile(run.access.client, ref) : null;
    if (moved !== null && (await isInScope(run.access, moved))) continue;
    gone.push(ref);
    if (await known.fingerprintOf(ref)) lost += 1;
  }
  const policy = context.deletions;
  if (gone.length > 0) {
    const refusal = refuseDeletions(policy, await countHeld(known), lost);
    if (refusal !== null) {
      yield* holdBack(refusal, gone, hidingIn(run.request));
      return false;
    }
  }
  for (const ref of gone) yield { type: "delete", ref };
  return true;
}
