import { foldWord, wordsOf } from "../indexing/terms.ts";
import type { Drop } from "../loop/contract.ts";
import { factsOf } from "../chat/facts.ts";
import type { Pair } from "./pair.ts";

export type DedupedPairs = { kept: Pair[]; dropped: Drop[] };

/**
 * Keeps the earliest of questions that say the same: equal words, or sets of words with Jaccard >= `minJaccard` that
 * agree in numbers, names and polarity. Candidates come from a prefix filter (Chaudhuri, Ganti and Kaushik 2006): two
 * sets that similar share one of their rarest words, so not every pair of questions is compared.
 * @param readersOf the `aclFingerprint` of a document: a reason quotes another document's question only to its readers
 */
export function dedupeQuestions(
  pairs: readonly Pair[],
  readersOf: (documentId: string) => string | undefined,
  minJaccard = 0.85,
): DedupedPairs {
  const frequency = new Map<string, number>();
  const questions = pairs.map((pair) => {
    const words = [...new Set(wordsOf(pair.question).map((word) => foldWord(word.text)))];
    for (const word of words) frequency.set(word, (frequency.get(word) ?? 0) + 1);
    return { pair, words, hard: hardFacts(pair) };
  });
  const rank = (word: string) => frequency.get(word) ?? 0;
  const index = new Map<string, number[]>();
  const kept: number[] = [];
  const dropped: Drop[] = [];
  for (const [at, { pair, words, hard }] of questions.entries()) {
    const rarest = words.toSorted((left, right) => rank(left) - rank(right) || (left < right ? -1 : 1));
    const prefix = rarest.slice(0, words.length - Math.ceil(minJaccard * words.length) + 1);
    const candidates = new Set(prefix.flatMap((word) => index.get(word) ?? []));
    const twin = [...candidates].find(
      (other) => questions[other]?.hard === hard && jaccard(words, questions[other]?.words ?? []) >= minJaccard,
    );
    if (twin !== undefined) {
      const first = questions[twin]!.pair;
      const sameReaders = readersOf(first.documentId) === readersOf(pair.documentId);
      const earlier = sameReaders ? `as "${first.question}"` : "by a document with other readers";
      dropped.push({
        ref: pair.id,
        code: "DUPLICATE_QUESTION",
        reason: `"${pair.question}" is asked already ${earlier}.`,
      });
      continue;
    }
    for (const word of prefix) {
      const holders = index.get(word);
      if (holders) holders.push(at);
      else index.set(word, [at]);
    }
    kept.push(at);
  }
  return { kept: kept.flatMap((at) => questions[at]?.pair ?? []), dropped };
}

/** What two wordings of one question must have in common exactly. */
function hardFacts({ question, language }: Pair): string {
  const facts = factsOf(question, language);
  return JSON.stringify([
    facts.numbers.map(([reading]) => reading).sort(),
    [...facts.names].sort(),
    facts.negated,
    [...facts.sides].sort(),
  ]);
}

function jaccard(left: readonly string[], right: readonly string[]): number {
  const other = new Set(right);
  const shared = left.filter((word) => other.has(word)).length;
  return shared / (left.length + right.length - shared || 1);
}
