import type { TextDamage } from "./normalise-text.ts";
import type { TextMeasures } from "./measure-text.ts";

export const dropCodes = [
  "TOO_SHORT",
  "TOO_REPETITIVE",
  "NOT_TEXT",
  "BOILERPLATE",
  "LOREM_IPSUM",
  "GARBLED",
  "NOT_PROSE",
] as const;
export type DropCode = (typeof dropCodes)[number];

export type RuleInput = { measures: TextMeasures; damage: TextDamage; language: string };

export type QualityRule = {
  name: string;
  code: DropCode;
  measure(input: RuleInput): number;
  /** null: the profile does not apply the rule. */
  limits: { web: number | null; enterprise: number | null };
  /** Whether the measured number has to stay below the limit or to reach it. */
  bound: "max" | "min";
  /** Texts that the rule cannot judge are left alone. */
  applies?(input: RuleInput, profile: "web" | "enterprise"): boolean;
  /** Completes "... (limit ...)." */
  says(value: string): string;
  format: "share" | "number";
};

const manyWords = ({ measures }: RuleInput) => measures.proseWords >= 50;
const onWebOrManyWords = (input: RuleInput, profile: "web" | "enterprise") => profile === "web" || manyWords(input);
/** In scripts without spaces a "word" is a sentence. */
const spaced = ({ measures }: RuleInput) => measures.words <= measures.proseWords * 2;

/**
 * Sources of the web limits: Gopher = Rae et al. 2021, arXiv:2112.11446, appendix A.1.1 and table A1;
 * C4 = Raffel et al. 2020, arXiv:1910.10683, 2.2; FineWeb = Penedo et al. 2024, arXiv:2406.17557, 3.6.
 * Those rules judge crawled prose in English. A price list, a form or an FAQ breaks many of them and is worth keeping, so the
 * enterprise limits only catch what no reader could use; they are ours, set well outside of our fixtures of business documents.
 */
export const qualityRules: readonly QualityRule[] = [
  {
    name: "words",
    code: "TOO_SHORT",
    bound: "min",
    format: "number",
    limits: { web: 50, enterprise: 3 }, // Gopher
    measure: ({ measures }) => measures.words,
    says: (value) => `The document has ${value} ${value === "1" ? "word" : "words"}`,
  },
  {
    name: "controlCharacters",
    code: "NOT_TEXT",
    bound: "max",
    format: "share",
    limits: { web: 0.01, enterprise: 0.05 },
    measure: ({ damage }) => damage.controlCharacters / Math.max(1, damage.characters),
    says: (value) => `${value} of the characters are control characters, as in a binary file`,
  },
  {
    name: "replacementCharacters",
    code: "GARBLED",
    bound: "max",
    format: "share",
    limits: { web: 0.005, enterprise: 0.03 },
    measure: ({ damage }) => damage.replacementCharacters / Math.max(1, damage.characters),
    says: (value) => `${value} of the characters could not be decoded`,
  },
  {
    name: "mojibake",
    code: "GARBLED",
    bound: "max",
    format: "share",
    limits: { web: 0.05, enterprise: 0.1 },
    measure: ({ damage, measures }) => damage.mojibake / Math.max(1, measures.words),
    applies: ({ damage }) => damage.mojibake >= 5,
    says: (value) => `Letters in ${value} of the words were read in the wrong character set`,
  },
  {
    name: "unmappedGlyphs",
    code: "GARBLED",
    bound: "max",
    format: "share",
    limits: { web: 0.05, enterprise: 0.2 },
    measure: ({ measures }) => measures.unmappedGlyphsPerWord,
    says: (value) => `${value} of the words are glyph numbers that the PDF's fonts do not translate`,
  },
  {
    name: "readable",
    code: "NOT_TEXT",
    bound: "min",
    format: "share",
    limits: { web: 0.5, enterprise: 0.3 },
    measure: ({ measures }) => measures.readableShare,
    says: (value) => `Only ${value} of the characters are letters or digits`,
  },
  {
    name: "longRuns",
    code: "NOT_TEXT",
    bound: "max",
    format: "share",
    limits: { web: 0.2, enterprise: 0.5 },
    measure: ({ measures }) => measures.longRunShare,
    applies: ({ damage }) => damage.characters >= 200,
    says: (value) => `${value} of the characters stand in unbroken runs of more than 60, as encoded data does`,
  },
  {
    name: "meanWordLength",
    code: "NOT_TEXT",
    bound: "max",
    format: "number",
    limits: { web: 10, enterprise: 20 }, // Gopher
    measure: ({ measures }) => measures.meanWordLength,
    applies: (input, profile) => spaced(input) && onWebOrManyWords(input, profile),
    says: (value) => `The mean word has ${value} letters`,
  },
  {
    name: "shortestMeanWordLength",
    code: "NOT_TEXT",
    bound: "min",
    format: "number", // Gopher
    limits: { web: 3, enterprise: null },
    measure: ({ measures }) => measures.meanWordLength,
    says: (value) => `The mean word has ${value} letters`,
  },
  {
    name: "alphabetic",
    code: "NOT_TEXT",
    bound: "min",
    format: "share",
    limits: { web: 0.8, enterprise: 0.1 }, // Gopher
    measure: ({ measures }) => measures.alphabeticShare,
    applies: onWebOrManyWords,
    says: (value) => `Only ${value} of the words contain a letter`,
  },
  {
    name: "symbols",
    code: "NOT_TEXT",
    bound: "max",
    format: "number",
    limits: { web: 0.1, enterprise: 1 }, // Gopher
    measure: ({ measures }) => measures.symbolsPerWord,
    says: (value) => `There are ${value} hash signs or ellipses per word`,
  },
  {
    name: "lorem",
    code: "LOREM_IPSUM",
    bound: "max",
    format: "share",
    limits: { web: 0.1, enterprise: 0.3 }, // C4
    measure: ({ measures }) => measures.loremShare,
    applies: ({ measures }) => measures.proseWords >= 8,
    says: (value) => `${value} of the words are placeholder text ("lorem ipsum")`,
  },
  {
    name: "boilerplate",
    code: "BOILERPLATE",
    bound: "max",
    format: "share",
    limits: { web: 0.3, enterprise: 0.5 }, // after C4
    measure: ({ measures }) => measures.boilerplateShare,
    applies: ({ measures }) => measures.words <= 150,
    says: (value) => `${value} of the words belong to cookie notices, script warnings or error messages`,
  },
  repetition("duplicateLines", "of the lines repeat an earlier line", 0.3, 0.6, (m) => m.duplicateLineShare),
  repetition(
    "duplicateLineCharacters",
    "of the characters stand in repeated lines",
    0.2,
    0.6,
    (m) => m.duplicateLineCharacterShare,
  ),
  repetition(
    "duplicateParagraphs",
    "of the paragraphs repeat an earlier one",
    0.3,
    0.6,
    (m) => m.duplicateParagraphShare,
  ),
  repetition(
    "duplicateParagraphCharacters",
    "of the characters stand in repeated paragraphs",
    0.2,
    0.6,
    (m) => m.duplicateParagraphCharacterShare,
  ),
  ...(
    [
      [2, 0.2],
      [3, 0.18],
      [4, 0.16],
    ] as const
  ).map(([n, web]) =>
    repetition(
      `top${n}gram`,
      `of the text is one sequence of ${n} words again and again`,
      web,
      0.6,
      (m) => m.topNgramShare[n],
    ),
  ),
  ...(
    [
      [5, 0.15],
      [6, 0.14],
      [7, 0.13],
      [8, 0.12],
      [9, 0.11],
      [10, 0.1],
    ] as const
  ).map(([n, web]) =>
    repetition(
      `duplicate${n}grams`,
      `of the text are sequences of ${n} words that occurred before`,
      web,
      0.9,
      (m) => m.duplicateNgramShare[n],
    ),
  ),
  webOnly(
    "maxWords",
    "max",
    100_000,
    "number",
    (v) => `The document has ${v} words`,
    (m) => m.words,
  ), // Gopher
  webOnly(
    "bulletLines",
    "max",
    0.9,
    "share",
    (v) => `${v} of the lines are bullet points`,
    (m) => m.bulletLineShare,
  ), // Gopher
  webOnly(
    "ellipsisLines",
    "max",
    0.3,
    "share",
    (v) => `${v} of the lines end in an ellipsis`,
    (m) => m.ellipsisLineShare,
  ), // Gopher
  {
    ...webOnly(
      "stopWords",
      "min",
      2,
      "number",
      (v) => `Only ${v} of Gopher's eight common words occur`,
      (m) => m.stopWords,
    ),
    applies: ({ language }) => language === "en",
  },
  webOnly(
    "sentences",
    "min",
    3,
    "number",
    (v) => `The document has ${v} sentences`,
    (m) => m.sentences,
  ), // C4
  webOnly(
    "curlyBrackets",
    "max",
    0,
    "number",
    (v) => `The text contains ${v} curly brackets, as code does`,
    (m) => m.curlyBrackets,
  ), // C4
  webOnly(
    "punctuatedLines",
    "min",
    0.12,
    "share",
    (v) => `Only ${v} of the lines end a sentence`,
    (m) => m.punctuatedLineShare,
  ), // FineWeb
  webOnly(
    "shortLines",
    "max",
    0.67,
    "share",
    (v) => `${v} of the lines have fewer than 30 characters`,
    (m) => m.shortLineShare,
  ), // FineWeb
  webOnly(
    "repeatedLineCharacters",
    "max",
    0.1,
    "share",
    (v) => `${v} of the characters stand in repeated lines`,
    (m) => m.duplicateLineCharacterShare,
  ), // FineWeb
];

/**
 * Gopher, table A1. Business documents repeat themselves (clauses, exported records of one form), so our limits are met
 * only where next to nothing new is said.
 */
function repetition(
  name: string,
  words: string,
  web: number,
  enterprise: number,
  measure: (measures: TextMeasures) => number,
): QualityRule {
  return {
    name,
    code: "TOO_REPETITIVE",
    bound: "max",
    format: "share",
    limits: { web, enterprise },
    measure: ({ measures }) => measure(measures),
    applies: onWebOrManyWords,
    says: (value) => `${value} ${words}`,
  };
}

function webOnly(
  name: string,
  bound: "min" | "max",
  web: number,
  format: QualityRule["format"],
  says: (value: string) => string,
  measure: (measures: TextMeasures) => number,
): QualityRule {
  return {
    name,
    code: "NOT_PROSE",
    bound,
    format,
    limits: { web, enterprise: null },
    says,
    measure: ({ measures }) => measure(measures),
  };
}
