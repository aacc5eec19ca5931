import { factsOf } from "./facts.ts";
import type { Passage } from "./passage.ts";

export type RelevanceOptions = {
  /** From this cosine on a passage is about the question, whatever its words. */
  sureCosine: number;
  /** From this cosine on it is, if it also has `minOverlap` of the question's content words. */
  minCosine: number;
  minOverlap: number;
  /** From this overlap on it is, whatever the cosine: embeddings are blind to part numbers and names. */
  sureOverlap: number;
};

/**
 * Measured with all-MiniLM-L6-v2 on 12 passages: 28 questions that they answer had their best cosine between 0.18 and
 * 0.71 (24 of them >= 0.28), 12 questions about something else at most 0.20, all of these without a shared word. A
 * larger corpus raises the second group, hence the margin. Another embedding model has other cosines: a setting of the
 * collection.
 */
export const defaultRelevanceOptions: RelevanceOptions = {
  sureCosine: 0.35,
  minCosine: 0.2,
  minOverlap: 0.3,
  sureOverlap: 0.75,
};

/**
 * The passages worth answering from, in the order given; none means that nothing relevant was found. A passage about
 * the right thing that does not answer the question passes here: grounding decides on that.
 */
export function selectRelevant(
  question: string,
  passages: readonly Passage[],
  options: RelevanceOptions = defaultRelevanceOptions,
): Passage[] {
  return passages.filter((passage) => {
    const cosine = passage.cosine ?? 0;
    if (cosine >= options.sureCosine) return true;
    const overlap = questionOverlap(question, passage);
    return overlap >= options.sureOverlap || (cosine >= options.minCosine && overlap >= options.minOverlap);
  });
}

/** Share of the question's content words found in the passage, its title, headings or table header; 0 without any. */
export function questionOverlap(question: string, passage: Passage): number {
  const { terms } = factsOf(question, passage.language);
  if (terms.size === 0) return 0;
  const held = factsOf([passage.context, passage.tableHeader ?? "", passage.text].join("\n"), passage.language).terms;
  return [...terms].filter((term) => held.has(term)).length / terms.size;
}
