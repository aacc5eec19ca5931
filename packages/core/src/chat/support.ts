import { sentenceSpans } from "../indexing/sentences.ts";
import { type Facts, factsOf } from "./facts.ts";
import type { Passage } from "./passage.ts";
import { type Unit, unitsOf } from "./units.ts";

export type SupportOptions = {
  /**
   * Share of a claim's content words that must stand in the passage: K-Precision, the lexical measure that agrees best
   * with people's judgement of faithfulness (Adlakha et al. 2023, arXiv:2307.16877). 0.85 lets one word in seven be the
   * model's own. At 0.8, SmolLM2-135M's "Reset your laptop at the self-service page" passed for a sentence on passwords.
   */
  minRecall: number;
  /** The same where the model copied the proving sentence word for word: then it may paraphrase it freely. */
  minRecallWithQuote: number;
  /**
   * The question: an answer that takes up its words ("how much leave is there" - "there are 28 days of leave") adds
   * nothing by them, so those that the passages do not use are not counted. Names and numbers always are.
   */
  question?: string;
  /**
   * Every word that the passages at hand use; by default those of the searched ones. A word of the question that stands
   * in another passage is no synonym of the asker's: "columns", beside a passage on columns, is not what one on tables
   * says.
   */
  vocabulary?: ReadonlySet<string>;
};
export const defaultSupportOptions: SupportOptions = { minRecall: 0.85, minRecallWithQuote: 0.5 };

/** Where a claim is supported: a stretch of consecutive units of one passage. */
export type Support = { units: Unit[]; recall: number };

/** Passages read once, for many claims. */
export function readPassages(passages: readonly Passage[]): Unit[][] {
  return passages.map(unitsOf);
}

/**
 * Finds the smallest stretch that supports a claim: up to three sentences or one table row that has its names, its
 * numbers, enough of its words, and the same polarity; else the claim is cut at its conjunctions and every part must be
 * supported. This is lexical: it sees an invented fact, number or denial, not two roles swapped within one sentence.
 */
export function findSupport(
  claim: string,
  documents: readonly Unit[][],
  options: SupportOptions = defaultSupportOptions,
): Support[] | null {
  const vocabulary = options.vocabulary ?? vocabularyOf(documents);
  const whole = { ...options, vocabulary };
  const found = supportWhole(claim, documents, whole);
  if (found) return [found];
  const parts = claim
    .split(/;|,(?!\p{N})|\s(?:and|und|et|y|e|en|as well as|sowie)\s/u)
    .filter((part) => /\p{L}|\p{N}/u.test(part));
  if (parts.length < 2) return null;
  const supports: Support[] = [];
  for (const part of parts) {
    const facts = factsOf(part, documents[0]?.[0]?.passage.language ?? null);
    // A number cut off from what it counts would find itself anywhere.
    if (facts.terms.size < (facts.numbers.length > 0 ? 2 : 1)) return null;
    const support = supportWhole(part, documents, whole);
    if (!support) return null;
    supports.push(support);
  }
  return supports;
}

/** Support within given units only: those that a verified quote covers. */
export function findSupportInQuote(
  claim: string,
  quoted: readonly Unit[],
  options: SupportOptions = defaultSupportOptions,
): Support[] | null {
  const documents = [[...quoted]];
  const vocabulary = options.vocabulary ?? vocabularyOf(documents);
  const found = supportWhole(claim, documents, { ...options, vocabulary, minRecall: options.minRecallWithQuote });
  return found ? [found] : null;
}

/** The words that the passages use, their headings included. */
export function vocabularyOf(documents: readonly Unit[][]): ReadonlySet<string> {
  return new Set(documents.flat().flatMap((unit) => [...unit.facts.terms, ...unit.lead]));
}

function supportWhole(
  claim: string,
  documents: readonly Unit[][],
  options: SupportOptions & { vocabulary: ReadonlySet<string> },
): Support | null {
  const { minRecall, question = "", vocabulary } = options;
  let best: Support | null = null;
  for (const units of documents) {
    const facts = factsOf(claim, units[0]?.passage.language ?? null);
    if (facts.terms.size === 0) continue;
    const terms = factsOf(question, units[0]?.passage.language ?? null).terms;
    const asked = { terms, own: new Set([...terms].filter((term) => !vocabulary.has(term))) };
    for (const window of windowsOf(units)) {
      const recall = recallOf(facts, asked, window);
      const better =
        best === null ||
        recall > best.recall + 1e-9 ||
        (recall > best.recall - 1e-9 && window.length < best.units.length);
      if (recall >= minRecall && better && agrees(facts, window)) best = { units: window, recall };
    }
  }
  return best;
}

function* windowsOf(units: readonly Unit[]): Generator<Unit[]> {
  for (const [index, unit] of units.entries()) {
    if (unit.kind === "label") continue;
    yield [unit];
    if (unit.kind === "row") continue;
    for (const size of [2, 3]) {
      const window = units.slice(index, index + size);
      if (window.length === size && window.every((each) => each.kind === "sentence")) yield window;
    }
  }
}

/** @param asked the question's words, and of them those that only the asker uses */
function recallOf(
  claim: Facts,
  asked: { terms: ReadonlySet<string>; own: ReadonlySet<string> },
  window: readonly Unit[],
): number {
  const held = [...claim.terms].filter((term) =>
    window.some((unit) => unit.facts.terms.has(term) || unit.lead.has(term)),
  );
  const echoed = [...claim.terms].filter((term) => asked.own.has(term)).length;
  // Only beside something new that the passage has, and for less than half of the claim.
  const forgiven = held.some((term) => !asked.terms.has(term)) && echoed * 2 < claim.terms.size ? echoed : 0;
  return held.length / (claim.terms.size - forgiven);
}

/** Something of the claim must stand in the quoted words themselves, and nothing of it may be contradicted there. */
function agrees(claim: Facts, window: readonly Unit[]): boolean {
  const holds = (term: string) => window.some((unit) => unit.facts.terms.has(term) || unit.lead.has(term));
  if (![...claim.terms].some((term) => window.some((unit) => unit.facts.terms.has(term)))) return false;
  if (![...claim.names].every(holds)) return false;
  if (!claim.numbers.every((readings) => readings.some((reading) => window.some((unit) => hasNumber(unit, reading)))))
    return false;
  const closest = closestClause(claim, window);
  if (closest.negated !== claim.negated) return false;
  const sides = new Set(window.flatMap((unit) => [...unit.facts.sides]));
  return [...claim.sides].every((side) => sides.has(side) || !sides.has(opposite(side)));
}

const opposite = (side: string): string => (side.startsWith("+") ? `-${side.slice(1)}` : `+${side.slice(1)}`);

function hasNumber(unit: Unit, reading: string): boolean {
  return (
    unit.facts.terms.has(reading) ||
    unit.lead.has(reading) ||
    unit.facts.numbers.some((readings) => readings.includes(reading))
  );
}

/** The clause that shares most with the claim; of equals the one whose polarity is the claim's. */
function closestClause(claim: Facts, window: readonly Unit[]): Facts {
  let closest = { facts: claim, shared: -1 };
  for (const facts of window.flatMap((unit) => unit.clauses)) {
    const shared = [...claim.terms].filter((term) => facts.terms.has(term)).length;
    const wins = shared > closest.shared || (shared === closest.shared && facts.negated === claim.negated);
    if (wins) closest = { facts, shared };
  }
  return closest.facts;
}

/**
 * The sentences of an answer with the white space that stood between them. A model ends lines on purpose, so a line break
 * ends a sentence here and stays; any other space becomes one.
 */
export function claimsOf(answer: string): { text: string; gap: string }[] {
  const claims: { text: string; gap: string }[] = [];
  let breaks = "";
  for (const line of answer.split("\n")) {
    for (const [index, { start, end }] of sentenceSpans(line).entries()) {
      claims.push({ text: line.slice(start, end), gap: index === 0 ? breaks : " " });
      breaks = "";
    }
    breaks += "\n";
  }
  return claims;
}
