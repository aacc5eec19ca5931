import { factsOf } from "../chat/facts.ts";
import { inventedWord } from "../chat/invented-word.ts";
import { piiTypes } from "../clean/policy.ts";
import { isRefusal, isYesNo } from "../chat/phrases.ts";
import { claimsOf, findSupport, readPassages } from "../chat/support.ts";
import type { Passage } from "../chat/passage.ts";
import { languageTools, stemmedLanguages } from "../indexing/language.ts";
import { foldWord, wordsOf } from "../indexing/terms.ts";
import { bareAmount, comparedWithItself, missingKind, onlySuffers } from "./answer-kind.ts";
import { teacherWords } from "./generate-pairs.ts";
import type { Pair, PairDropCode, PairVerdict } from "./pair.ts";
import { asksForAmount, definedSubject, findDangling, looksLikeQuestion } from "./question.ts";

export type CheckOptions = {
  /** Texts of our own that a weak teacher may have copied: the instructions it was given. */
  ownWords: readonly string[];
  maxQuestionChars: number;
  maxAnswerChars: number;
};
export const defaultCheckOptions: CheckOptions = {
  ownWords: teacherWords,
  maxQuestionChars: 300,
  maxAnswerChars: 1500,
};

/** Where the answer must be proven: title, headings and the text that the pair's span was taken from. */
export type CheckedPassage = Pick<Passage, "context" | "tableHeader" | "text">;

/**
 * Decides whether a pair may teach a model. Every rule is cheap and looks at words only; the first that fails names the
 * code and says why in one sentence.
 */
export function checkPair(pair: Pair, passage: CheckedPassage, options: Partial<CheckOptions> = {}): PairVerdict {
  const settings = { ...defaultCheckOptions, ...options };
  const { question, answer, language } = pair;
  const questionWords = wordsOf(question).map((word) => foldWord(word.text));
  const answerWords = wordsOf(answer).map((word) => foldWord(word.text));

  if (questionWords.length < 3) return drop("TOO_SHORT", `The question "${question}" has fewer than three words.`);
  if (answerWords.length === 0) return drop("TOO_SHORT", "The answer has no words.");
  if (question.length > settings.maxQuestionChars)
    return drop("TOO_LONG", `The question has ${question.length} characters, more than ${settings.maxQuestionChars}.`);
  if (answer.length > settings.maxAnswerChars)
    return drop("TOO_LONG", `The answer has ${answer.length} characters, more than ${settings.maxAnswerChars}.`);

  const mask = maskPattern.exec(question) ?? maskPattern.exec(answer);
  if (mask) return drop("MASKED", `The pair contains ${mask[0]}, where personal data was masked.`);
  if (pair.origin === "generated") {
    const echo = settings.ownWords.find((own) => copies(questionWords, own) || copies(answerWords, own));
    if (echo !== undefined) return drop("ECHO", "The teacher repeated its instructions.");
  }
  if (!looksLikeQuestion(question, language))
    return drop("NOT_A_QUESTION", `"${shorten(question)}" does not ask anything.`);
  const itself = comparedWithItself(question);
  if (itself !== null) return drop("NOT_A_QUESTION", `The question compares "${shorten(itself)}" with itself.`);
  const pointer = findDangling(question) ?? (pair.origin === "generated" ? bareAmount(question) : null);
  if (pointer !== null)
    return drop("NOT_STANDALONE", `The question says "${pointer}", which only a reader of the document understands.`);
  if (claimsOf(answer).every((claim) => isRefusal(claim.text)))
    return drop("REFUSAL", "The answer says that it is not known.");
  if (repeatsQuestion(pair, questionWords, answerWords))
    return drop("REPEATS_QUESTION", "The answer only repeats the question.");
  const spoken = otherLanguage(`${question} ${answer}`, language);
  if (spoken !== null)
    return drop("WRONG_LANGUAGE", `The document is in "${language}", the pair reads like "${spoken}".`);
  return checkSupport(pair, passage);
}

function checkSupport(pair: Pair, passage: CheckedPassage): PairVerdict {
  const documents = readPassages([{ ...asPassage(pair, passage), text: pair.source.quote }]);
  const invented = claimsOf(pair.answer).find(
    (claim) => factsOf(claim.text, pair.language).terms.size > 0 && !findSupport(claim.text, documents),
  );
  // An extracted answer is its span; only a generated one can say more than that.
  if (pair.origin === "generated" && invented) {
    return drop("UNSUPPORTED", `"${shorten(invented.text)}" is not supported by the passage.`);
  }
  if (pair.origin === "generated") {
    const asked = factsOf(pair.question, pair.language);
    const held = factsOf([passage.context, passage.tableHeader ?? "", passage.text].join("\n"), pair.language);
    const shared = [...asked.terms].filter((term) => held.terms.has(term)).length;
    const strange = [...asked.names].find((name) => !held.terms.has(name));
    if (strange !== undefined)
      return drop("UNSUPPORTED", `The question names "${strange}", which the passage does not.`);
    const said = factsOf(pair.answer, pair.language).terms;
    if (asksForAmount(pair.question) && ![...said].some((term) => /^\p{N}/u.test(term)))
      return drop("UNSUPPORTED", "The question asks for an amount, and the answer has none.");
    const slip = inventedWord(`${pair.question} ${pair.answer}`, "", readPassages([asPassage(pair, passage)]));
    if (slip !== null) return drop("UNSUPPORTED", `"${slip}" is no word: two of the passage run into it.`);
    const missing = missingKind(pair.question, pair.answer);
    if (missing !== null) return drop("UNSUPPORTED", `The question asks for ${missing}, and the answer has none.`);
    const passive = onlySuffers(pair.question, pair.answer);
    if (passive !== null)
      return drop("UNSUPPORTED", `The question asks what "${passive}" does, the answer says what is done to it.`);
    const subject = definedSubject(pair.question);
    if (subject !== null && pair.answer.toLowerCase().includes(subject) && !defines(pair.answer, subject))
      return drop("UNSUPPORTED", `The question asks what "${subject}" is, and the answer only mentions it.`);
    if (shared === 0 || shared < asked.terms.size * 0.6)
      return drop("UNSUPPORTED", "The question is about something else than the passage.");
  }
  return { status: "kept" };
}

function defines(answer: string, subject: string): boolean {
  const after = answer.slice(answer.toLowerCase().indexOf(subject) + subject.length);
  return /^(?:\s+\S+){0,2}?\s+(?:is|are|was|were|means?|refers|ist|sind|bedeutet|est|sont|signifie|es|son|significa|è|sono|zijn|betekent|é|são)\s/iu.test(
    after,
  );
}

function asPassage(pair: Pair, passage: CheckedPassage): Passage {
  return {
    ...passage,
    documentId: pair.documentId,
    chunkId: pair.id,
    uri: "",
    title: "",
    charStart: pair.source.charStart,
    places: [],
    language: pair.language,
    cosine: null,
  };
}

const drop = (code: PairDropCode, reason: string): PairVerdict => ({
  status: "dropped",
  code,
  reason,
});
const shorten = (text: string): string => (text.length > 80 ? `${[...text].slice(0, 79).join("")}…` : text);

/** What masking, ours or that of whoever wrote the document, calls what it took out. A manual's [OPTIONS] is none. */
const maskedNames = [
  ...piiTypes,
  "PERSON",
  "NAME",
  "ADDRESS",
  "LOCATION",
  "DATE_OF_BIRTH",
  "REDACTED",
  "MASKED",
  "PII",
];
/** Placeholders that masking leaves behind: [EMAIL], <PHONE_1>, {{IBAN}}. */
const maskPattern = new RegExp(
  `(?:\\[|<|\\{\\{?|‹|⟨)(?:${maskedNames.join("|")})(?:[_:#-]?\\p{N}+)?(?:\\]|>|\\}\\}?|›|⟩)`,
  "u",
);

/** True when most of a text's word pairs stand in our own words. */
function copies(words: readonly string[], own: string): boolean {
  const pairsOf = (list: readonly string[]) => list.slice(1).map((word, index) => `${list[index]} ${word}`);
  const ownPairs = new Set(pairsOf(wordsOf(own).map((word) => foldWord(word.text))));
  const pairs = pairsOf(words);
  return pairs.length >= 3 && pairs.filter((pair) => ownPairs.has(pair)).length / pairs.length >= 0.7;
}

/** A yes/no question may be answered in its own words ("... cannot be returned"); any other needs a new one. */
function repeatsQuestion(pair: Pair, questionWords: readonly string[], answerWords: readonly string[]): boolean {
  if (answerWords.join(" ") === questionWords.join(" ") || /[?？]\s*$/u.test(pair.answer)) return true;
  const [first] = answerWords;
  if (first !== undefined && isYesNo(first)) return false;
  const asked = factsOf(pair.question, pair.language);
  const said = factsOf(pair.answer, pair.language);
  // A small teacher asks for the price of 17,400 euros: what there is to know stands in the question.
  const numbers = [...said.terms].filter((term) => /^\p{N}/u.test(term));
  if (pair.origin === "generated" && numbers.length > 0 && numbers.every((term) => asked.terms.has(term))) return true;
  const adds = [...said.terms].some((term) => !asked.terms.has(term)) || said.negated !== asked.negated;
  return !adds && opensWide.test(pair.question);
}
const opensWide =
  /^\P{L}*(?:who|what|when|where|which|why|how|wer|was|wann|wo|welch|warum|wie|qui|quoi|quand|où|quel|pourquoi|comment|combien|quién|qué|cuándo|dónde|cuál|cómo|cuánt)/iu;

/** The language whose function words clearly outnumber the document's own; null when in doubt. */
function otherLanguage(text: string, language: string | null): string | null {
  const own = (language ?? "").slice(0, 2).toLowerCase();
  if (!stemmedLanguages.includes(own)) return null;
  const words = wordsOf(text).map((word) => foldWord(word.text));
  const hits = (code: string) => words.filter((word) => languageTools(code).stopwords.has(word)).length;
  const expected = hits(own);
  const best = stemmedLanguages
    .map((code) => ({ code, count: hits(code) }))
    .reduce((left, right) => (right.count > left.count ? right : left));
  return best.count >= 4 && best.count >= expected * 3 ? best.code : null;
}
