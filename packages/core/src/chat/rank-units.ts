import {
  addsNumber,
  addsPerson,
  isCommand,
  questionTerms,
  wantsCommand,
  wantsNumber,
  wantsPerson,
} from "./question-terms.ts";
import type { Unit } from "./units.ts";

export type RankedUnit = {
  unit: Unit;
  /** Comparable among the units of one question only. */
  score: number;
  /** Share of the question's content words, weighted by rarity, that stand in the unit or lead up to it; 0 to 1. */
  coverage: number;
  /** The same in the unit's own words alone. */
  ownCoverage: number;
  /** Cosine to the question; null where it was not embedded. */
  cosine: number | null;
  /** The unit brings the number, the person or the command that the question wants, or the question wants none. */
  fits: boolean;
};

export type RankOptions = {
  /** Units that the model itself copied word for word; counts without cosines only. */
  preferred?: ReadonlySet<Unit>;
  /** Cosine to the question by `quotableText`, where it is known. */
  similarity?: ReadonlyMap<string, number> | undefined;
};

/**
 * Weighs a sentence's cosine against its share of the question's words. On the 26 questions of `examples/questions.json`
 * that are answered, 2 puts the right sentence first each time; 3 takes the white ring for the yellow one in one of them.
 */
const similarityWeight = 2;

/** A unit as it is embedded for `similarity`: behind its headings, and behind the question that it answers. */
export function quotableText(unit: Unit): string {
  const said = unit.answers === null ? unit.display : `${unit.answers} ${unit.display}`;
  return unit.passage.context === "" ? said : `${unit.passage.context}: ${said}`;
}

/**
 * How much each sentence or row says about the question, best first: shared content words weighted by how rare they are
 * among the passages' units (as in BM25), those of headings and labels counting half, and its cosine. A question for a
 * number, a person or a command prefers a unit that brings one, and retrieval's order breaks ties.
 */
export function rankUnits(question: string, documents: readonly Unit[][], options: RankOptions = {}): RankedUnit[] {
  const { preferred = new Set<Unit>(), similarity = new Map<string, number>() } = options;
  const all = documents.flat().filter((unit) => unit.kind !== "label");
  // A weak model copies what is easy to copy: where cosines are known they know better.
  const copiedWeight = similarity.size > 0 ? 0 : 0.3;
  const wants = { number: wantsNumber(question), person: wantsPerson(question), command: wantsCommand(question) };
  const wantsAny = Object.values(wants).some(Boolean);
  // A command stands in prose too ("Type kinit to get a ticket."), where no rule tells it from other words.
  const misfitWeight = wants.number || wants.person ? 0.8 : 1;
  const ranked: RankedUnit[] = [];
  for (const [rank, units] of documents.entries()) {
    const language = units[0]?.passage.language ?? null;
    const weights = [...questionTerms(question, language)].map((term): [string, number] => [term, rarity(term, all)]);
    const total = weights.reduce((sum, [, weight]) => sum + weight, 0) || 1;
    for (const unit of units) {
      if (unit.kind === "label" || unit.facts.terms.size === 0) continue;
      let own = 0;
      let lead = 0;
      for (const [term, weight] of weights) {
        if (holdsTerm(unit.facts.terms, term)) own += weight / total;
        else if (holdsTerm(unit.lead, term)) lead += weight / total;
      }
      const cosine = similarity.get(quotableText(unit)) ?? null;
      if (own + lead === 0 && !preferred.has(unit) && (cosine ?? 0) < 0.3) continue;
      const fits =
        (!wants.number || addsNumber(unit.display, question, language)) &&
        (!wants.person || addsPerson(unit.display, question)) &&
        (!wants.command || isCommand(unit.display));
      const words = (own + lead / 2) * (wantsAny ? (fits ? 1.3 : misfitWeight) : 1);
      const score = words + (preferred.has(unit) ? copiedWeight : 0) + (cosine ?? 0) * similarityWeight - rank * 0.02;
      ranked.push({ unit, score, coverage: own + lead, ownCoverage: own, cosine, fits });
    }
  }
  return ranked.sort((left, right) => right.score - left.score);
}

/** Robertson's inverse document frequency over the units at hand; positive always. */
function rarity(term: string, units: readonly Unit[]): number {
  const holders = units.filter((unit) => holdsTerm(unit.facts.terms, term) || holdsTerm(unit.lead, term)).length;
  return Math.log(1 + (units.length - holders + 0.5) / (holders + 0.5));
}

/** Stems of one family count as one word here: "weigh" finds "Weight", which Snowball keeps apart. */
function holdsTerm(terms: ReadonlySet<string>, term: string): boolean {
  if (terms.has(term)) return true;
  if (term.length < 5 || /\p{N}/u.test(term)) return false;
  for (const other of terms) {
    const [short, long] = other.length < term.length ? [other, term] : [term, other];
    if (short.length >= 5 && long.length - short.length <= 3 && long.startsWith(short)) return true;
  }
  return false;
}
