import { foldWord, wordsOf } from "../indexing/terms.ts";
import { squeeze } from "./parse-answer.ts";
import type { Unit } from "./units.ts";

const auxiliaries =
  "am is are was were be been being has have had do does did can could may might must shall should will would isn't aren't wasn't weren't hasn't haven't hadn't doesn't don't didn't can't cannot couldn't mustn't shouldn't won't wouldn't it's that's there's";
/** Past forms that do not end in "ed". */
const irregular =
  "began became bought brought built came chose cost cut did drew drove fell felt found gave got grew held kept knew led left let lost made meant met paid put ran read said sat saw sent set sold spent spoke stood swam taught thought told took understood went won wore wrote";
const verbs = new Set(`${auxiliaries} ${irregular}`.split(" "));
const determiners = new Set("the a an this that its his her their our your my each every no any".split(" "));
const noVerb = /(?:ss|us|is)$/u;
const smallNumber =
  /^(?:\p{N}.*|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|several|many|some|of|all|these|those|both)$/u;

/**
 * True for an English sentence without a verb that its source has: "The warranty of the Pulse 8 one of 54 months", copied
 * out of "the Breath 5 carries a warranty of 30 months, the Pulse 8 one of 54 months". Only a sentence that sets out with
 * a subject in the singular is judged, whose verb shows itself by its ending or in a list; a short answer such as "54
 * months." needs no verb, and neither does a source without one.
 */
export function lacksVerb(claim: string, units: readonly Unit[]): boolean {
  const language = units[0]?.passage.language ?? null;
  if (language !== null && !language.startsWith("en")) return false;
  if (!/\p{L}[^.!]*[.!]$/u.test(claim.trim())) return false;
  const words = wordsOf(claim).map((word) => word.text);
  const [first = "", second = ""] = words.map(foldWord);
  if (words.length < 5 || !determiners.has(first) || (second.endsWith("s") && !noVerb.test(second))) return false;
  if (words.some((_, index) => readsAsVerb(words, index))) return false;
  if (units.some((unit) => isPhrase(squeeze(claim.replace(/[.!]+$/u, "")), squeeze(unit.display)))) return false;
  return units.some((unit) => {
    const source = wordsOf(unit.display).map((word) => word.text);
    return source.some((_, index) => readsAsVerb(source, index));
  });
}

/** A stretch as it stands in the source is a phrase, "a warranty of 30 months"; after a comma it may live on an earlier verb. */
function isPhrase(claim: string, source: string): boolean {
  const at = source.indexOf(claim);
  return at !== -1 && !/[,;]\s*$/u.test(source.slice(0, at));
}

/** By its form and the word before it: what follows a determiner, a count or "of" is a noun, but not what follows "Pulse 8". */
function readsAsVerb(words: readonly string[], index: number): boolean {
  const word = foldWord(words[index] ?? "");
  const named = /^\p{N}/u.test(words[index - 1] ?? "") && /^\p{Lu}/u.test(words[index - 2] ?? "");
  const before = named ? "" : foldWord(words[index - 1] ?? "");
  if (verbs.has(word)) return true;
  if (index === 0 || determiners.has(before) || smallNumber.test(before)) return false;
  return /^\p{L}{3,}(?:s|ed)$/u.test(word) && !noVerb.test(word);
}
