import { aclFingerprint } from "@anneal/core/access/acl";
import type { Passage } from "@anneal/core/chat/passage";
import { canonicalJson } from "@anneal/core/canonical-json";
import { buildExamples, passageOf } from "@anneal/core/dataset/build-examples";
import { checkPair } from "@anneal/core/dataset/check-pair";
import { chooseDocuments } from "@anneal/core/dataset/choose-documents";
import { datasetAcl } from "@anneal/core/dataset/dataset-acl";
import { datasetDigest, toMessagesJsonl, type DatasetExample } from "@anneal/core/dataset/dataset-digest";
import { dedupeQuestions } from "@anneal/core/dataset/dedupe-questions";
import { extractPairs } from "@anneal/core/dataset/extract-pairs";
import { pairSchema, type Pair } from "@anneal/core/dataset/pair";
import { sharePassages } from "@anneal/core/dataset/share-passages";
import { planSplits } from "@anneal/core/dataset/plan-splits";
import { elementSpans, type ParsedDocument } from "@anneal/core/document/element";
import { AnnealError } from "@anneal/core/errors";
import { chunkDocument } from "@anneal/core/indexing/chunk-document";
import { identifyChunks } from "@anneal/core/indexing/plan-indexing";
import type { Drop, StageInput } from "@anneal/core/loop/contract";
import type { Database, Scope } from "@anneal/db/database";
import { findDocumentPairs, saveDatasetVersion, saveDocumentPairs } from "@anneal/db/queries/dataset";
import { listKeptDocuments, type KeptDocument } from "@anneal/db/queries/documents";
import { replaceDrops, addRunOutputs } from "@anneal/db/queries/loop";
import type { ObjectStore } from "@anneal/objects/object-store";
import { cancellationSignal } from "@temporalio/activity";
import { createHash, randomUUID } from "node:crypto";
import { z } from "zod";
import type { Teacher } from "../drivers/teacher.ts";
import type { StageCounts } from "../workflows/run-stage.ts";
import { loadClean } from "./load-clean.ts";
import { createProgressReporter } from "./progress.ts";

export type DatasetActivities = ReturnType<typeof createDatasetActivities>;

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** Raised when extraction, prompts or checks change, so that stored pairs are made again. */
const pairsVersion = "3";

const storedPairsSchema = z.object({
  pairs: z.array(pairSchema),
  dropped: z.array(z.object({ pair: pairSchema, code: z.string(), reason: z.string() })),
});
type FoundPairs = z.infer<typeof storedPairsSchema>;

type Candidate = {
  document: KeptDocument;
  parsed: ParsedDocument;
  passages: Passage[];
  /** Pairs that stand in the text as questions and answers, none of them copied from elsewhere. */
  extracted: Pair[];
};

export function createDatasetActivities(deps: { db: Database; objects: ObjectStore; teacher: Teacher }) {
  const { db, objects, teacher } = deps;

  async function load(document: KeptDocument): Promise<Candidate> {
    const clean = await loadClean(objects, document);
    const passages = identifyChunks(chunkDocument(clean), { ...document, documentId: document.id }).map(
      ({ chunk, pointId }): Passage => ({
        documentId: document.id,
        chunkId: pointId,
        uri: document.uri,
        title: document.title,
        context: chunk.context,
        tableHeader: chunk.tableHeader,
        text: chunk.text,
        charStart: chunk.charStart,
        places: chunk.places,
        language: document.language,
        cosine: null,
      }),
    );
    // Training leaves out every copied passage, whoever may read it. Its text stays in place, so that offsets hold.
    const copies = new Set(document.duplicatePassages);
    const spans = elementSpans(clean.elements);
    const isCopied = (start: number) =>
      spans.some((span, index) => copies.has(index) && start >= span.start && start < span.end);
    const extracted = extractPairs({ documentId: document.id, language: document.language, parsed: clean }).filter(
      (pair) => !isCopied(pair.source.charStart),
    );
    return { document, parsed: clean, passages, extracted };
  }

  /** @param asked about how many of its passages a teacher is asked, beside the pairs that the text has */
  async function findPairs(scope: Scope, candidate: Candidate, asked: number, signal: AbortSignal) {
    const { document, passages, extracted } = candidate;
    const inputDigest = sha256(
      canonicalJson({
        pairsVersion,
        clean: document.cleanKey,
        copies: document.duplicatePassages,
        asked,
        teacher: asked === 0 ? null : teacher.identity,
      }),
    );
    const stored = await findDocumentPairs(scope, document.id, inputDigest);
    if (stored !== undefined) return storedPairsSchema.parse(stored[0]);
    const generated: FoundPairs =
      asked === 0 ? { pairs: [], dropped: [] } : await teacher.askAbout(passages.slice(0, asked), signal);
    const found: FoundPairs = { pairs: [], dropped: [...generated.dropped] };
    for (const pair of [...extracted, ...generated.pairs]) {
      const passage = passageOf(pair, passages);
      if (passage === null) continue;
      const verdict = checkPair(pair, passage);
      if (verdict.status === "kept") found.pairs.push(pair);
      else found.dropped.push({ pair, code: verdict.code, reason: verdict.reason });
    }
    await saveDocumentPairs(scope, document.id, inputDigest, [found]);
    return found;
  }

  return {
    async buildDataset(input: StageInput): Promise<StageCounts> {
      const scope = { db, workspaceId: input.workspaceId };
      const { settings } = input;
      const signal = cancellationSignal();
      const documents = chooseDocuments(await listKeptDocuments(scope), settings.sourceIds);
      const progress = createProgressReporter({ scope, runId: input.runId, stage: "dataset", unit: "documents" });
      const pulse = setInterval(() => void progress.report(done, documents.length).catch(() => undefined), 5000);
      let done = 0;
      const candidates: Candidate[] = [];
      const found: FoundPairs = { pairs: [], dropped: [] };
      try {
        for (const document of documents) {
          signal.throwIfAborted();
          candidates.push(await load(document));
        }
        // The teacher is for documents without pairs of their own.
        const asked = sharePassages(
          settings.generatedPassages,
          candidates.map(({ extracted, passages }) => (extracted.length > 0 ? 0 : passages.length)),
        );
        for (const [index, candidate] of candidates.entries()) {
          signal.throwIfAborted();
          const { pairs, dropped } = await findPairs(scope, candidate, asked[index]!, signal);
          found.pairs.push(...pairs);
          found.dropped.push(...dropped);
          done += 1;
          await progress.report(done, documents.length, `${found.pairs.length} pairs`);
        }
      } finally {
        clearInterval(pulse);
      }

      const readers = new Map(documents.map(({ id, acl }) => [id, aclFingerprint(acl)]));
      const unique = dedupeQuestions(found.pairs, (documentId) => readers.get(documentId));
      const repeated = new Map(unique.dropped.map((drop) => [drop.ref, drop]));
      const dropOf = new Map<string, { code: string; reason: string }>([
        ...found.dropped.map(({ pair, code, reason }) => [pair.id, { code, reason }] as const),
        ...[...repeated].map(([id, { code, reason }]) => [id, { code, reason }] as const),
      ]);
      const everyPair = [...found.pairs, ...found.dropped.map(({ pair }) => pair)];
      await replaceDrops(
        scope,
        input.runId,
        "dataset",
        everyPair.flatMap((pair) => pairDrop(pair, dropOf)),
      );
      if (unique.kept.length === 0) {
        throw new AnnealError(
          "DATASET_EMPTY",
          everyPair.length === 0
            ? "No question/answer pairs were found in the documents."
            : `None of the ${everyPair.length} question/answer pairs found in the documents passed the checks.`,
          {
            action:
              "Add documents in question/answer form, allow more generated passages, or set a stronger teacher with ANNEAL_TEACHER_URL.",
            details: { dropped: [...dropOf.values()].slice(0, 20) },
          },
        );
      }

      const split = planSplits(unique.kept, { evalShare: settings.evalShare, seed: settings.training.seed });
      const side = (pairs: Pair[], name: "train" | "eval"): DatasetExample[] => {
        const ids = new Set(pairs.map((pair) => pair.documentId));
        const passages = candidates.filter(({ document }) => ids.has(document.id)).flatMap((each) => each.passages);
        const options = {
          seed: settings.training.seed,
          // The prompt keeps 256 tokens free for an answer; a training answer with its quote takes about 96.
          contextTokens: settings.training.maxLength + 160,
          maxDistractors: 1,
        };
        const withPassages = (grounded: number) =>
          buildExamples(pairs, passages, { ...options, grounded }).filter(
            (example) => example.metadata.kind !== "closed-book",
          );
        const alone = buildExamples(pairs, passages, { ...options, grounded: 0, unanswerableShare: 0 });
        // A held-out fact cannot be known without its passage, so a loss on it says nothing: what is evaluated is
        // answering from passages.
        const evaluable = withPassages(1);
        if (name === "eval" && evaluable.length > 0) return evaluable.map((example) => ({ ...example, split: name }));
        // Every pair alone, so that its fact is learned; a share again with its passages, so that quoting is learned.
        const examples = [...alone, ...withPassages(settings.groundedShare)];
        return examples.map((example) => ({ ...example, split: name }));
      };
      const train = side(split.train, "train");
      const evaluation = side(split.eval, "eval");
      const digest = datasetDigest([...train, ...evaluation], sha256);
      const trainKey = `datasets/${digest}/train.jsonl`;
      const evalKey = `datasets/${digest}/eval.jsonl`;
      await objects.put(trainKey, Buffer.from(toMessagesJsonl(train)));
      await objects.put(evalKey, Buffer.from(toMessagesJsonl(evaluation)));

      const splitOf = new Map<string, "train" | "eval">([
        ...split.train.map((pair) => [pair.id, "train"] as const),
        ...split.eval.map((pair) => [pair.id, "eval"] as const),
      ]);
      const used = new Set(unique.kept.map((pair) => pair.documentId));
      const { version, created } = await saveDatasetVersion(
        scope,
        {
          id: randomUUID(),
          name: settings.datasetName,
          digest,
          trainKey,
          evalKey,
          trainCount: train.length,
          evalCount: evaluation.length,
          pairCount: unique.kept.length,
          droppedCount: dropOf.size,
          acl: datasetAcl(documents.filter((document) => used.has(document.id)).map((document) => document.acl)),
          settings: {
            evalShare: settings.evalShare,
            groundedShare: settings.groundedShare,
            seed: settings.training.seed,
            teacher: teacher.identity,
          },
          stats: {
            extracted: unique.kept.filter((pair) => pair.origin === "extracted").length,
            generated: unique.kept.filter((pair) => pair.origin === "generated").length,
            documents: used.size,
            splitBy: split.unit,
            note: split.note,
            kinds: Object.fromEntries(
              [...Map.groupBy([...train, ...evaluation], (example) => example.metadata.kind)].map(([kind, list]) => [
                kind,
                list.length,
              ]),
            ),
          },
          runId: input.runId,
        },
        everyPair.map((pair, ordinal) => ({
          ordinal,
          split: splitOf.get(pair.id) ?? "none",
          origin: pair.origin,
          question: pair.question,
          answer: pair.answer,
          quote: pair.source.quote,
          documentId: pair.documentId,
          charStart: pair.source.charStart,
          charEnd: pair.source.charEnd,
          drop: dropOf.get(pair.id) ?? null,
        })),
      );
      await addRunOutputs(scope, input.runId, { datasetVersionId: version.id });
      const examples = train.length + evaluation.length;
      // A pair gives an example without its passage, one with it, or both.
      const name = `${version.name} v${version.version} of ${examples} examples`;
      const note = created ? `${name}${split.note ? `. ${split.note}` : ""}` : `Nothing changed: this is ${name}.`;
      return { inCount: everyPair.length, outCount: unique.kept.length, note };
    },
  };
}

function pairDrop(
  pair: Pair,
  dropOf: Map<string, { code: string; reason: string }>,
): (Drop & { documentId: string })[] {
  const drop = dropOf.get(pair.id);
  return drop === undefined
    ? []
    : [{ ref: pair.question.slice(0, 200) || pair.id, documentId: pair.documentId, ...drop }];
}
