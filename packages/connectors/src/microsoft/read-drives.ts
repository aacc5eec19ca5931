import type { Change } from "@anneal/core/connect/change";
import type { ErrorReport } from "@anneal/core/errors";
import type { ReadRequest } from "../connector.ts";
import { hideWhere, hidingOf, isClosed } from "../hiding.ts";
import type { PathFilter } from "../path-filter.ts";
import type { RemoteError } from "../remote/remote-client.ts";
import { rulesForAll } from "../reader-rules.ts";
import { deleteMissing } from "../reconcile.ts";
import { auditPermissions } from "./audit-permissions.ts";
import type { LinkSharing } from "./config.ts";
import { parseDriveCursor } from "./drive-cursor.ts";
import { countFiles } from "./count-files.ts";
import { createDriveFeed } from "./drive-feed.ts";
import { checkpointOf, createDriveRun, splitRef, type Drive, type DriveRun } from "./drive-run.ts";
import { isOwnFault, type Graph } from "./graph-client.ts";
import { readDrive } from "./read-drive.ts";

/** The drives of a source. With failures it is not complete, and no drive counts as gone. */
export type DriveListing = {
  drives: Drive[];
  failures: { ref: string; error: ErrorReport }[];
  /** Not complete for a reason that is told elsewhere; "closed" where that is all that it lacks: see `isClosed`. */
  incomplete?: "closed" | "unknown" | null;
  /** The refs that a failure of what was listed now would have had, and may have from an earlier run. */
  found?: string[];
};

export type DrivesRequest = Pick<ReadRequest<unknown, unknown>, "known" | "context" | "cursor"> &
  LinkSharing & {
    graph: Graph;
    filter: PathFilter;
    /** A digest of what the cursor depends on. */
    settings: string;
    listing: DriveListing;
    /** As `countFiles` found, where it was asked before. */
    counted?: number | null | undefined;
  };

export async function* readDrives(request: DrivesRequest): AsyncIterable<Change> {
  const { listing, settings, known } = request;
  const cursor = parseDriveCursor(request.cursor, settings);
  const run = createDriveRun(request, cursor);
  const feed = createDriveFeed(run.graph);
  if (request.counted !== undefined) run.total = request.counted;
  else if (request.cursor === null) run.total = await countFiles(request);
  const isKnown = knownDrives(run);
  const failures = [...listing.failures];
  const errors: RemoteError[] = [];
  const read = new Map<string, Drive>();

  for (const drive of listing.drives) {
    try {
      yield* readDrive(run, drive, feed, isKnown, () => checkpointOf(run, settings));
      read.set(drive.id, drive);
    } catch (error) {
      run.context.signal.throwIfAborted();
      if (!isOwnFault(error)) throw error;
      errors.push(error);
      failures.push({ ref: `${drive.id}/`, error: error.toReport() });
    }
  }
  const listed = new Set(listing.drives.map((drive) => drive.id));
  const isComplete = listing.failures.length === 0 && (listing.incomplete ?? null) === null;
  const closed = new Set(failures.filter(({ error }) => isClosed(error)).map(({ ref }) => splitRef(ref).driveId));
  const isShut = (driveId: string) => closed.has(driveId) || (!listed.has(driveId) && lacksClosedAlone(listing));
  const hiding = hidingOf(known, rulesForAll("the file's permissions"));
  if (closed.size > 0 || lacksClosedAlone(listing)) {
    // Stored first: a run that is cut after that must not go on where no feed tells of what is hidden.
    forgetLinks(run, isShut);
    yield checkpointOf(run, settings);
    yield* hideWhere(known, (ref) => isShut(splitRef(ref).driveId), hiding);
  }
  if (read.size === 0 && errors[0] !== undefined) throw errors[0];
  for (const failure of failures) yield { type: "failure", ...failure };
  for (const ref of listing.found ?? []) if ((await known.fingerprintOf(ref)) !== null) run.deleted.add(ref);

  const isGone = (ref: string) => {
    if (run.deleted.has(ref)) return true;
    const { driveId } = splitRef(ref);
    if (!listed.has(driveId)) return isComplete;
    return run.enumerated.has(driveId) && !run.seen.has(ref);
  };
  yield* auditPermissions(run, read, isGone);

  let refused = false;
  const lostDrives = Object.keys(cursor.drives).filter((driveId) => !listed.has(driveId));
  const mayLack = isComplete && (lostDrives.length > 0 || Object.keys(cursor.drives).length === 0);
  if (run.deleted.size > 0 || run.enumerated.size > 0 || mayLack) {
    // A drive is also listed to find what was in a folder that the feed says is gone.
    const isTold = (ref: string) => run.deleted.has(ref) || run.relist.has(splitRef(ref).driveId);
    const driveOf = (ref: string) => (isTold(ref) ? null : splitRef(ref).driveId);
    for await (const change of deleteMissing(known, run.context.deletions, hiding, isGone, driveOf)) {
      refused ||= change.type === "failure";
      yield change;
    }
  }
  if (!refused) {
    for (const [driveId, state] of run.pendingStates) run.states.set(driveId, state);
    if (isComplete) for (const driveId of lostDrives) run.states.delete(driveId);
  } else if (isComplete) forgetLinks(run, (driveId) => !listed.has(driveId));
  yield checkpointOf(run, settings, run.scanned);
}

/** What is not listed lies in what was refused or not found, and nowhere else. */
function lacksClosedAlone({ failures, incomplete = null }: DriveListing): boolean {
  if (incomplete === "unknown" || (failures.length === 0 && incomplete === null)) return false;
  return failures.every(({ ref, error }) => ref !== "" && isClosed(error));
}

/** The feed of a drive that is there again says nothing of what was hidden meanwhile: it is listed. */
function forgetLinks(run: DriveRun, isOf: (driveId: string) => boolean): void {
  for (const [driveId, state] of run.states) if (isOf(driveId)) run.states.set(driveId, { ...state, link: "" });
}

/** Which drives anything is known of; looked up once, and only if a drive is new to the cursor. */
function knownDrives(run: DriveRun): (driveId: string) => Promise<boolean> {
  let found: Promise<Set<string>> | undefined;
  const collect = async () => {
    const drives = new Set<string>();
    for await (const ref of run.known.refs()) drives.add(splitRef(ref).driveId);
    return drives;
  };
  return async (driveId) => (await (found ??= collect())).has(driveId);
}
