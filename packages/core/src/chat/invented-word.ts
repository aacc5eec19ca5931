import { foldWord, termsOfWord, wordsOf } from "../indexing/terms.ts";
import type { Unit } from "./units.ts";

const minHeadLetters = 5;
const minTailLetters = 4;

/** German and Dutch write two nouns as one word; what is run together there is a word. */
const compounding = /^(?:de|nl|sv|da|nb|no|fi)/u;

/**
 * The first word of a claim that two words of the passages run into, such as "attachedabases" out of "attached databases":
 * a small model's slip of the token, which no passage and no question has and which is no word. It never passes as one of
 * the few words that a claim may have of its own.
 */
export function inventedWord(claim: string, question: string, documents: readonly Unit[][]): string | null {
  const language = documents[0]?.[0]?.passage.language ?? null;
  if (compounding.test(language ?? "")) return null;
  const long = wordsOf(claim)
    .map((word) => foldWord(word.text))
    .filter((word) => word.length >= minHeadLetters + minTailLetters && /^\p{L}+$/u.test(word));
  if (long.length === 0) return null;
  const texts = documents.flat().flatMap(({ passage }) => [passage.context, passage.tableHeader ?? "", passage.text]);
  const known = new Set(
    [question, ...new Set(texts)].flatMap((text) => wordsOf(text).map((word) => foldWord(word.text))),
  );
  const stems = new Set([...known].flatMap((word) => termsOfWord(word, language)));
  const isKnown = (word: string) => known.has(word) || termsOfWord(word, language).some((stem) => stems.has(stem));
  return long.find((word) => !isKnown(word) && isRunTogether(word, known)) ?? null;
}

/** "manage" and the end of "document" make no slip but a word. */
const ending =
  /^\p{L}?(?:ments?|ness(?:es)?|[a-z]?tions?|[ai]bl[ey]|abilit(?:y|ies)|less(?:ly)?|fully?|ships?|wards?|wise|ally|ities|[ae]nc(?:es?|y|ies)|ively?|ators?|ically|i[sz](?:ing|ed|er|es)|ingly|edly|like|hood|ists?)$/u;

/** A whole known word, and behind or overlapping it the end of another that is no ending of the first. */
function isRunTogether(word: string, known: ReadonlySet<string>): boolean {
  const heads = [...known].filter((head) => head.length >= minHeadLetters && word.startsWith(head));
  return heads.some((head) => {
    const rest = word.slice(head.length);
    if (rest.length < minTailLetters || ending.test(rest)) return false;
    return [...known].some((other) => other !== head && other.endsWith(rest));
  });
}
