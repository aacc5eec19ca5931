import type { Acl } from "@anneal/core/access/acl";
import { aclOfSource } from "@anneal/core/access/source-principals";
import type { Change, KnownItems } from "@anneal/core/connect/change";
import { AnnealError, type ErrorReport } from "@anneal/core/errors";
import type { ConnectContext } from "@anneal/connectors/connector";
import { requireConnector } from "@anneal/connectors/registry";
import type { Scope } from "@anneal/db/database";
import {
  findFingerprint,
  listRefsWithFingerprint,
  markDocumentDeleted,
  moveDocument,
  quarantineRef,
  saveDocumentAcl,
  streamRefs,
  upsertDocument,
  type Source,
} from "@anneal/db/queries/connect";
import { saveCursor, type SyncCounts } from "@anneal/db/queries/source-syncs";
import type { ObjectStore } from "@anneal/objects/object-store";
import type { ProgressReporter } from "./progress.ts";
import { storeContent } from "./store-content.ts";

type AppliedSync = {
  scope: Scope;
  objects: ObjectStore;
  source: Source;
  secrets: Record<string, string>;
  sync: { id: string; counts: SyncCounts };
  context: ConnectContext;
  progress: ProgressReporter;
};

/**
 * Applies one source's change stream and counts in `sync.counts`; a checkpoint is stored only when all before it is
 * durable.
 * @returns what is wrong with the source as a whole without ending the sync, such as a mass deletion held back
 */
export async function applyChanges(applied: AppliedSync): Promise<ErrorReport | null> {
  const { scope, source, sync, context, progress } = applied;
  const { counts } = sync;
  const connector = requireConnector(source.kind);
  const own = <Audience extends Acl | null>(acl: Audience) =>
    acl === null || connector.directory === "vendor" ? acl : aclOfSource(acl, source.id);
  const known: KnownItems = {
    fingerprintOf: (ref) => findFingerprint(scope, source.id, ref),
    refsWithFingerprint: (fingerprint) => listRefsWithFingerprint(scope, source.id, fingerprint),
    refs: () => streamRefs(scope, source.id),
  };
  let heldBack: ErrorReport | null = null;
  const stream = connector.read({
    config: connector.configSchema.parse(source.config),
    secrets: connector.secretSchema.parse(applied.secrets),
    cursor: source.cursor,
    known,
    context,
  });
  for await (const change of stream) {
    context.signal.throwIfAborted();
    switch (change.type) {
      case "upsert":
        await upsert(applied, { ...change, item: { ...change.item, acl: own(change.item.acl) } });
        break;
      case "delete":
        if (await markDocumentDeleted(scope, source.id, change.ref)) counts.removed += 1;
        break;
      case "acl":
        await saveDocumentAcl(scope, source.id, { ...change, acl: own(change.acl) });
        counts.changed += 1;
        break;
      case "moved":
        await moveDocument(scope, source.id, change.fromRef, { ...change.item, acl: own(change.item.acl) });
        counts.changed += 1;
        break;
      case "failure":
        // Without a ref it is about the source as a whole.
        if (change.ref === "") heldBack = change.error;
        else await quarantine(applied, change.ref, change.error);
        break;
      case "checkpoint":
        counts.scanned = change.scanned;
        await saveCursor(scope, source.id, change.cursor, sync);
        await progress.report(change.scanned, change.total, source.name);
        break;
    }
    if (change.type !== "checkpoint") await progress.report(counts.scanned + counts.read, null, source.name);
  }
  return heldBack;
}

async function upsert(applied: AppliedSync, { item, content }: Extract<Change, { type: "upsert" }>): Promise<void> {
  const { scope, objects, source, sync, context } = applied;
  try {
    const stored = await storeContent(objects, await content.open(context.signal), context);
    sync.counts.read += 1;
    const { change } = await upsertDocument(scope, source.id, item, stored);
    if (change !== "unchanged") sync.counts[change] += 1;
  } catch (error) {
    if (!(error instanceof AnnealError) || error.code === "DISK_FULL" || context.signal.aborted) throw error;
    // Of a source that was removed meanwhile, this says so and ends the sync.
    await quarantine(applied, item.ref, error.toReport());
  }
}

async function quarantine({ scope, source, sync }: AppliedSync, ref: string, error: ErrorReport): Promise<void> {
  sync.counts.dropped += 1;
  const drop = { stage: "connect", code: error.code, reason: `${error.message} ${error.action}` };
  await quarantineRef(scope, source.id, ref, drop);
}
