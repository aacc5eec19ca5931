import { chooseDocuments } from "@anneal/core/dataset/choose-documents";
import { documentText } from "@anneal/core/document/element";
import { dedupePassages, type PassageSource } from "@anneal/core/dedupe/dedupe-passages";
import { NearDuplicateIndex, type StoredText } from "@anneal/core/dedupe/near-duplicate-index";
import { reportDuplicates } from "@anneal/core/dedupe/plan-dedupe";
import { defaultDedupePolicy } from "@anneal/core/dedupe/policy";
import type { StageInput } from "@anneal/core/loop/contract";
import type { Database } from "@anneal/db/database";
import { listKeptDocuments, saveComparisons } from "@anneal/db/queries/documents";
import { replaceDrops } from "@anneal/db/queries/loop";
import type { ObjectStore } from "@anneal/objects/object-store";
import { cancellationSignal } from "@temporalio/activity";
import type { StageCounts } from "../workflows/run-stage.ts";
import { loadClean } from "./load-clean.ts";
import { createProgressReporter } from "./progress.ts";

export type DedupeActivities = ReturnType<typeof createDedupeActivities>;

export function createDedupeActivities({ db, objects }: { db: Database; objects: ObjectStore }) {
  return {
    /** Compares what is new with all that is kept; the whole workspace, since a copy may stand in another source. */
    async dedupeDocuments(input: StageInput): Promise<StageCounts> {
      const scope = { db, workspaceId: input.workspaceId };
      const signal = cancellationSignal();
      const all = await listKeptDocuments(scope);
      const byId = new Map(all.map((document) => [document.id, document]));
      const textOf = async (id: string) => documentText((await loadClean(objects, byId.get(id)!)).elements);
      const index = new NearDuplicateIndex(defaultDedupePolicy, { loadText: textOf });
      const progress = createProgressReporter({ scope, runId: input.runId, stage: "dedupe", unit: "documents" });

      // Deleted and changed documents have no signature here, so what was decided for them is decided again.
      const known = all.filter((document) => document.signature !== null);
      await index.restore(
        known.map((document): StoredText => {
          const { duplicate, duplicateOf } = document;
          return {
            id: document.id,
            firstSeenAtMs: document.firstSeenAt.getTime(),
            signature: document.signature!,
            decision:
              duplicateOf === null || duplicate === null
                ? { status: "kept" }
                : {
                    status: "duplicate",
                    code: duplicate.code === "EXACT_DUPLICATE" ? "EXACT_DUPLICATE" : "NEAR_DUPLICATE",
                    duplicateOf,
                    similarity: duplicate.similarity,
                  },
          };
        }),
      );
      const fresh = all.filter((document) => document.signature === null);
      let done = 0;
      for (const { id, firstSeenAt } of fresh) {
        signal.throwIfAborted();
        await index.add({ id, firstSeenAtMs: firstSeenAt.getTime(), text: await textOf(id) });
        await progress.report((done += 1), fresh.length);
      }

      const facts = all.map(({ id, sourceId, firstSeenAt, ref, acl }) => ({
        id,
        sourceId,
        firstSeenAtMs: firstSeenAt.getTime(),
        ref,
        acl,
      }));
      const plan = await reportDuplicates(index, facts);
      const duplicates = new Map(plan.duplicates.map((duplicate) => [duplicate.id, duplicate]));

      // Passages are compared among kept documents only; their decisions depend on each other, so all are made anew.
      const sources: PassageSource[] = [];
      for (const { id, firstSeenAt, acl } of all) {
        if (duplicates.has(id)) continue;
        signal.throwIfAborted();
        const { elements } = await loadClean(objects, byId.get(id)!);
        sources.push({ id, firstSeenAtMs: firstSeenAt.getTime(), acl, elements });
        await progress.report(done, fresh.length, "passages");
      }
      const passages = await dedupePassages(sources);

      await saveComparisons(
        scope,
        all.map(({ id }) => {
          const duplicate = duplicates.get(id);
          return {
            documentId: id,
            signature: Buffer.from(index.exportSignature(id)),
            duplicateOf: duplicate?.duplicateOf ?? null,
            duplicate: duplicate
              ? { code: duplicate.code, similarity: duplicate.similarity, hiddenIn: duplicate.hiddenIn }
              : null,
            duplicatePassages: passages.get(id)?.map((passage) => passage.element) ?? null,
          };
        }),
      );

      const inScope = (id: string) =>
        input.settings.sourceIds === null || input.settings.sourceIds.includes(byId.get(id)!.sourceId);
      // A copy of what only another source has is left out of nothing here.
      const compared = all.map(({ id, sourceId }) => ({
        id,
        sourceId,
        duplicateOf: duplicates.get(id)?.duplicateOf ?? null,
      }));
      const chosen = new Set(chooseDocuments(compared, input.settings.sourceIds).map(({ id }) => id));
      const drops = plan.duplicates.filter(({ id }) => inScope(id) && !chosen.has(id));
      await replaceDrops(
        scope,
        input.runId,
        "dedupe",
        drops.map(({ id, ref, code, reason }) => ({ documentId: id, ref, code, reason })),
      );
      const inCount = all.filter((document) => inScope(document.id)).length;
      const passageCount = [...passages.values()].reduce((sum, list) => sum + list.length, 0);
      const note = passageCount === 0 ? null : `${passageCount} passages stand in more than one place.`;
      return { inCount, outCount: inCount - drops.length, note };
    },
  };
}
