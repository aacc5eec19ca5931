import { defaultDedupePolicy } from "./policy.ts";

/** What deduplication found of a copy. */
type FoundDuplicate = {
  /** "EXACT_DUPLICATE" or "NEAR_DUPLICATE". */
  code: string;
  /** Exact Jaccard similarity to the document that stays. */
  similarity: number;
  /** As in `Duplicate`; earlier releases stored none. */
  hiddenIn?: readonly string[];
};

/**
 * Why a document is a copy, for whoever may read it. The other one is not named: who may read that is another question at
 * each moment that this is told.
 */
export function explainDuplicate(
  { code, similarity, hiddenIn }: FoundDuplicate,
  threshold = defaultDedupePolicy.threshold,
): string {
  // Rounded down, so that 0.9996 does not read as identical.
  const rounded = (Math.floor(similarity * 100) / 100).toFixed(2);
  const text =
    code === "EXACT_DUPLICATE"
      ? "The text is the same as that of a document that was seen earlier."
      : `The text has a similarity of ${rounded} (limit ${threshold.toFixed(2)}) to that of a document that was seen earlier.`;
  return hiddenIn?.length === 0 ? `${text} The two have other readers, so a search finds this one too.` : text;
}
