import type { SyncInput, SyncResult } from "@anneal/core/connect/contract";
import type { KnownItems } from "@anneal/core/connect/change";
import { defaultDeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { AnnealError, type ErrorReport } from "@anneal/core/errors";
import type { StageInput } from "@anneal/core/loop/contract";
import { defaultLimits, type ConnectContext } from "@anneal/connectors/connector";
import { requireConnector } from "@anneal/connectors/registry";
import type { Database, Scope } from "@anneal/db/database";
import {
  findFingerprint,
  finishSync,
  getSource,
  listRefsWithFingerprint,
  listSources,
  markDocumentDeleted,
  moveDocument,
  quarantineRef,
  saveCursor,
  saveDocumentAcl,
  streamRefs,
  upsertDocument,
  type Source,
} from "@anneal/db/queries/connect";
import { countSourceDocuments, listDocumentDrops } from "@anneal/db/queries/documents";
import { addDrops } from "@anneal/db/queries/loop";
import type { SecretBox } from "@anneal/db/secret-box";
import type { ObjectStore } from "@anneal/objects/object-store";
import { cancellationSignal } from "@temporalio/activity";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StageCounts } from "../workflows/run-stage.ts";
import { createProgressReporter } from "./progress.ts";
import { storeContent } from "./store-content.ts";

export type ConnectActivities = ReturnType<typeof createConnectActivities>;

export function createConnectActivities(deps: {
  db: Database;
  objects: ObjectStore;
  secretBox: SecretBox;
  chromiumPath: string | null;
}) {
  const { db, objects, secretBox } = deps;

  /** Applies one source's change stream; a checkpoint is stored only when all before it is durable. */
  async function applyChanges(scope: Scope, source: Source, runId: string | null, context: ConnectContext) {
    const connector = requireConnector(source.kind);
    const secrets = source.sealedSecrets === null ? {} : secretBox.open(source.sealedSecrets, source.id);
    const known: KnownItems = {
      fingerprintOf: (ref) => findFingerprint(scope, source.id, ref),
      refsWithFingerprint: (fingerprint) => listRefsWithFingerprint(scope, source.id, fingerprint),
      refs: () => streamRefs(scope, source.id),
    };
    const progress = createProgressReporter({ scope, runId, stage: "connect", unit: "documents" });
    const result = { scanned: 0, changed: 0, deleted: 0, failed: 0 };
    let sourceError: ErrorReport | null = null;
    const quarantine = async (ref: string, error: ErrorReport) => {
      result.failed += 1;
      const drop = { stage: "connect", code: error.code, reason: `${error.message} ${error.action}` };
      await quarantineRef(scope, source.id, ref, drop, source.defaultAcl);
    };
    const stream = connector.read({
      config: connector.configSchema.parse(source.config),
      secrets: connector.secretSchema.parse(secrets),
      cursor: source.cursor,
      known,
      context,
    });
    for await (const change of stream) {
      switch (change.type) {
        case "upsert": {
          try {
            const content = await storeContent(objects, await change.content.open(context.signal), context);
            await upsertDocument(scope, source.id, change.item, content, source.defaultAcl);
            result.changed += 1;
          } catch (error) {
            if (!(error instanceof AnnealError) || error.code === "DISK_FULL" || context.signal.aborted) throw error;
            await quarantine(change.item.ref, error.toReport());
          }
          break;
        }
        case "delete":
          if (await markDocumentDeleted(scope, source.id, change.ref)) result.deleted += 1;
          break;
        case "acl":
          await saveDocumentAcl(scope, source.id, change);
          result.changed += 1;
          break;
        case "moved":
          await moveDocument(scope, source.id, change.fromRef, change.item, source.defaultAcl);
          result.changed += 1;
          break;
        case "failure":
          // Without a ref it is about the source as a whole: a mass deletion that waits for a person, for example.
          if (change.ref === "") sourceError = change.error;
          else await quarantine(change.ref, change.error);
          break;
        case "checkpoint":
          await saveCursor(scope, source.id, change.cursor);
          result.scanned = change.scanned;
          await progress.report(change.scanned, change.total, source.name);
          break;
      }
      if (change.type !== "checkpoint") await progress.report(result.scanned + result.changed, null, source.name);
    }
    return { result, sourceError };
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

    async syncSource(input: SyncInput & { runId: string | null }): Promise<SyncResult> {
      const scope = { db, workspaceId: input.workspaceId };
      const source = await getSource(scope, input.sourceId);
      const tempDir = await mkdtemp(join(tmpdir(), "anneal-sync-"));
      try {
        const { result, sourceError } = await applyChanges(scope, source, input.runId, {
          signal: cancellationSignal(),
          tempDir,
          limits: defaultLimits,
          deletions: { ...defaultDeletionPolicy, confirmed: input.confirmDeletions },
          chromiumPath: deps.chromiumPath,
        });
        await finishSync(scope, source.id, sourceError);
        return { ...result, live: await countSourceDocuments(scope, [source.id]) };
      } catch (error) {
        if (error instanceof AnnealError) await finishSync(scope, source.id, error.toReport());
        throw error;
      } finally {
        await rm(tempDir, { recursive: true, force: true });
      }
    },

    /** The stage's counts: every live document of its sources, less those whose content could not be had. */
    async summariseConnect(input: StageInput & { results: SyncResult[] }): Promise<StageCounts> {
      const scope = { db, workspaceId: input.workspaceId };
      const drops = await listDocumentDrops(scope, input.settings.sourceIds, ["connect"]);
      await addDrops(scope, input.runId, "connect", drops);
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
      return { inCount, outCount, note };
    },
  };
}
