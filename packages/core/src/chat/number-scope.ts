import { termsOfWord, wordsOf } from "../indexing/terms.ts";
import { factsOf } from "./facts.ts";
import { questionTerms } from "./question-terms.ts";
import type { Unit } from "./units.ts";

/** Words for one period of time, in the languages that we stem: "28 euros per day" is a daily allowance of 28 euros. */
const periods: readonly ReadonlySet<string>[] = [
  "hour hours hourly stunde stunden stündlich heure heures hora horas ora ore uur",
  "day days daily night nights nightly tag tage tagen täglich nacht nächte nuit nuits jour jours día días giorno giorni dag dagen dia dias",
  "week weeks weekly woche wochen wöchentlich semaine semaines semana semanas settimana settimane weken",
  "month months monthly monat monate monaten monatlich mois mes meses mese mesi maand maanden mês",
  "quarter quarters quarterly quartal quartale trimestre",
  "year years yearly annual annually annum jahr jahre jahren jährlich an ans année années annuel año años anual anno anni annuo jaar ano anos",
].map((words) => new Set(words.split(" ")));

/** "2 days per year", "every week", "pro Tag": the period a number is counted by, which is as much a fact as the number. */
const ratePattern =
  /(?:\b(?:per|each|every|pro|je|jede[nmrs]?|par|chaque|por|cada|ogni)|\/)\s*(?:\p{L}+\s)?(\p{L}+)|\b(hourly|nightly|daily|weekly|monthly|quarterly|yearly|annually|stündlich|täglich|wöchentlich|monatlich|jährlich)\b/giu;

/** What restricts a number to one occasion: "2 paid days for moving house", "5 euros if you are late". */
const occasionPattern =
  /\b(?:for|if|when|in case of|bei|für|wenn|falls|pour|si|para|in caso di|als|voor)\s+([^,;:.!?|]+)/giu;

/**
 * Why a claim with a number may not take it from the units that support it, or null when it may. Its words stand there
 * all the same ("2 paid days"), so only what the number counts, and for what, tells that it answers another question:
 *
 * - "rate": the claim counts per year, and the units say nothing of a year;
 * - "occasion": the units give the number for an occasion that neither claim nor question names, and do not themselves
 *   hold every word of the question;
 * - "better": another unit holds all that these hold of the question and more, and counts the same thing with another
 *   number.
 */
export function numberMisfit(
  claim: string,
  question: string,
  units: readonly Unit[],
  documents: readonly Unit[][],
): "rate" | "occasion" | "better" | null {
  const language = units[0]?.passage.language ?? null;
  const claimed = factsOf(claim, language);
  const numbers = new Set([...claimed.terms].filter((term) => /^\p{N}/u.test(term)));
  if (numbers.size === 0) return null;
  const told = wordsSaid(units);
  if (ratesOf(claim).some((period) => ![...period].some((word) => told.has(word)))) return "rate";

  const asked = [...questionTerms(question, language)];
  // A number that the question brings itself ("an order of 750 euros", "Pulse 8") is not what is told.
  const answers = [...numbers].filter((term) => !asked.includes(term));
  if (answers.length === 0) return null;
  const held = heldBy(units, asked);
  const own = new Set(units.flatMap((unit) => [...unit.facts.terms]));
  const said = new Set([...claimed.terms, ...asked]);
  if (!asked.every((term) => own.has(term)) && units.every((unit) => restricts(unit, answers, said))) return "occasion";

  const counted = countedBy(claim, answers, language);
  const better = documents.flat().some((other) => {
    if (other.kind === "label" || units.includes(other)) return false;
    const more = heldBy([other], asked);
    if (more.size <= held.size || ![...held].every((term) => more.has(term))) return false;
    if (answers.some((term) => other.facts.terms.has(term))) return false;
    const counts = countedBy(other.display, null, other.passage.language);
    return [...counted].some((term) => counts.has(term));
  });
  return better ? "better" : null;
}

/** The words of units and of what leads up to them, as written. */
function wordsSaid(units: readonly Unit[]): Set<string> {
  const texts = units.flatMap((unit) => [
    unit.display,
    unit.passage.context,
    unit.answers ?? "",
    unit.passage.tableHeader ?? "",
  ]);
  return new Set(texts.flatMap((text) => wordsOf(text).map((word) => word.text.toLowerCase())));
}

function ratesOf(claim: string): ReadonlySet<string>[] {
  const named = [...claim.toLowerCase().matchAll(ratePattern)].map((found) => found[1] ?? found[2] ?? "");
  return periods.filter((period) => named.some((word) => period.has(word)));
}

function heldBy(units: readonly Unit[], asked: readonly string[]): Set<string> {
  return new Set(asked.filter((term) => units.some((unit) => unit.facts.terms.has(term) || unit.lead.has(term))));
}

/** "2 paid working days": a number with up to three words of what it counts. */
const maxCountedWords = 4;

/** Whether a unit gives one of the numbers and, after it, an occasion of which nothing is said. */
function restricts(unit: Unit, numbers: readonly string[], said: ReadonlySet<string>): boolean {
  const { language } = unit.passage;
  return [...unit.display.matchAll(occasionPattern)].some((found) => {
    // Only what follows the number at once: "2 paid days for", not "in 1987 by an engineer; the logo stands for".
    const clause =
      unit.display
        .slice(0, found.index)
        .split(/[,;:.](?!\p{N})/u)
        .at(-1) ?? "";
    const near = clause.trim().split(/\s+/u).slice(-maxCountedWords).join(" ");
    const before = factsOf(near, language).terms;
    const occasion = [...factsOf(found[1] ?? "", language).terms];
    const counts = occasion.some((term) => /^\p{N}/u.test(term));
    return (
      numbers.some((term) => before.has(term)) &&
      occasion.length > 0 &&
      !counts &&
      !occasion.some((term) => said.has(term))
    );
  });
}

/** Stems of the two words after each number (after those given, if any): what it counts. */
function countedBy(text: string, numbers: readonly string[] | null, language: string | null): Set<string> {
  const words = wordsOf(text).map((word) => ({
    word: word.text,
    term: [...factsOf(word.text, language).terms][0] ?? "",
  }));
  const counted = new Set<string>();
  for (const [index, { term }] of words.entries()) {
    if (!/^\p{N}/u.test(term) || (numbers !== null && !numbers.includes(term))) continue;
    for (const { word } of words.slice(index + 1, index + 3)) {
      for (const each of termsOfWord(word, language)) if (!/^\p{N}/u.test(each)) counted.add(each);
    }
  }
  return counted;
}
