import { languageTools, stemmedLanguages } from "../indexing/language.ts";
import { foldWord, wordsOf } from "../indexing/terms.ts";
import { factsOf, isAcronym } from "./facts.ts";

/** Words that only ask for a measure or carry the verb of a question; what answers rarely repeats them. */
const askingWords = new Set(
  "much many long often quickly soon far take takes took need needs please gibt viel viele lange oft schnell combien longtemps souvent cuánto cuánta cuántos cuántas quanto quanta quanti quante hoeveel lang vaak".split(
    " ",
  ),
);

/**
 * The language of a question by its function words, which even a short one has several of; null where two languages
 * hold as many. It may differ from the passages': an English question can find a German page first.
 */
export function languageOfQuestion(question: string): string | null {
  const words = wordsOf(question).map((word) => foldWord(word.text));
  let best: { language: string | null; held: number } = { language: null, held: 0 };
  for (const language of stemmedLanguages) {
    const { stopwords } = languageTools(language);
    const held = words.filter((word) => stopwords.has(word)).length;
    if (held > best.held) best = { language, held };
    else if (held === best.held) best = { language: null, held };
  }
  return best.language;
}

/**
 * What a question is about: stems, by the passage's language, of its words that are neither function words of its own
 * language nor asking words. An acronym in capitals ("IT") is a word although a function word is spelt like it.
 */
export function questionTerms(question: string, passageLanguage: string | null): Set<string> {
  const { stopwords } = languageTools(languageOfQuestion(question));
  const kept = wordsOf(question).filter(({ text }) => {
    const folded = foldWord(text);
    return isAcronym(text, question) || (!stopwords.has(folded) && !askingWords.has(folded));
  });
  const terms = new Set<string>();
  for (const { text } of kept) {
    const found = isAcronym(text, question) ? [foldWord(text)] : factsOf(text, passageLanguage).terms;
    for (const term of found) terms.add(term);
  }
  return terms;
}

/** Questions that only a number, a date or a time answers, in the languages that we stem. */
const asksForNumber =
  /\b(?:how (?:many|much|long|often|old|far|tall|heavy|large|big|fast|quickly|early|late|noisy|loud)|when|(?:what|which) (?:time|date|year|number|temperature|price|port|age|percentage)|wie ?viele?|wie (?:lange?|oft|alt|hoch|schwer|groß|laut|schnell)|wann|combien|quand|cu[aá]nt[oa]s?|cu[aá]ndo|quant[aeio]|quando|hoeveel|wanneer|hoe (?:lang|vaak))\b/iu;

/** True for a question whose answer holds a number; "what does it cost" is one as well. */
export const wantsNumber = (question: string): boolean =>
  asksForNumber.test(question) ||
  /\b(?:cost|price|kostet|preis|coûte|prix|cuesta|precio|costa|prezzo)\b/iu.test(question);

/** True when a text holds a number (in digits or as a word) that the question does not hold itself. */
export function addsNumber(text: string, question: string, language: string | null): boolean {
  const digits = (from: string) => [...factsOf(from, language).terms].filter((term) => /^\p{N}/u.test(term));
  const asked = new Set(digits(question));
  return digits(text).some((term) => !asked.has(term));
}

const asksForPerson = /^(?:(?:and|to|by|from|with) )?who(?:m|se)?\b|^(?:wer|wem|wen|qui|quién|quienes|chi|quem)\b/iu;

/** True for a question that a person's name or role answers. Dutch "wie" is German for "how" and is left out. */
export const wantsPerson = (question: string): boolean => asksForPerson.test(question.trim());

/** True when a text holds two capitalised words in a row, as a name has, that the question does not hold. */
export function addsPerson(text: string, question: string): boolean {
  const asked = new Set(wordsOf(question).map((word) => foldWord(word.text)));
  for (const [, first, last] of text.matchAll(/(?<!\p{L})(\p{Lu}\p{Ll}+)(?= (\p{Lu}\p{Ll}+))/gu)) {
    if (![first, last].some((word) => asked.has(foldWord(word ?? "")))) return true;
  }
  return false;
}

/** True for a question that a line to type answers, in the languages that we stem. */
export const wantsCommand = (question: string): boolean =>
  /(?<!\p{L})(?:commands?|command line|befehle?|kommandos?|commandes?|comandos?|comandi|opdracht)(?!\p{L})/iu.test(
    question,
  );

/** A line behind a shell's prompt, or a program with an option. */
const commandLine =
  /^(?:(?:[$#%>]|PS [^>]*>|[A-Z]:\\[^>]*>|[\w.-]+@[\w.-]+:\S*[$#])\s+\S|sudo\s+\S|[a-z][\w./-]*(?:\s+[^\s,]+)*?\s+--?[a-z])/u;

/** True when a text is a line, or lines, to type. */
export const isCommand = (text: string): boolean => commandLine.test(text) && !/[.!?:;]$/u.test(text);
