import type { Acl } from "@anneal/core/access/acl";
import type { Change, KnownItems } from "@anneal/core/connect/change";
import type { ConnectContext } from "../connector.ts";
import type { PathFilter } from "../path-filter.ts";
import { unknownReaders } from "../remote/refused-alone.ts";
import { SeenRefs } from "../seen-refs.ts";
import type { LinkSharing } from "./config.ts";
import type { DriveCursor, DriveState } from "./drive-cursor.ts";
import { isOwnFault, type Graph } from "./graph-client.ts";
import { permissionPageSchema, type Permission } from "./graph-schemas.ts";
import { admitAccount, aclOfPermissions, firstEndMs } from "./item-acl.ts";

/**
 * A drive to read. `siteScope` is the site collection that its site groups belong to. `folderIds` are those of its folders
 * that count, with all that lies in them; left out: the whole drive. Where it may have others that count (`lacksFolders`), what is
 * known of these is followed, and nothing new is read.
 */
export type Drive = {
  id: string;
  name: string;
  siteScope: string;
  folderIds?: readonly string[];
  lacksFolders?: boolean;
};

/** What one run has learned so far, of all its drives. */
export type DriveRun = {
  graph: Graph;
  known: KnownItems;
  context: ConnectContext;
  filter: PathFilter;
  linkSharing: LinkSharing["linkSharing"];
  states: Map<string, DriveState>;
  /** The states that count once the run's deletions are through; until then a resumed run meets them again. */
  pendingStates: Map<string, DriveState>;
  auditedRef: string;
  /** No drive has a position yet. */
  listsAll: boolean;
  scanned: number;
  /** About how many files this run will have scanned; null where it is not told. */
  total: number | null;
  /** Refs met in `enumerated` drives, which were listed from end to end. */
  seen: SeenRefs;
  enumerated: Set<string>;
  /** Refs of files that the patterns keep out, of those that this run met. */
  excluded: SeenRefs;
  /** Refs that the feed says are deleted, and that were known. */
  deleted: Set<string>;
  /** Drives in which a folder was deleted: the feed may be silent about what was in it. */
  relist: Set<string>;
  /** Refs whose permissions this run has read. */
  checked: SeenRefs;
  /** Items whose content is on its way or failed, by drive. */
  unread: Map<string, Set<string>>;
  /** Items whose permissions run out by themselves, with the time of that; or failed, with 0; by drive. */
  passingAcl: Map<string, Map<string, number>>;
  /** Permissions that were refused without a reason, and are not told yet. */
  refusedAcls: Change[];
};

export function createDriveRun(
  place: Pick<DriveRun, "graph" | "known" | "context" | "filter" | "linkSharing">,
  cursor: DriveCursor,
): DriveRun {
  return {
    ...place,
    states: new Map(Object.entries(cursor.drives)),
    pendingStates: new Map(),
    auditedRef: cursor.auditedRef,
    listsAll: Object.keys(cursor.drives).length === 0,
    scanned: 0,
    total: cursor.left,
    seen: new SeenRefs(),
    enumerated: new Set(),
    excluded: new SeenRefs(),
    deleted: new Set(),
    relist: new Set(),
    checked: new SeenRefs(),
    unread: new Map(Object.entries(cursor.drives).map(([id, { retry }]) => [id, new Set(retry)])),
    passingAcl: new Map(),
    refusedAcls: [],
  };
}

export function refOf(driveId: string, itemId: string): string {
  return `${driveId}/${itemId}`;
}

export function itemPath(driveId: string, itemId: string): string {
  return `drives/${encodeURIComponent(driveId)}/items/${encodeURIComponent(itemId)}`;
}

export function splitRef(ref: string): { driveId: string; itemId: string } {
  const at = ref.indexOf("/");
  return at < 0 ? { driveId: ref, itemId: "" } : { driveId: ref.slice(0, at), itemId: ref.slice(at + 1) };
}

export function itemsOf(sets: Map<string, Set<string>>, driveId: string): Set<string> {
  const found = sets.get(driveId) ?? new Set();
  sets.set(driveId, found);
  return found;
}

export function passingOf(run: DriveRun, driveId: string): Map<string, number> {
  const found = run.passingAcl.get(driveId) ?? new Map<string, number>();
  run.passingAcl.set(driveId, found);
  return found;
}

/** More of a drive is not remembered one by one: such a drive is listed again. */
const maxRetries = 200;

/** The cursor as it may be stored now. Items in flight are retried unless they are done by the next checkpoint. */
export function checkpointOf(run: DriveRun, settings: string, total = run.total): Change {
  const drives: Record<string, DriveState> = {};
  for (const [driveId, state] of run.states) {
    const unread = itemsOf(run.unread, driveId);
    // Without a state everything in it is looked at again, which what is unchanged survives unread.
    if (unread.size > maxRetries) continue;
    const passing = [...passingOf(run, driveId)]
      .filter(([itemId]) => !unread.has(itemId))
      .sort(([, endMs], [, otherEndMs]) => endMs - otherEndMs);
    const kept = passing.slice(0, maxRetries - unread.size).map(([itemId]) => itemId);
    const ends = [state.othersEndMs, passing[kept.length]?.[1] ?? null].filter((endMs) => endMs !== null);
    const retry = [...unread, ...kept];
    drives[driveId] = { ...state, retry, othersEndMs: ends.length === 0 ? null : Math.min(...ends) };
  }
  const left = total !== null && total > run.scanned ? total - run.scanned : null;
  const cursor = { version: 1, settings, drives, auditedRef: run.auditedRef, left };
  const leftOut = { excluded: run.excluded.size };
  return { type: "checkpoint", cursor, scanned: run.scanned, total, listsAll: run.listsAll, leftOut };
}

/**
 * Who may read an item now. What may be another answer tomorrow, without a change, is asked again by the next run.
 * @returns null when it cannot be read, which is to say: nobody
 */
export async function readAcl(run: DriveRun, drive: Drive, itemId: string): Promise<Acl | null> {
  const path = `${itemPath(drive.id, itemId)}/permissions`;
  const passing = passingOf(run, drive.id);
  const now = new Date();
  try {
    const permissions: Permission[] = [];
    for await (const page of run.graph.pages(path, permissionPageSchema)) permissions.push(...page);
    const endMs = firstEndMs(permissions, now);
    if (endMs === null) passing.delete(itemId);
    else passing.set(itemId, endMs);
    const account = await run.graph.account();
    const rules = { siteScope: drive.siteScope, linkSharing: run.linkSharing, now };
    return admitAccount(aclOfPermissions(permissions, run.graph, rules), account?.principal);
  } catch (error) {
    run.context.signal.throwIfAborted();
    if (!isOwnFault(error)) throw error;
    passing.set(itemId, 0);
    if (error.isAlone) {
      const ref = refOf(drive.id, itemId);
      // Also the root, which no listing names.
      run.seen.add(ref);
      run.refusedAcls.push({ type: "failure", ref, error: unknownReaders(error).toReport() });
    }
    return null;
  }
}

/** Once everything is said of the items that they are about. */
export function* tellRefusedAcls(run: DriveRun): Iterable<Change> {
  yield* run.refusedAcls.splice(0);
}
