import { languageTools } from "./language.ts";

/**
 * Words are runs of letters and digits; numbers keep their inner separators ("1,200.50", "0.32.0", "2026-11-21") and
 * words their apostrophes, so that a contraction can be seen as the stopword that it is.
 */
const wordPattern = /\p{N}+(?:[.,:/-]\p{N}+)+(?![\p{L}\p{N}])|[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:['’][\p{L}\p{M}]+)*/gu;

/** Scripts that put no space between words: their runs are cut by the Unicode word-break dictionary. */
const unspacedScript =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const segmenter = new Intl.Segmenter("und", { granularity: "word" });

export type Word = { text: string; start: number; end: number };

/** The words of a text as written, with their character offsets. */
export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  for (const match of text.matchAll(wordPattern)) {
    const [found] = match;
    if (!unspacedScript.test(found)) {
      words.push({ text: found, start: match.index, end: match.index + found.length });
      continue;
    }
    for (const { segment, index, isWordLike } of segmenter.segment(found)) {
      const start = match.index + index;
      if (isWordLike) words.push({ text: segment, start, end: start + segment.length });
    }
  }
  return words;
}

/** Lower-cased and compatibility-normalised, with a straight apostrophe: the form every comparison uses. */
export function foldWord(word: string): string {
  return word.normalize("NFKC").toLowerCase().replaceAll("’", "'");
}

/**
 * The index terms of one word: none for a stopword, one stem for most, and for an elided form the stem after the
 * apostrophe ("l'assurance") or before it ("company's").
 */
export function termsOfWord(word: string, language: string | null): string[] {
  const { stem, stopwords } = languageTools(language);
  const folded = foldWord(word);
  if (stopwords.has(folded)) return [];
  const parts = folded.includes("'") ? folded.split("'").filter((part) => part.length > 1) : [folded];
  // A stemmer is for words of one script; a number or a part code is its own term.
  return parts.filter((part) => !stopwords.has(part)).map((part) => (/\p{N}/u.test(part) ? part : stem(part)));
}

/**
 * Terms for BM25, in order and with repetitions: Unicode words, lower-cased, without the language's stopwords, stemmed
 * by Snowball. The same function serves documents and questions, else their terms would not meet.
 */
export function tokeniseForSearch(text: string, language: string | null): string[] {
  return wordsOf(text).flatMap((word) => termsOfWord(word.text, language));
}

/**
 * A question is too short to tell its language, so it is read in every language that the collection holds; a term
 * only helps where a document of that language has it.
 */
export function tokeniseQuery(question: string, languages: readonly (string | null)[]): string[] {
  const readings = languages.length > 0 ? languages : [null];
  return [...new Set(readings.flatMap((language) => tokeniseForSearch(question, language)))];
}
