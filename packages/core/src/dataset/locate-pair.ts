import { type Passage } from "../chat/passage.ts";
import { verifyQuote } from "../chat/parse-answer.ts";
import { claimsOf, findSupport, readPassages } from "../chat/support.ts";
import type { Unit } from "../chat/units.ts";
import { placeAt } from "../indexing/chunk-document.ts";
import { stableUuid } from "../indexing/point-id.ts";
import type { PairCandidate } from "./generate-pairs.ts";
import type { Pair } from "./pair.ts";

/**
 * Finds the span that proves a generated answer: every sentence of it must be supported by the passage, and the span
 * runs from the first to the last supporting sentence; the teacher's own quote is used when it really stands there and
 * carries the answer. Null when the answer is not supported: drop the candidate as UNSUPPORTED.
 */
export function locatePair(candidate: PairCandidate, passage: Passage): Pair | null {
  const documents = readPassages([passage]);
  const claims = claimsOf(candidate.answer).filter((claim) => /[\p{L}\p{N}]/u.test(claim.text));
  const quoted = candidate.quote === null ? [] : verifyQuote(candidate.quote, documents);
  const units = supportingUnits(claims, quoted.length > 0 ? [quoted] : []) ?? supportingUnits(claims, documents);
  if (!units || units.length === 0) return null;
  const start = Math.min(...units.map((unit) => unit.start));
  const end = Math.max(...units.map((unit) => unit.end));
  const charStart = passage.charStart + start;
  const { page, section } = placeAt(passage.places, charStart);
  return {
    id: stableUuid([passage.documentId, candidate.question, candidate.answer, charStart]),
    documentId: passage.documentId,
    question: candidate.question.replace(/\s+/g, " ").trim(),
    answer: candidate.answer.trim(),
    origin: "generated",
    language: passage.language,
    source: {
      charStart,
      charEnd: passage.charStart + end,
      quote: passage.text.slice(start, end),
      section,
      page,
      container: null,
    },
  };
}

function supportingUnits(claims: readonly { text: string }[], documents: readonly Unit[][]): Unit[] | null {
  if (claims.length === 0 || documents.length === 0) return null;
  const found: Unit[] = [];
  for (const claim of claims) {
    const supports = findSupport(claim.text, documents);
    if (!supports) return null;
    found.push(...supports.flatMap((support) => support.units));
  }
  return found;
}

/** Sentences and rows worth a question of their own: whole statements that name what they speak of. */
export function answerableSentences(passage: Passage): { text: string; display: string }[] {
  return (readPassages([passage])[0] ?? [])
    .filter(
      (unit) =>
        unit.kind !== "label" &&
        unit.facts.terms.size >= 3 &&
        unit.facts.terms.size <= 30 &&
        !opensInMidair.test(unit.display),
    )
    .map((unit) => ({ text: passage.text.slice(unit.start, unit.end), display: unit.display }));
}

const opensInMidair =
  /^(?:it|they|this|that|these|those|he|she|but|and|however|therefore|also|er|sie|es|dies\p{L}*|jedoch|daher|aber|il|elle|ils|cela|mais|esto|pero)\b/iu;
