import { measureNgrams, type NgramMeasures } from "./measure-ngrams.ts";
import type { Element } from "../document/element.ts";
import { countWords } from "../dedupe/tokens.ts";

/**
 * What the quality rules look at. "Prose" is everything but tables and code, which repeat themselves and hold few
 * words by their nature. Shares run from 0 to 1.
 */
export type TextMeasures = NgramMeasures & {
  words: number;
  proseWords: number;
  sentences: number;
  meanWordLength: number;
  /** Words with at least one letter. */
  alphabeticShare: number;
  /** Hash signs and ellipses per word. */
  symbolsPerWord: number;
  bulletLineShare: number;
  ellipsisLineShare: number;
  punctuatedLineShare: number;
  shortLineShare: number;
  stopWords: number;
  curlyBrackets: number;
  duplicateLineShare: number;
  duplicateLineCharacterShare: number;
  duplicateParagraphShare: number;
  duplicateParagraphCharacterShare: number;
  /** Letters and digits among the characters that are not white space; a run of one symbol counts once. */
  readableShare: number;
  /** Characters in unbroken ASCII runs of more than 60, other than addresses: encoded data. */
  longRunShare: number;
  loremShare: number;
  /** Words in lines of a page that shows no content: consent banners, error pages, script warnings. */
  boilerplateShare: number;
  /** Unmapped PDF glyphs, "(cid:12)", per word. */
  unmappedGlyphsPerWord: number;
};

export function measureText(elements: readonly Element[]): TextMeasures {
  const prose = elements.filter(({ kind }) => kind !== "table" && kind !== "code").map(({ text }) => text);
  const everything = elements.map(({ text }) => text).join("\n");
  const proseText = prose.join("\n");
  const lines = proseText.split("\n").filter((line) => line.trim() !== "");
  const words = proseText.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  const letters = words.reduce((sum, word) => sum + word.length, 0);
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  const lineShare = (pattern: RegExp) => share(lines.filter((line) => pattern.test(line)).length, lines.length);
  const count = (pattern: RegExp) => proseText.match(pattern)?.length ?? 0;
  const duplicateLines = measureDuplicates(lines);
  const duplicateParagraphs = measureDuplicates(prose);
  const counted = words.map((word) => word.toLowerCase());

  return {
    words: countWords(everything),
    proseWords: words.length,
    sentences: count(/[.!?…。！？](?=[\s"'”’)]|$)|[。！？]/gu),
    meanWordLength: share(letters, words.length),
    alphabeticShare: share(words.filter((word) => /\p{L}/u.test(word)).length, words.length),
    symbolsPerWord: share(count(/#|\.{3}|…/g), words.length),
    bulletLineShare: lineShare(/^\s*[•‣◦▪●–*-]\s/),
    ellipsisLineShare: lineShare(/(?:\.{3}|…)\s*$/),
    punctuatedLineShare: lineShare(/[.!?"'”’。！？]\s*$/),
    shortLineShare: share(lines.filter((line) => line.length < 30).length, lines.length),
    stopWords: new Set(counted.filter((word) => gopherStopWords.has(word))).size,
    curlyBrackets: count(/\{/g),
    duplicateLineShare: duplicateLines.share,
    duplicateLineCharacterShare: duplicateLines.characterShare,
    duplicateParagraphShare: duplicateParagraphs.share,
    duplicateParagraphCharacterShare: duplicateParagraphs.characterShare,
    ...measureNgrams(counted),
    readableShare: readableShare(everything),
    longRunShare: longRunShare(everything),
    loremShare: share(counted.filter((word) => loremWords.has(word)).length, counted.length),
    boilerplateShare: share(
      lines.filter(isBoilerplate).reduce((sum, line) => sum + countWords(line), 0),
      countWords(proseText),
    ),
    unmappedGlyphsPerWord: share(count(/\(cid:\d+\)/g), words.length),
  };
}

/** Gopher, appendix A.1.1: an English document holds at least two of these. */
const gopherStopWords = new Set(["the", "be", "to", "of", "and", "that", "have", "with"]);

/** Words of the placeholder text that are rare elsewhere, in Latin and its descendants too. */
const loremWords = new Set(
  (
    "lorem ipsum dolor amet consectetur consectetuer adipiscing eiusmod incididunt labore magna aliqua veniam quis nostrud " +
    "exercitation ullamco laboris aliquip commodo consequat duis aute irure reprehenderit voluptate cillum fugiat " +
    "pariatur excepteur occaecat cupidatat proident deserunt mollit laborum"
  ).split(" "),
);

const boilerplate =
  /enable javascript|javascript is (?:disabled|required)|accept (?:all )?cookies|(?:we|this (?:web)?site) uses? cookies|access denied|page (?:was |could )?not (?:be )?found|\b40[34] (?:not found|forbidden)|(?:log|sign) ?in to continue|verify (?:that )?you are (?:a )?human|checking your browser|session has expired|all rights reserved|unsupported browser|javascript (?:aktivieren|ist deaktiviert)|aktivieren sie javascript|verwende[nt] cookies|alle cookies akzeptieren|zugriff verweigert|seite (?:wurde )?nicht gefunden|alle rechte vorbehalten|activer javascript|utilisons des cookies|accepter (?:tous )?les cookies|accès refusé|page (?:non trouvée|introuvable)|tous droits réservés|habilite javascript|utilizamos cookies|aceptar (?:todas las )?cookies|acceso denegado|página no encontrada|todos los derechos reservados/i;

function isBoilerplate(line: string): boolean {
  return boilerplate.test(line);
}

function measureDuplicates(parts: readonly string[]): { share: number; characterShare: number } {
  const seen = new Set<string>();
  let duplicates = 0;
  let duplicateCharacters = 0;
  let characters = 0;
  for (const part of parts) {
    const key = part.trim();
    characters += key.length;
    if (seen.has(key)) {
      duplicates++;
      duplicateCharacters += key.length;
    }
    seen.add(key);
  }
  return {
    share: parts.length === 0 ? 0 : duplicates / parts.length,
    characterShare: characters === 0 ? 0 : duplicateCharacters / characters,
  };
}

function readableShare(text: string): number {
  const solid = text.replace(/\s+/g, "").replace(/([^\p{L}\p{M}\p{N}])\1+/gu, "$1");
  const readable = solid.match(/[\p{L}\p{M}\p{N}]/gu)?.length ?? 0;
  const characters = solid.match(/./gsu)?.length ?? 0;
  return characters === 0 ? 0 : readable / characters;
}

function longRunShare(text: string): number {
  let long = 0;
  let total = 0;
  for (const [run] of text.matchAll(/\S+/g)) {
    total += run.length;
    if (run.length > 60 && /^[\x21-\x7e]+$/.test(run) && !/:\/\/|^www\./i.test(run)) long += run.length;
  }
  return total === 0 ? 0 : long / total;
}
