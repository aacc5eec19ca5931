import type { Acl } from "@anneal/core/access/acl";
import { aclOfSource } from "@anneal/core/access/source-principals";
import type { Change, KnownItems } from "@anneal/core/connect/change";
import { maxSyncFailures } from "@anneal/core/connect/contract";
import { AnnealError, type ErrorReport } from "@anneal/core/errors";
import type { ChangeModel, ConnectContext } from "@anneal/connectors/connector";
import { requireConnector } from "@anneal/connectors/registry";
import type { Scope } from "@anneal/db/database";
import {
  listRefsWithFingerprint,
  markDocumentDeleted,
  moveDocument,
  quarantineRef,
  saveDocumentAcl,
  streamRefs,
  upsertDocument,
  type Source,
} from "@anneal/db/queries/connect";
import { createFingerprintReader } from "@anneal/db/queries/fingerprint-reader";
import { findLastListed, saveCursor, type SyncState } from "@anneal/db/queries/source-syncs";
import type { ObjectStore } from "@anneal/objects/object-store";
import { createLanes } from "./lanes.ts";
import type { ProgressReporter } from "./progress.ts";
import { createSyncMeter } from "./sync-meter.ts";
import { withContent } from "./with-content.ts";

type AppliedSync = {
  scope: Scope;
  objects: ObjectStore;
  source: Source;
  secrets: Record<string, string>;
  sync: Required<SyncState>;
  context: ConnectContext;
  progress: ProgressReporter;
};

/** Those that go through everything each time, so that the last time says how much there is. */
const listing: ReadonlySet<ChangeModel> = new Set(["fingerprint", "full-listing", "conditional"]);

/** `heldBack`: what is wrong with the source as a whole without ending the sync, such as a mass deletion. */
export type AppliedChanges = { status: "done"; heldBack: ErrorReport | null } | { status: "paused" };

/**
 * Applies one source's change stream and counts in `sync.counts`; a checkpoint is stored only when all before it is
 * durable, and is where a sync stops that somebody pauses.
 */
export async function applyChanges(applied: AppliedSync): Promise<AppliedChanges> {
  const { scope, source, sync, context, progress } = applied;
  const { counts } = sync;
  const connector = requireConnector(source.kind);
  const own = <Audience extends Acl | null>(acl: Audience) =>
    acl === null || connector.directory === "vendor" ? acl : aclOfSource(acl, source.id);
  const fingerprints = createFingerprintReader(scope, source.id);
  const known: KnownItems = {
    fingerprintOf: fingerprints.fingerprintOf,
    refsWithFingerprint: (fingerprint) => listRefsWithFingerprint(scope, source.id, fingerprint),
    refs: () => streamRefs(scope, source.id),
  };
  const meter = createSyncMeter({
    scope,
    sync,
    lastListed: listing.has(connector.changeModel) ? await findLastListed(scope, source.id) : null,
  });
  let heldBack: ErrorReport | null = null;
  /** Those since the last checkpoint that are known of: what is unchanged is counted at the next. */
  let listedSince = 0;
  const stream = connector.read({
    config: connector.configSchema.parse(source.config),
    secrets: connector.secretSchema.parse(applied.secrets),
    cursor: source.cursor,
    known,
    context,
  });
  const lanes = createLanes(connector.parallelReads ?? 1);
  const apply = async (change: Change): Promise<"paused" | undefined> => {
    context.signal.throwIfAborted();
    // All but new content is applied after what came before it.
    if (change.type !== "upsert") await lanes.settle();
    switch (change.type) {
      case "upsert": {
        const owned = { ...change, item: { ...change.item, acl: own(change.item.acl) } };
        fingerprints.forget(change.item.ref);
        await lanes.run(change.item.ref, () => upsert(applied, owned));
        break;
      }
      case "delete":
        fingerprints.forget(change.ref);
        if (await markDocumentDeleted(scope, source.id, change.ref)) counts.removed += 1;
        break;
      case "acl":
        fingerprints.forget(change.ref);
        await saveDocumentAcl(scope, source.id, { ...change, acl: own(change.acl) });
        counts.changed += 1;
        break;
      case "moved":
        fingerprints.forget(change.fromRef);
        fingerprints.forget(change.item.ref);
        await moveDocument(scope, source.id, change.fromRef, { ...change.item, acl: own(change.item.acl) });
        counts.changed += 1;
        break;
      case "failure":
        // Without a ref it is about the source as a whole.
        if (change.ref === "") heldBack = change.error;
        else await quarantine(applied, change.ref, change.error);
        break;
      case "checkpoint": {
        counts.scanned = change.scanned;
        listedSince = 0;
        const { pauseRequested } = await saveCursor(scope, source.id, change.cursor, sync);
        // At its end there is nothing left to go on with.
        if (pauseRequested && change.scanned !== change.total) return "paused";
        meter.told = change.total;
        break;
      }
    }
    if (change.type === "upsert" || change.type === "acl" || change.type === "moved") listedSince += 1;
    const { expected } = await meter.measure(counts.scanned + listedSince);
    await progress.report(counts.scanned + listedSince, expected, source.name);
    return undefined;
  };
  // What a sync fails with is thrown; nothing of it goes on then, with the source's connections or the sync's lock.
  const ended = () => lanes.settle().catch(() => undefined);
  try {
    for await (const change of stream) {
      try {
        if ((await apply(change)) === "paused") return { status: "paused" };
      } catch (error) {
        await ended();
        throw error;
      }
    }
    await lanes.settle();
    return { status: "done", heldBack };
  } finally {
    await ended();
  }
}

async function upsert(applied: AppliedSync, { item, content }: Extract<Change, { type: "upsert" }>): Promise<void> {
  const { scope, objects, source, sync, context } = applied;
  try {
    const change = await withContent(objects, await content.open(context.signal), context, async (stored, put) => {
      sync.counts.read += 1;
      sync.counts.bytes += stored.sizeBytes;
      return (await upsertDocument(scope, source.id, item, stored, put)).change;
    });
    if (change !== "unchanged") sync.counts[change] += 1;
  } catch (error) {
    if (!(error instanceof AnnealError) || error.code === "DISK_FULL" || context.signal.aborted) throw error;
    // Of a source that was removed meanwhile, this says so and ends the sync.
    await quarantine(applied, item.ref, error.toReport());
  }
}

async function quarantine({ scope, source, sync }: AppliedSync, ref: string, error: ErrorReport): Promise<void> {
  sync.counts.dropped += 1;
  const { code, message, action } = error;
  if (sync.failures.length < maxSyncFailures) sync.failures.push({ ref, code, message, action });
  const drop = { stage: "connect", code: error.code, reason: `${error.message} ${error.action}` };
  await quarantineRef(scope, source.id, ref, drop);
}
