import { factsOf } from "./facts.ts";
import type { Unit } from "./units.ts";

export type Quote = {
  /** One or two neighbouring units of one passage. */
  units: Unit[];
  /** Share of the question's content words, weighted by rarity, that stand in the quote or lead up to it. */
  coverage: number;
};

/**
 * Weighs a sentence's cosine against its share of the question's words. On the 28 questions of `relevance.ts`: words
 * alone pick the right sentence 17 times, with cosines 22 times; without the headings before the sentence 19 times.
 */
const similarityWeight = 3;

/** A unit as it is embedded for `similarity`. */
export function quotableText(unit: Unit): string {
  return unit.passage.context === "" ? unit.display : `${unit.passage.context}: ${unit.display}`;
}

/** Questions that only a number, a date or a time answers, in the languages that we stem. */
const asksForNumber =
  /\b(?:how (?:many|much|long|often|old|far|tall|heavy|large|big|fast)|when|what (?:time|date|year|number)|wie ?viele?|wie (?:lange|oft|alt|hoch|schwer|groß)|wann|combien|quand|cu[aá]nt[oa]s?|cu[aá]ndo|quant[aeio]|quando|hoeveel|wanneer|hoe (?:lang|vaak))\b/iu;

/**
 * The sentence or row that says most about the question: shared content words weighted by how rare they are among the
 * passages' units (as in BM25), those of headings and labels counting half; a question for a number prefers a unit with
 * one, and retrieval's order breaks ties.
 * @param options.preferred units that the model itself copied word for word.
 * @param options.similarity cosine to the question by `quotableText`, where it is known.
 */
export function selectQuote(
  question: string,
  documents: readonly Unit[][],
  options: {
    preferred?: ReadonlySet<Unit>;
    similarity?: ReadonlyMap<string, number> | undefined;
  } = {},
): Quote | null {
  const { preferred = new Set<Unit>(), similarity = new Map<string, number>() } = options;
  const all = documents.flat().filter((unit) => unit.kind !== "label");
  let best: { unit: Unit; score: number; coverage: number } | null = null;
  for (const [rank, units] of documents.entries()) {
    const terms = [...factsOf(question, units[0]?.passage.language ?? null).terms];
    const weight = (term: string) => rarity(term, all);
    const total = terms.reduce((sum, term) => sum + weight(term), 0);
    for (const unit of units) {
      if (unit.kind === "label" || unit.facts.terms.size === 0) continue;
      let score = 0;
      let covered = 0;
      for (const term of terms) {
        const own = unit.facts.terms.has(term);
        if (own || unit.lead.has(term)) covered += weight(term);
        score += own ? weight(term) : unit.lead.has(term) ? weight(term) / 2 : 0;
      }
      const alike = similarity.get(quotableText(unit)) ?? 0;
      if (score === 0 && !preferred.has(unit) && alike < 0.3) continue;
      const coverage = total === 0 ? 0 : covered / total;
      if (asksForNumber.test(question)) score *= unit.facts.numbers.length > 0 || hasDigitTerm(unit) ? 1.3 : 0.8;
      score =
        (total === 0 ? 0 : score / total) + (preferred.has(unit) ? 0.3 : 0) + alike * similarityWeight - rank * 0.02;
      if (!best || score > best.score + 1e-9) best = { unit, score, coverage };
    }
  }
  return best ? { units: withNeighbour(best.unit, documents), coverage: best.coverage } : null;
}

const hasDigitTerm = (unit: Unit): boolean => [...unit.facts.terms].some((term) => /^\p{N}/u.test(term));

/** Robertson's inverse document frequency over the units at hand; positive always. */
function rarity(term: string, units: readonly Unit[]): number {
  const holders = units.filter((unit) => unit.facts.terms.has(term) || unit.lead.has(term)).length;
  return Math.log(1 + (units.length - holders + 0.5) / (holders + 0.5));
}

/** A sentence that starts by pointing back is quoted with the one before it. */
const pointsBack =
  /^(?:it|they|this|these|that|those|he|she|er|sie|es|dies\p{L}*|il|elle|ils|elles|cela|ceci|esto|este|esta)\b/iu;

function withNeighbour(unit: Unit, documents: readonly Unit[][]): Unit[] {
  const units = documents.find((each) => each.includes(unit)) ?? [];
  const before = units[units.indexOf(unit) - 1];
  return unit.kind === "sentence" && before?.kind === "sentence" && pointsBack.test(unit.display)
    ? [before, unit]
    : [unit];
}
