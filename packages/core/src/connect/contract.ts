import type { ErrorReport } from "../errors.ts";
import type { Wait } from "./plan-wait.ts";

/** One source's sync: "sync now" on its page, its schedule, or a part of a run. */
export const syncWorkflowName = "sync";

export type SyncInput = {
  workspaceId: string;
  sourceId: string;
  confirmDeletions: boolean;
  /** A user's e-mail, or "schedule". */
  startedBy: string;
  /** The paused sync that this one goes on with: the same row, from the last checkpoint. */
  continues?: string;
  /** Within a run. */
  runId?: string;
  /** What the sync has waited for its source already. */
  waited?: WaitedSync;
};

/** A sync that its source made wait: its row, and how often in a row nothing came of it. */
export type WaitedSync = { syncId: string; idleWaits: number };

/** `waiting`: the source asks to be left alone for a while, in the middle of the sync. */
export type SyncOutcome = { status: "read"; result: SyncResult } | ({ status: "waiting"; syncId: string } & Wait);

/** `heldBack`: a sentence about what a person has to decide, such as a mass deletion. */
export type SyncResult = {
  scanned: number;
  changed: number;
  deleted: number;
  failed: number;
  live: number;
  heldBack: string | null;
};

/** A source of a run that could not be read; what was known of it stays. */
export type UnreadSource = { sourceId: string; error: ErrorReport };

/** What could not be read. `ref` is the source's own id of the document; a folder's ends in "/". */
export type SyncFailure = Pick<ErrorReport, "code" | "message" | "action"> & { ref: string };

/** A source that fails as a whole is one failure, and one that fails at every document needs no longer list. */
export const maxSyncFailures = 200;

/** How long what a source deleted is kept, so that a person can take it back. */
export const defaultTombstoneDays = 30;

/** Removes for good what was deleted longer ago than it is kept. */
export const purgeWorkflowName = "purgeDeleted";
export const purgeScheduleId = "purge-deleted";

/** Reads the people and groups of every source, each in a workflow of its own (`directoryWorkflowName`). */
export const directoriesWorkflowName = "readDirectories";
export const directoriesScheduleId = "read-directories";
export const directoryWorkflowName = "readDirectory";
/** Apart from all other work, in whose way nothing is that takes hours. */
export const directoryQueue = "anneal-directories";
export type DirectoryInput = { workspaceId: string; sourceId: string };

/** How often they are read, however seldom a source's documents are; what takes long is read less often. */
export const defaultDirectoryMinutes = 15;

export function directoryWorkflowId(sourceId: string): string {
  return `directory-${sourceId}`;
}

export function syncWorkflowId(sourceId: string): string {
  return `sync-${sourceId}`;
}

/** Tries a source without reading it. */
export const checkWorkflowName = "checkSource";

/** A stored source, or a draft of one; its credentials are looked up by the worker. */
export type CheckInput = { workspaceId: string; of: { sourceId: string } | { draftId: string } };

export const checkTimeoutMs = 30_000;
