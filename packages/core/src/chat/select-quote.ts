import { factsOf } from "./facts.ts";
import { addsNumber, isCommand, wantsCommand, wantsNumber } from "./question-terms.ts";
import { type RankedUnit, type RankOptions, rankUnits } from "./rank-units.ts";
import type { Unit } from "./units.ts";

/** Rows of one table that score within this of the best cannot be told apart by their words ("up to 750 euros", ...). */
const tiedScore = 0.15;
const maxTiedRows = 4;
/** How far behind the best sentence the number or the command that it announces may stand. */
const maxSentencesAhead = 3;

export type Quote = {
  /** The best unit, with the sentence or the rows that belong to it; neighbours in one passage, in order. */
  units: Unit[];
  /** Of the unit that says most about the question, as in `RankedUnit`. */
  coverage: number;
};

/**
 * What to quote: the unit that says most about the question, with the sentence before it where it starts by pointing
 * back, and those after it up to the number or command that is asked for ("… login attempts. Defaults to 10."), or with
 * the neighbouring rows where their cosines and words say as much: a choice among those would be a guess.
 * @param options as of `rankUnits`.
 */
export function selectQuote(question: string, documents: readonly Unit[][], options: RankOptions = {}): Quote | null {
  const ranked = rankUnits(question, documents, options).filter(({ unit }) => addsTo(question, unit));
  const [first] = ranked;
  if (!first) return null;
  const { coverage } = first;
  const best = namedCommand(question, ranked) ?? first;
  const { unit } = best;
  if (unit.kind === "row") return { units: options.similarity ? selectTied(ranked, documents) : [unit], coverage };
  const siblings = documents.find((each) => each.includes(unit)) ?? [];
  const at = siblings.indexOf(unit);
  const before = siblings[at - 1];
  const start = before?.kind === "sentence" && pointsBack.test(unit.display) ? at - 1 : at;
  return { units: siblings.slice(start, best.fits ? at + 1 : endOfAnswer(question, siblings, at)), coverage };
}

/** The command of the best unit's passage that holds each number of the question: one for another port is no answer. */
function namedCommand(question: string, ranked: readonly RankedUnit[]): RankedUnit | undefined {
  if (!wantsCommand(question)) return undefined;
  const numbers = [...factsOf(question, null).terms].filter((term) => /^\p{N}/u.test(term));
  if (numbers.length === 0) return undefined;
  const passage = ranked[0]?.unit.passage;
  return ranked.find(
    ({ unit, fits }) => fits && unit.passage === passage && numbers.every((term) => unit.facts.terms.has(term)),
  );
}

/** Where what the question wants ends, when it stands close behind the unit at `at` and belongs to it; else its own end. */
function endOfAnswer(question: string, siblings: readonly Unit[], at: number): number {
  const [number, command] = [wantsNumber(question), wantsCommand(question)];
  for (const [between, unit] of siblings.slice(at + 1, at + 1 + maxSentencesAhead).entries()) {
    const { kind, display, passage } = unit;
    const end = at + between + 2;
    if (kind === "row") break;
    if (number && addsNumber(display, question, passage.language) && completes(question, unit)) return end;
    if (command && isCommand(display)) return end;
    // Behind a heading something else begins, and behind a line that announces something else.
    if (kind === "label" && !(/[:：]$/u.test(display) && leadsOn(question, unit))) break;
    if (command && !leadsOn(question, unit)) break;
  }
  return at + 1;
}

/** Words of a sentence that only completes the one before it: "Defaults to 10.", "Run the following command:". */
const completing =
  "default defaults value values standard standardwert vorgabe défaut predeterminado run type use execute enter following follows like this command commands so do first then ausführen folgenden befehl";

/** Whether a sentence with a number tells it of what the question, or the sentence before it, names. */
const completes = (question: string, unit: Unit): boolean =>
  pointsBack.test(unit.display) || ownTerms(question, unit).size === 0;

/** A sentence between the best one and its command says nothing of its own, or speaks of what is asked. */
function leadsOn(question: string, unit: Unit): boolean {
  const asked = factsOf(question, unit.passage.language).terms;
  return ownTerms(question, unit).size === 0 || [...unit.facts.terms].some((term) => asked.has(term));
}

/** The content words that neither the question has, nor every completing sentence, nor are numbers. */
function ownTerms(question: string, { facts, passage }: Unit): Set<string> {
  const asked = factsOf(question, passage.language).terms;
  const idle = factsOf(completing, passage.language).terms;
  return new Set([...facts.terms].filter((term) => !asked.has(term) && !idle.has(term) && !/^\p{N}/u.test(term)));
}

/** A fragment that only repeats words of the question, a menu entry for example, answers nothing; a sentence may confirm. */
function addsTo(question: string, { facts, passage, display }: Unit): boolean {
  if (/[.!。！]["”»)]*$/u.test(display)) return true;
  const asked = factsOf(question, passage.language).terms;
  return [...facts.terms].some((term) => !asked.has(term));
}

/** A sentence that starts by pointing back is quoted with the one before it. */
const pointsBack =
  /^(?:it|they|this|these|that|those|he|she|er|sie|es|dies\p{L}*|il|elle|ils|elles|cela|ceci|esto|este|esta)\b/iu;

/** The best unit alone or, for a row, the run of neighbouring rows that say as much about the question, in order. */
export function selectTied(ranked: readonly RankedUnit[], documents: readonly Unit[][]): Unit[] {
  const [best] = ranked;
  if (!best) return [];
  const units = documents.find((each) => each.includes(best.unit)) ?? [];
  const ties = ({ unit, score, ownCoverage }: RankedUnit): boolean =>
    unit.kind === "row" && best.score - score <= tiedScore && Math.abs(ownCoverage - best.ownCoverage) < 1e-9;
  const tied = new Set(best.unit.kind === "row" ? ranked.filter(ties).map(({ unit }) => unit) : []);
  const at = units.indexOf(best.unit);
  let [start, end] = [at, at + 1];
  while (start > 0 && tied.has(units[start - 1]!)) start -= 1;
  while (end < units.length && tied.has(units[end]!)) end += 1;
  return end - start <= maxTiedRows ? units.slice(start, end) : [best.unit];
}
