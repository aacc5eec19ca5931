import { foldWord, termsOfWord, wordsOf } from "../indexing/terms.ts";
import { isNegation, isYesNo } from "./phrases.ts";

/** What a sentence claims, as far as words can tell. */
export type Facts = {
  /** Stems of its content words; number words are written as digits. */
  terms: Set<string>;
  /** Names, acronyms and part codes: terms that no paraphrase replaces. */
  names: Set<string>;
  /** Every number, each in all the ways that it can be read ("1.200" is 1200 or 1.2). */
  numbers: string[][];
  negated: boolean;
  /** Which sides of the pairs of opposites it takes ("+3" or "-3" for the third pair). */
  sides: Set<string>;
};

/** Words with which an answer points at its source; they claim nothing. */
const frameWords = new Set(
  "according answer based context document documents following given mention mentioned passage passages provided question says section source states stated text laut dokument antwort selon réponse según respuesta".split(
    " ",
  ),
);

/** Pairs whose confusion turns an answer into its contrary although every other word stands in the passage. */
const opposites: readonly [string, string][] = [
  ["before vor avant antes", "after nach après después"],
  ["least mindestens moins", "most höchstens plus"],
  ["minimum", "maximum"],
  ["above over oben", "below under unten"],
  ["more mehr", "less fewer weniger"],
  ["open opens opened geöffnet ouvert abierto", "close closes closed geschlossen fermé cerrado"],
  ["increase increases increased raise raised", "decrease decreases decreased reduce reduced lower lowered"],
  ["allowed permitted erlaubt permis permitido", "forbidden prohibited verboten interdit prohibido"],
  ["include includes included inbegriffen", "exclude excludes excluded ausgeschlossen"],
];
const sideOf = new Map(
  opposites.flatMap(([plus, minus], index) => [
    ...plus.split(" ").map((word): [string, string] => [word, `+${index}`]),
    ...minus.split(" ").map((word): [string, string] => [word, `-${index}`]),
  ]),
);

const numberWords = new Map(
  [
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty",
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig",
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize",
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte",
  ].flatMap((words) => words.split(" ").map((word, value): [string, string] => [word, String(value)])),
);

export function factsOf(text: string, language: string | null): Facts {
  const facts: Facts = {
    terms: new Set(),
    names: new Set(),
    numbers: [],
    negated: false,
    sides: new Set(),
  };
  const words = wordsOf(text);
  for (const [index, word] of words.entries()) {
    const folded = foldWord(word.text);
    // A leading "Yes," or "No," answers the question; it does not negate the sentence after it.
    const leads = index === 0 && isYesNo(folded) && /^\s*[,.;:!–-]/.test(text.slice(word.end));
    if (leads) continue;
    if (isNegation(folded)) facts.negated = true;
    const side = sideOf.get(folded);
    if (side) facts.sides.add(side);
    if (frameWords.has(folded)) continue;
    const digits = numberWords.get(folded);
    if (/^\p{N}/u.test(folded) && !/\p{L}/u.test(folded)) facts.numbers.push(numberReadings(folded));
    const terms = digits
      ? [digits]
      : isAcronym(word.text, text) && !isNegation(folded)
        ? [folded]
        : termsOfWord(word.text, language).map((term) => numberReadings(term)[0] ?? term);
    for (const term of terms) {
      facts.terms.add(term);
      if (isName(word.text, text, word.start, language)) facts.names.add(term);
    }
  }
  return facts;
}

/** A short word in capitals amid others: "IT" is no function word although one is spelt like it, and has no stem. */
export const isAcronym = (word: string, text: string): boolean => /^\p{Lu}{2,5}$/u.test(word) && /\p{Ll}/u.test(text);

/** German capitalises every noun, so there only codes and acronyms stand out. */
function isName(word: string, text: string, start: number, language: string | null): boolean {
  if (/\p{L}/u.test(word) && /\p{N}/u.test(word)) return true;
  if (/\p{Lu}.*\p{Lu}/u.test(word)) return true;
  if (!/^\p{Lu}\p{Ll}/u.test(word) || (language ?? "").startsWith("de")) return false;
  const before = text.slice(0, start).trimEnd();
  return before !== "" && !/[.!?:;"“”«»(|*#>\n-]$/u.test(before);
}

/** Readings of a number, most likely first, without thousands separators and trailing zeros of a fraction. */
export function numberReadings(text: string): string[] {
  if (!/^\p{N}[\p{N}.,]*$/u.test(text)) return [text];
  const grouped = /^\p{N}{1,3}(?:[.,]\p{N}{3})+$/u.test(text);
  const mixed = /^\p{N}{1,3}(?:,\p{N}{3})+\.\p{N}+$|^\p{N}{1,3}(?:\.\p{N}{3})+,\p{N}+$/u.test(text);
  const readings: string[] = [];
  if (grouped) readings.push(text.replace(/[.,]/g, ""));
  if (mixed)
    readings.push(
      trimFraction(
        `${text.slice(0, -1 - fractionLength(text)).replace(/[.,]/g, "")}.${text.slice(-fractionLength(text))}`,
      ),
    );
  else if (/^\p{N}+[.,]\p{N}+$/u.test(text)) readings.push(trimFraction(text.replace(",", ".")));
  return readings.length > 0 ? readings : [text];
}

const fractionLength = (text: string): number => /[.,](\p{N}+)$/u.exec(text)?.[1]?.length ?? 0;
const trimFraction = (decimal: string): string => decimal.replace(/0+$/, "").replace(/\.$/, "");
