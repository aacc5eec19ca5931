import { stemmer as stemDutch } from "@orama/stemmers/dutch";
import { stemmer as stemEnglish } from "@orama/stemmers/english";
import { stemmer as stemFrench } from "@orama/stemmers/french";
import { stemmer as stemGerman } from "@orama/stemmers/german";
import { stemmer as stemItalian } from "@orama/stemmers/italian";
import { stemmer as stemPortuguese } from "@orama/stemmers/portuguese";
import { stemmer as stemSpanish } from "@orama/stemmers/spanish";
import { stopwords as dutch } from "@orama/stopwords/dutch";
import { stopwords as english } from "@orama/stopwords/english";
import { stopwords as french } from "@orama/stopwords/french";
import { stopwords as german } from "@orama/stopwords/german";
import { stopwords as italian } from "@orama/stopwords/italian";
import { stopwords as portuguese } from "@orama/stopwords/portuguese";
import { stopwords as spanish } from "@orama/stopwords/spanish";

/** What lexical matching knows of a language: Snowball's stemmer and its list of function words. */
export type LanguageTools = { stem(word: string): string; stopwords: ReadonlySet<string> };

const tools = (stem: (word: string) => string, words: readonly string[]): LanguageTools => ({
  stem,
  stopwords: new Set(words.map((word) => word.normalize("NFKC").toLowerCase())),
});

const known = new Map<string, LanguageTools>([
  ["de", tools(stemGerman, german)],
  // The package's English list lacks the article itself and the contracted auxiliaries' tails.
  ["en", tools(stemEnglish, [...english, "a", "also", "cannot", "s", "t"])],
  ["es", tools(stemSpanish, spanish)],
  ["fr", tools(stemFrench, french)],
  ["it", tools(stemItalian, italian)],
  ["nl", tools(stemDutch, dutch)],
  ["pt", tools(stemPortuguese, portuguese)],
]);

const plain: LanguageTools = { stem: (word) => word, stopwords: new Set() };

/** Languages (ISO 639-1) with a stemmer and a stopword list; every other one is matched word by word. */
export const stemmedLanguages: readonly string[] = [...known.keys()];

/** @param language ISO 639-1, also with a region ("de-AT"); null and unknown languages keep words as they are. */
export function languageTools(language: string | null): LanguageTools {
  return known.get((language ?? "").slice(0, 2).toLowerCase()) ?? plain;
}
