import { AnnealError } from "../errors.ts";
import type { Pair } from "./pair.ts";
import { seededRandom } from "./seeded.ts";

export type SplitOptions = {
  /** Share of the pairs to hold out, 0 to 0.5. */
  evalShare: number;
  seed: number;
  /** Near-duplicate documents by cluster id: a cluster never stands on both sides. */
  clusterOf?: (documentId: string) => string | undefined;
};

export type SplitPlan<P> = {
  train: P[];
  eval: P[];
  unit: "document" | "section" | "none";
  /** What the person should know about the evaluation; "" when it is as good as it can be. */
  note: string;
};

/**
 * Splits by document, so that nothing of an evaluation document is trained on. A single document is split by section
 * where it has two, and otherwise trained on whole, both said in `note`. Which side a document falls on depends on the
 * seed and its id, so a growing corpus keeps most of its split.
 * @throws AnnealError DATASET_EMPTY when there are no pairs.
 */
export function planSplits<P extends Pick<Pair, "documentId" | "source">>(
  pairs: readonly P[],
  options: SplitOptions,
): SplitPlan<P> {
  if (pairs.length === 0) {
    throw new AnnealError("DATASET_EMPTY", "No question/answer pair is left to train on.", {
      action: "Add documents with more text, set a stronger teacher, or look at the dropped pairs and their reasons.",
    });
  }
  if (options.evalShare <= 0)
    return { train: [...pairs], eval: [], unit: "none", note: "No evaluation was asked for." };
  const byDocument = groupBy(pairs, (pair) => options.clusterOf?.(pair.documentId) ?? pair.documentId);
  if (byDocument.size > 1) return { ...divide(byDocument, options), unit: "document", note: "" };

  const bySection = groupBy(pairs, (pair) =>
    JSON.stringify([pair.documentId, pair.source.container, pair.source.section]),
  );
  if (bySection.size > 1) {
    return {
      ...divide(bySection, options),
      unit: "section",
      note: "All pairs come from one document (or its near-duplicates): training and evaluation use different sections of it, so the evaluation says little about new documents.",
    };
  }
  return {
    train: [...pairs],
    eval: [],
    unit: "none",
    note: "All pairs come from one section of one document: all are trained on, and there is no evaluation.",
  };
}

function groupBy<P>(pairs: readonly P[], keyOf: (pair: P) => string): Map<string, P[]> {
  const groups = new Map<string, P[]>();
  for (const pair of pairs) {
    const key = keyOf(pair);
    const group = groups.get(key);
    if (group) group.push(pair);
    else groups.set(key, [pair]);
  }
  return groups;
}

/** Takes groups in seeded order while they fit into the share; at least one, and never all. */
function divide<P>(groups: ReadonlyMap<string, P[]>, { evalShare, seed }: SplitOptions): { train: P[]; eval: P[] } {
  const total = [...groups.values()].reduce((sum, group) => sum + group.length, 0);
  const target = Math.max(1, Math.round(total * Math.min(evalShare, 0.5)));
  const drawn = [...groups.keys()]
    .map((key) => ({ key, draw: seededRandom(seed, key)(), size: groups.get(key)?.length ?? 0 }))
    .sort((left, right) => left.draw - right.draw || (left.key < right.key ? -1 : 1));
  const held = new Set<string>();
  let size = 0;
  for (const group of drawn) {
    if (size + group.size > target || held.size === groups.size - 1) continue;
    held.add(group.key);
    size += group.size;
  }
  if (held.size === 0) {
    const smallest = drawn.reduce((left, right) => (right.size < left.size ? right : left));
    held.add(smallest.key);
  }
  const sideOf = (wanted: boolean) =>
    [...groups].filter(([key]) => held.has(key) === wanted).flatMap(([, group]) => group);
  return { train: sideOf(false), eval: sideOf(true) };
}
