import type { SyncInput, SyncOutcome, SyncResult, UnreadSource } from "@anneal/core/connect/contract";
import { confirmationOf, defaultDeletionPolicy, type DeletionPolicy } from "@anneal/core/connect/deletion-policy";
import type { Wait } from "@anneal/core/connect/plan-wait";
import { AnnealError, type ErrorReport } from "@anneal/core/errors";
import { stableUuid } from "@anneal/core/indexing/point-id";
import type { StageInput } from "@anneal/core/loop/contract";
import { defaultLimits, type ConnectContext, type ConnectLimits } from "@anneal/connectors/connector";
import type { PythonRuntime } from "@anneal/connectors/python-runtime";
import type { RemoteObserver } from "@anneal/connectors/remote/remote-observer";
import type { DatabaseHandle, Scope } from "@anneal/db/database";
import type { Lock } from "@anneal/db/lock";
import { getSource, listSources, type Source } from "@anneal/db/queries/sources";
import { countSourceDocuments, listDocumentDrops } from "@anneal/db/queries/documents";
import { replaceDrops, getRun } from "@anneal/db/queries/loop";
import { renewCredentials } from "@anneal/db/queries/renewed-credentials";
import {
  abandonSync,
  beginSync,
  endSync,
  findOpenSync,
  failWaiting,
  isAtFirstRevision,
  isPauseRequested,
  listSyncFailures,
  skipSync,
  syncLockName,
  type SyncEnd,
  type SyncState,
} from "@anneal/db/queries/source-syncs";
import type { SecretBox } from "@anneal/db/secret-box";
import type { ObjectStore } from "@anneal/objects/object-store";
import { activityInfo, cancellationSignal, heartbeat } from "@temporalio/activity";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ReaderPushes } from "../drivers/reader-pushes.ts";
import type { StageCounts } from "../workflows/run-stage.ts";
import { applyChanges } from "./apply-changes.ts";
import { applyDirectory } from "./apply-directory.ts";
import { beginWait, waitNote } from "./begin-wait.ts";
import { defaultDocumentTimeoutMs } from "./deadline.ts";
import { followReaderChanges } from "./follow-readers.ts";
import { createProgressReporter, type ProgressReporter } from "./progress.ts";
import { createSleepMeter } from "./sleep-meter.ts";

export type ConnectActivities = ReturnType<typeof createConnectActivities>;

const pulseMs = 10_000;
const lockRetryMs = 1_000;

/** `idleWaits`: null where the workflow would not wait, but fail. */
type Place = {
  scope: Scope;
  source: Source;
  lock: Lock;
  progress: ProgressReporter;
  confirmDeletions: boolean;
  idleWaits: number | null;
};

export function createConnectActivities(deps: {
  database: Pick<DatabaseHandle, "db" | "tryLock">;
  objects: ObjectStore;
  secretBox: SecretBox;
  chromiumPath: string | null;
  ownFolders: readonly string[];
  python: PythonRuntime;
  observeRemote: (kind: string) => RemoteObserver;
  readerPushes: ReaderPushes;
  /** What one sync may delete without a person's word; left out: the default policy. */
  deletions?: Pick<DeletionPolicy, "maxShare">;
  /** Left out: the default limits. */
  limits?: ConnectLimits;
  /** For one document's content; left out: ten minutes. */
  documentTimeoutMs?: number;
}) {
  const { objects, secretBox } = deps;
  const { limits = defaultLimits, documentTimeoutMs = defaultDocumentTimeoutMs } = deps;
  const { db, tryLock } = deps.database;

  /** Never two at once over one source. Who may wait gets the lock when it is free; null tells the others to skip. */
  async function lockSource(source: Source, mayWait: boolean, progress: ProgressReporter): Promise<Lock | null> {
    for (;;) {
      const lock = await tryLock(syncLockName(source.id));
      if (lock !== null || !mayWait) return lock;
      await progress.report(0, null, `Waiting: “${source.name}” is being read already.`);
      await sleep(lockRetryMs, undefined, { signal: cancellationSignal() });
    }
  }

  /** Reads the source and closes the row of the sync, however it ends. */
  async function readLocked(
    place: Place,
    sync: Required<SyncState> & { sourceId: string },
  ): Promise<{ heldBack: ErrorReport | null } | { wait: Wait }> {
    const { scope, source, progress } = place;
    const countsBefore = { ...sync.counts };
    const tempDir = await mkdtemp(join(tmpdir(), "anneal-sync-"));
    const close = (end: SyncEnd) => endSync(scope, { ...sync, revision: source.revision }, end);
    try {
      if (await isPauseRequested(scope, sync.id)) {
        await close({ status: "paused" });
        return { heldBack: null };
      }
      const secrets = source.sealedSecrets === null ? {} : secretBox.open(source.sealedSecrets, source.id);
      const sleeps = createSleepMeter();
      const context: ConnectContext = {
        clock: sleeps.clock,
        signal: AbortSignal.any([cancellationSignal(), place.lock.lost]),
        tempDir,
        limits,
        deletions: {
          ...defaultDeletionPolicy,
          ...deps.deletions,
          ...confirmationOf(place.confirmDeletions, source.lastSyncError),
        },
        chromiumPath: deps.chromiumPath,
        ownFolders: deps.ownFolders,
        python: deps.python,
        onRemoteEvent: deps.observeRemote(source.kind),
        renewSecrets: (renew) => renewCredentials(scope, secretBox, source.id, renew),
      };
      // Before the documents: whoever left a group must not read the new ones that it admits.
      const onWait = () => progress.announce(0, `Waiting: the people and groups of “${source.name}” are being read.`);
      await applyDirectory({ scope, sourceId: source.id, secretBox, context, tryLock, onWait });
      const applied = { scope, objects, source, sync, secrets, context, documentTimeoutMs, progress };
      const idleWaits = place.idleWaits ?? 0;
      const end = await applyChanges({ ...applied, idleWaits, sleptMs: sleeps.sleptMs });
      await close(end);
      return { heldBack: end.status === "done" ? end.heldBack : null };
    } catch (error) {
      if (cancellationSignal().aborted) {
        await close({ status: "cancelled" });
        throw error;
      }
      try {
        const ending = { scope, source, sync, countsBefore, progress };
        const wait = place.idleWaits === null ? null : await beginWait(ending, place.idleWaits, error);
        if (wait !== null) return { wait };
        throw error;
      } catch (failure) {
        await close({ status: "failed", error: failure instanceof AnnealError ? failure.toReport() : unexpected });
        throw failure;
      }
    } finally {
      await rm(tempDir, { recursive: true, force: true });
    }
  }

  /** @param idleWaits null: what asks to wait is thrown */
  async function read(input: SyncInput, idleWaits: number | null): Promise<SyncOutcome> {
    const runId = input.runId ?? null;
    const scope = { db, workspaceId: input.workspaceId };
    const source = await getSource(scope, input.sourceId);
    const { attempt, workflowExecution } = activityInfo();
    const sync = {
      id: input.waited?.syncId ?? input.continues ?? stableUuid([workflowExecution!.runId, source.id], sha256),
      sourceId: source.id,
      runId,
      workflowId: workflowExecution!.workflowId,
      // Schedules of an earlier release do not say who they are.
      startedBy: runId === null ? (input.startedBy ?? "schedule") : (await getRun(scope, runId)).startedBy,
    };
    const leftAlone = async (heldBack: string | null): Promise<SyncOutcome> => {
      const live = await countSourceDocuments(scope, [source.id]);
      return { status: "read", result: { scanned: 0, changed: 0, deleted: 0, failed: 0, live, heldBack } };
    };
    const progress = createProgressReporter({ scope, runId, stage: "connect", unit: "documents", isEstimate: true });
    // A source may think for longer than a heartbeat may be late.
    const pulse = setInterval(() => heartbeat(), pulseMs);
    const readers = followReaderChanges(scope, deps.readerPushes);
    try {
      const mayWait = runId !== null || attempt > 1 || input.waited !== undefined;
      const lock = await lockSource(source, mayWait, progress);
      if (lock === null) {
        const other = await findOpenSync(scope, source.id);
        await skipSync(scope, sync, alreadyRead(source.name, other?.startedBy));
        return await leftAlone(null);
      }
      try {
        const open = await findOpenSync(scope, source.id);
        const other = open?.id === sync.id ? undefined : open;
        // Its history is not filled with firings that did nothing.
        if (runId === null && sync.startedBy === "schedule" && other?.status === "paused")
          return await leftAlone(`The reading of “${source.name}” is paused.`);
        const until = other?.status === "waiting" && idleWaits !== null ? other.waitsUntil : null;
        const waitMs = until === null ? 0 : until.getTime() - Date.now();
        if (until !== null && idleWaits !== null && waitMs > 0) {
          if (runId === null) return await leftAlone(waitNote(source.name, until));
          await progress.announce(0, waitNote(source.name, until));
          return { status: "waiting", syncId: sync.id, waitMs, idleWaits };
        }
        // Who read it meanwhile has moved the cursor; a person may have changed the rest.
        const current = await getSource(scope, source.id);
        const counts = await beginSync(scope, { ...sync, revision: current.revision });
        // Of what is at another address by now nobody has confirmed anything.
        const confirmDeletions = input.confirmDeletions && (await isAtFirstRevision(scope, sync.id, current.revision));
        const place = { scope, source: current, lock, progress, confirmDeletions, idleWaits };
        const failures = await listSyncFailures(scope, sync.id);
        const end = await readLocked(place, { ...sync, counts, failures });
        if ("wait" in end) return { status: "waiting", syncId: sync.id, ...end.wait };
        const { scanned, added, changed, removed, dropped } = counts;
        const live = await countSourceDocuments(scope, [source.id]);
        const done = { scanned, changed: added + changed, deleted: removed, failed: dropped, live };
        return { status: "read", result: { ...done, heldBack: end.heldBack?.message ?? null } };
      } finally {
        await lock.release();
      }
    } finally {
      await readers.end();
      clearInterval(pulse);
    }
  }

  return {
    async listSourcesToSync({ workspaceId, settings }: StageInput): Promise<{ sourceIds: string[] }> {
      const sources = await listSources({ db, workspaceId });
      const wanted = settings.sourceIds;
      const sourceIds = sources.map((source) => source.id).filter((id) => wanted === null || wanted.includes(id));
      const missing = wanted?.find((id) => !sourceIds.includes(id));
      if (missing !== undefined || sourceIds.length === 0) {
        throw new AnnealError(
          missing === undefined ? "SOURCE_EMPTY" : "NOT_FOUND",
          missing === undefined ? "The workspace has no sources." : `There is no source ${missing} in this workspace.`,
          { action: "Add a source first, for example a folder of documents." },
        );
      }
      return { sourceIds };
    },

    /**
     * Reads a source to its end, or to where it asks to be left alone for a while. A run waits for whoever reads the
     * source now, because its later stages need all of it; a sync of its own would only repeat what is going on, and is
     * skipped with a sentence that says so. While a sync is paused or waits its source is left alone by its schedule.
     * @throws AnnealError RATE_LIMITED when the sync waited often enough for nothing
     */
    async readSource(input: SyncInput): Promise<SyncOutcome> {
      return read(input, input.waited?.idleWaits ?? 0);
    },

    /** For workflows of an earlier release, which leave it to Temporal to try again. */
    async syncSource(
      input: Omit<SyncInput, "startedBy" | "runId"> & { startedBy?: string; runId: string | null },
    ): Promise<SyncResult> {
      const { runId, startedBy = "schedule", ...rest } = input;
      const outcome = await read({ ...rest, startedBy, ...(runId === null ? {} : { runId }) }, null);
      if (outcome.status === "read") return outcome.result;
      throw new Error("This sync cannot wait.");
    },

    /** A sync that was cancelled while it waited, or whose attempt after a wait failed before it began. */
    async endWaiting(input: { workspaceId: string; syncId: string; error?: ErrorReport }): Promise<void> {
      const { workspaceId, syncId, error } = input;
      if (error === undefined) await abandonSync({ db, workspaceId }, syncId);
      else await failWaiting({ db, workspaceId }, syncId, error);
    },

    /** The stage's counts: every live document of its sources, less those whose content could not be had. */
    async summariseConnect(
      input: StageInput & { results: SyncResult[]; unread?: UnreadSource[] },
    ): Promise<StageCounts> {
      const scope = { db, workspaceId: input.workspaceId };
      const drops = await listDocumentDrops(scope, input.settings.sourceIds, ["connect"]);
      await replaceDrops(scope, input.runId, "connect", drops);
      const inCount = await countSourceDocuments(scope, input.settings.sourceIds);
      const outCount = inCount - drops.length;
      if (outCount === 0) {
        throw new AnnealError("SOURCE_EMPTY", "The sources hold no document that could be read.", {
          action:
            drops.length > 0
              ? "See why each was left out, mend it and retry."
              : "Add documents, or choose another source.",
          details: { dropped: drops.slice(0, 20) },
        });
      }
      const changed = input.results.reduce((sum, result) => sum + result.changed, 0);
      const deleted = input.results.reduce((sum, result) => sum + result.deleted, 0);
      const note = changed + deleted === 0 ? "Nothing changed." : `${changed} new or changed, ${deleted} deleted.`;
      const heldBack = input.results.flatMap((result) => result.heldBack ?? []);
      const unread = await Promise.all((input.unread ?? []).map((each) => describeUnread(scope, each)));
      return { inCount, outCount, note: [note, ...heldBack, ...unread].join(" ") };
    },
  };
}

async function describeUnread(scope: Scope, { sourceId, error }: UnreadSource): Promise<string> {
  // It may have been removed since.
  const name = await getSource(scope, sourceId).then(
    (source) => `“${source.name}”`,
    () => "A source that was removed",
  );
  return `${name} could not be read, and stays as it was: ${error.message}`;
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

const unexpected: ErrorReport = {
  code: "ENGINE_UNAVAILABLE",
  message: "Something unexpected went wrong while the source was read.",
  action: "Read it again; if it happens again, look at the worker's log.",
};

function alreadyRead(name: string, startedBy = "somebody"): ErrorReport {
  return {
    code: "ALREADY_RUNNING",
    message: `“${name}” was being read already, started by ${startedBy}, so it was not read a second time.`,
    action: "Nothing is to be done: what that read missed, the next one finds.",
  };
}
