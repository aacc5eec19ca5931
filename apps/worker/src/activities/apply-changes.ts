import { nobody } from "@anneal/core/access/acl";
import type { SourceAcl } from "@anneal/core/access/acl-origins";
import { aclOfSource } from "@anneal/core/access/source-principals";
import type { Change } from "@anneal/core/connect/change";
import type { ErrorReport } from "@anneal/core/errors";
import type { ChangeModel } from "@anneal/connectors/connector";
import { bringsReadersAt, readerRulesOf } from "@anneal/connectors/reader-rules";
import { requireConnector } from "@anneal/connectors/registry";
import {
  markDocumentDeleted,
  moveDocument,
  narrowDocumentAcl,
  saveDocumentAcl,
  unreadFingerprint,
} from "@anneal/db/queries/synced-documents";
import { createFingerprintReader } from "@anneal/db/queries/fingerprint-reader";
import { streamJournal } from "@anneal/db/queries/source-journal";
import { countHeldDocuments, findLastListed, saveCursor } from "@anneal/db/queries/source-syncs";
import { isRefusedValue } from "@anneal/db/queries/upsert-documents";
import type { AppliedSync, ReadingSync } from "./applied-sync.ts";
import { fetchContent, type HeldContent } from "./fetch-content.ts";
import { createKnownItems } from "./known-items.ts";
import { createLanes } from "./lanes.ts";
import { quarantine } from "./quarantine.ts";
import { createRefusedContents } from "./refused-contents.ts";
import { unlistFailure } from "./sync-failures.ts";
import { createSyncMeter } from "./sync-meter.ts";
import { createUpsertWriter, requireOfDocument, unstorable, type UpsertWriter } from "./write-upserts.ts";

/** Those that go through everything each time, so that the last time says how much there is. */
const listing: ReadonlySet<ChangeModel> = new Set(["fingerprint", "conditional"]);

/** `heldBack`: what is wrong with the source as a whole without ending the sync, such as a mass deletion. */
export type AppliedChanges = { status: "done"; heldBack: ErrorReport | null } | { status: "paused" };

/**
 * Applies one source's change stream and counts in `sync.counts`; a checkpoint is stored only when all before it is
 * durable, and is where a sync stops that somebody pauses. Nothing is written once the source has other settings. Contents are fetched side by side, as many as the connector
 * allows; they are stored and their rows written while it reads on.
 */
export async function applyChanges(applied: AppliedSync): Promise<AppliedChanges> {
  const { scope, source, sync, context, progress } = applied;
  const { counts } = sync;
  const connector = requireConnector(source.kind);
  const own = <Audience extends SourceAcl | null>(acl: Audience) =>
    acl === null || connector.directory === "vendor" ? acl : aclOfSource(acl, source.id);
  const fingerprints = createFingerprintReader(scope, source.id);
  const reading = { ...applied, fingerprints, refused: createRefusedContents(sync, applied.idleWaits) };
  const writer = createUpsertWriter(reading);
  const meter = createSyncMeter({
    scope,
    sync,
    lastListed: listing.has(connector.changeModel) ? await findLastListed(scope, source.id) : null,
  });
  /** As it was before this sync, or almost: asked for by its first checkpoint. */
  let heldCount: Promise<number | null> | undefined;
  let heldBack: ErrorReport | null = null;
  /** Those since the last checkpoint that are known of: what is unchanged is counted at the next. */
  let listedSince = 0;
  const config = connector.configSchema.parse(source.config);
  const readerRules = readerRulesOf(connector, config);
  /** Of what could not even be looked at. */
  const unseenReadersOf = (ref: string) => (bringsReadersAt(readerRules, ref) ? nobody : null);
  const stream = connector.read({
    config,
    secrets: connector.secretSchema.parse(applied.secrets),
    cursor: source.cursor,
    // It belongs to a cursor, and says nothing without one.
    journal: source.cursor === null ? undefined : streamJournal(scope, source.id),
    known: createKnownItems({ scope, sourceId: source.id }, fingerprints, writer),
    context,
  });
  const lanes = createLanes(connector.parallelReads ?? 1);
  const settle = async () => {
    await lanes.settle();
    await writer.settle();
  };
  /** New readers, who are let in once the change after it has not said that the content is another one as well. */
  let admission: Extract<Change, { type: "acl" }> | null = null;
  const admit = async (next?: Change) => {
    const waiting = admission;
    admission = null;
    if (waiting === null || isOfContent(next, waiting.ref)) return;
    await saveDocumentAcl(scope, source.id, waiting, source.revision);
    fingerprints.learn(waiting.ref, waiting.fingerprint);
  };
  const apply = async (change: Change): Promise<"paused" | undefined> => {
    context.signal.throwIfAborted();
    await admit(change);
    // All but new content is applied after what came before it.
    if (change.type !== "upsert") await settle();
    switch (change.type) {
      case "upsert": {
        const owned = { ...change, item: { ...change.item, acl: own(change.item.acl) } };
        fingerprints.forget(change.item.ref);
        await lanes.run(change.item.ref, () => fetchUpsert(reading, writer, owned));
        break;
      }
      case "delete":
        fingerprints.forget(change.ref);
        unlistFailure(sync, change.ref);
        if (await markDocumentDeleted(scope, source.id, change.ref, source.revision)) counts.removed += 1;
        break;
      case "acl": {
        const owned = { ...change, acl: own(change.acl) };
        if (await narrowDocumentAcl(scope, source.id, owned, source.revision)) admission = owned;
        else fingerprints.learn(change.ref, change.fingerprint);
        counts.changed += 1;
        break;
      }
      case "moved":
        try {
          const item = { ...change.item, acl: own(change.item.acl) };
          await moveDocument(scope, source.id, change.fromRef, item, source.revision);
        } catch (error) {
          if (!isRefusedValue(error)) throw error;
          // It stays where and what it was, but for who may read it.
          const acl = own(change.item.acl);
          const fingerprint = unreadFingerprint;
          if (acl !== null)
            await saveDocumentAcl(scope, source.id, { ref: change.fromRef, acl, fingerprint }, source.revision);
          await quarantine(reading, change.fromRef, unstorable, acl);
          break;
        }
        fingerprints.forget(change.fromRef);
        fingerprints.learn(change.item.ref, change.item.fingerprint);
        counts.changed += 1;
        break;
      case "failure":
        // Without a ref it is about the source as a whole.
        if (change.ref === "") heldBack = change.error;
        else await quarantine(reading, change.ref, change.error, unseenReadersOf(change.ref));
        break;
      case "checkpoint": {
        counts.scanned = change.scanned;
        listedSince = 0;
        const state = { ...sync, revision: source.revision, ...(change.leftOut && { leftOut: change.leftOut }) };
        const { pauseRequested } = await saveCursor(scope, source.id, change.cursor, state, change.journal);
        // At its end there is nothing left to go on with.
        if (pauseRequested && change.scanned !== change.total) return "paused";
        const held = change.listsAll === true ? await (heldCount ??= countHeldDocuments(scope, source.id)) : null;
        meter.told = held ?? change.total;
        if (change.listsAll === false) meter.lastListed = null;
        break;
      }
    }
    if (change.type === "upsert" || change.type === "acl" || change.type === "moved") listedSince += 1;
    const { expected } = await meter.measure(counts.scanned + listedSince);
    await progress.report(counts.scanned + listedSince, expected, source.name);
    return undefined;
  };
  // What a sync fails with is thrown; nothing of it goes on then, with the source's connections or the sync's lock.
  const ended = async () => {
    await lanes.settle().catch(() => undefined);
    await writer.settle().catch(() => undefined);
  };
  try {
    for await (const change of stream) {
      try {
        if ((await apply(change)) === "paused") return { status: "paused" };
      } catch (error) {
        await ended();
        throw error;
      }
    }
    await settle();
    await admit();
    return { status: "done", heldBack };
  } finally {
    await ended();
  }
}

/** Whether a change says that a document's content is not the one that is held. */
function isOfContent(change: Change | undefined, ref: string): boolean {
  if (change?.type === "upsert") return change.item.ref === ref;
  return change?.type === "failure" && change.ref === ref;
}

/** What is wrong with one document's content is no other's concern. */
async function fetchUpsert(
  reading: ReadingSync,
  writer: UpsertWriter,
  { item, content }: Extract<Change, { type: "upsert" }>,
): Promise<void> {
  const { objects, context } = reading;
  let held: HeldContent;
  try {
    held = await fetchContent(objects, content, context, reading.documentTimeoutMs, reading.sleptMs);
  } catch (failure) {
    const error = reading.refused.judge(item.ref, failure);
    requireOfDocument(reading, error);
    // What came before it of the same document counts.
    if (writer.unwritten.has(item.ref)) await writer.settle();
    await quarantine(reading, item.ref, error.toReport(), item.acl);
    return;
  }
  await writer.add({ item, content: held });
}
