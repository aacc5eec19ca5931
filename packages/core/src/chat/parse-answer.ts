import type { Unit } from "./units.ts";

export type ParsedAnswer = {
  /** The answer without quote lines and citation marks. */
  answer: string;
  /** What the model claims to have copied, in order: the number it gave to the passage, and the words. */
  quotes: { number: number; text: string }[];
  /** Passage numbers cited anywhere, ascending. */
  citedNumbers: number[];
};

/** The one format of a quote, in training and in serving: `[2] "The words as they stand in passage 2."` on its own line. */
export function formatQuote(number: number, quote: string): string {
  return `[${number}] "${quote.replace(/\s+/g, " ").trim()}"`;
}

const quotePattern = /(?<![ \t])[ \t]*\[(\d{1,2})\][ \t]*:?[ \t]*["“„«]([^\n]+?)(?:["”»](?=\s|$)|(?=\n|$))/gu;
const markPattern = /(?<![ \t])[ \t]*\[(\d{1,2})(?:\s*,\s*\d{1,2})*\]/gu;

/** Reads an answer in the format above; tolerant of curly quotes, missing closing quotes and marks inside sentences. */
export function parseAnswer(text: string): ParsedAnswer {
  const quotes: ParsedAnswer["quotes"] = [];
  const withoutQuotes = text.replace(/\r\n?/g, "\n").replace(quotePattern, (_, number: string, quote: string) => {
    quotes.push({ number: Number(number), text: quote.trim() });
    return "";
  });
  const cited = new Set(quotes.map((quote) => quote.number));
  for (const match of withoutQuotes.matchAll(markPattern))
    for (const number of match[0].match(/\d+/g) ?? []) cited.add(Number(number));
  const answer = withoutQuotes
    .replace(markPattern, "")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
  return { answer, quotes, citedNumbers: [...cited].sort((left, right) => left - right) };
}

/** The units that a claimed quote really covers, in whichever passage it stands; empty for an invented one. */
export function verifyQuote(quote: string, documents: readonly Unit[][]): Unit[] {
  const wanted = squeeze(quote);
  // Two words prove nothing: "30 days" stands in many places.
  if (wanted.split(" ").length < 3) return [];
  for (const units of documents) {
    const text = units[0]?.passage.text ?? "";
    const { squeezed, offsets } = squeezeWithOffsets(text);
    const at = squeezed.indexOf(wanted);
    if (at === -1) continue;
    const start = offsets[at] ?? 0;
    const end = (offsets[at + wanted.length - 1] ?? 0) + 1;
    return units.filter((unit) => unit.kind !== "label" && unit.start < end && unit.end > start);
  }
  return [];
}

/** Letters and digits of a text, lower-cased, with single spaces between: what a copied sentence keeps. */
function squeezeWithOffsets(text: string): { squeezed: string; offsets: number[] } {
  let squeezed = "";
  const offsets: number[] = [];
  for (const match of text.matchAll(/[\p{L}\p{M}\p{N}]+/gu)) {
    if (squeezed !== "") {
      squeezed += " ";
      offsets.push(match.index - 1);
    }
    for (let index = 0; index < match[0].length; index += 1) {
      const lower = (match[0][index] ?? "").toLowerCase();
      squeezed += lower;
      for (let each = 0; each < lower.length; each += 1) offsets.push(match.index + index);
    }
  }
  return { squeezed, offsets };
}

/** A text's letters and digits, lower-cased, single-spaced: equal for texts that differ only in form. */
export const squeeze = (text: string): string => squeezeWithOffsets(text).squeezed;
