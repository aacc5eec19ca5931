import { factsOf } from "./facts.ts";
import { lacksVerb } from "./garbled.ts";
import { inventedWord } from "./invented-word.ts";
import { numberMisfit } from "./number-scope.ts";
import { parseAnswer, squeeze, verifyQuote } from "./parse-answer.ts";
import { type AnswerCitation, citePassage, type Passage } from "./passage.ts";
import { isRefusal, quotedLeadIn, refusalSentence } from "./phrases.ts";
import { defaultRelevanceOptions, type RelevanceOptions, selectRelevant } from "./relevance.ts";
import { quotableText } from "./rank-units.ts";
import { selectQuote } from "./select-quote.ts";
import {
  claimsOf,
  defaultSupportOptions,
  findSupport,
  findSupportInQuote,
  readPassages,
  type Support,
  type SupportOptions,
  vocabularyOf,
} from "./support.ts";
import { createTarget, defaultTargetOptions, type TargetOptions } from "./target.ts";
import type { Unit } from "./units.ts";

export type RefusalReason = "NO_PASSAGES" | "NOTHING_RELEVANT" | "MODEL_REFUSED" | "UNSUPPORTED";

/** What may be shown. `text` is complete: the answer's sentences with marks such as [1], the marked quote, or the refusal. */
export type GroundedAnswer =
  | {
      kind: "grounded";
      text: string;
      citations: AnswerCitation[];
      /** Sentences of the model that no passage supports; left out of `text`, kept for the record. */
      unsupported: string[];
    }
  | {
      kind: "quoted";
      text: string;
      citations: AnswerCitation[];
      reason: "MODEL_REFUSED" | "UNSUPPORTED";
      unsupported: string[];
    }
  | { kind: "refused"; text: string; citations: []; reason: RefusalReason };

export type GroundingRequest = {
  /** The model's words. */
  answer: string;
  /** The model had to stop where it was: half a sentence at the end is left out. */
  cutOff?: boolean;
  /** The question as it was searched for: for a follow-up, the stand-alone form. */
  question: string;
  /** What retrieval returned and the prompt showed, best first. */
  passages: readonly Passage[];
  /** Of our own sentences; by default the first passage's. */
  language?: string | null;
  support?: Partial<SupportOptions>;
  relevance?: RelevanceOptions;
  /**
   * Cosine of the question and each of `quotableSentences(passages)`, where the caller has embedded them: finds the
   * sentence to quote when it shares no word with the question, and tells a true sentence from one that answers.
   */
  similarity?: ReadonlyMap<string, number>;
  /** How closely the passages and the model's sentences must speak to the question; only used with `similarity`. */
  target?: TargetOptions;
  /** A model that refuses is believed unless a passage covers this share of the question; default 0.75. */
  refusalCoverage?: number;
};

/**
 * Turns a draft into something that can be stood behind: supported sentences with citations; else, when the passages
 * speak to the question, the best sentence itself, marked as a quote; else an honest refusal. Nothing that the passages
 * say can change this: they are only ever matched and quoted.
 */
export function groundAnswer(request: GroundingRequest): GroundedAnswer {
  const reader = createReader(request);
  if (!reader.documents.length)
    return refuse(request, request.passages.length === 0 ? "NO_PASSAGES" : "NOTHING_RELEVANT");

  const parsed = parseAnswer(request.answer);
  const quoted = parsed.quotes.map((quote) => verifyQuote(quote.text, reader.documents));
  const claims = request.cutOff ? withoutFragment(claimsOf(parsed.answer)) : claimsOf(parsed.answer);
  const composer = createComposer();
  const unsupported: string[] = [];
  let refused = false;
  for (const claim of claims) {
    if (isRefusal(claim.text)) {
      refused = true;
      continue;
    }
    const answered = composer.citations.length > 0;
    const supports = reader.support(claim.text, answered) ?? reader.supportByQuote(claim.text, quoted, answered);
    if (supports) composer.add(claim, supports);
    else unsupported.push(claim.text);
  }
  if (composer.citations.length > 0)
    return { kind: "grounded", text: composer.text(), citations: composer.citations, unsupported };
  return quoteInstead(
    request,
    reader.documents,
    new Set(quoted.flat()),
    refused && unsupported.length === 0,
    unsupported,
  );
}

/** Without a last sentence that stops in its middle. */
function withoutFragment<T extends { text: string }>(claims: readonly T[]): readonly T[] {
  const last = claims.findLastIndex(({ text }) => /[\p{L}\p{N}]/u.test(text));
  return /[\p{L}\p{N},;–-]$/u.test(claims[last]?.text ?? "") ? claims.slice(0, last) : claims;
}

/** A question, or a line that only announces what follows. */
const claimless = /[?？:：]["”»)]*$/u;

/** What one request's passages can vouch for; shared by the whole answer and by the sentence gate. */
export function createReader(request: Omit<GroundingRequest, "answer">) {
  const relevant = selectRelevant(request.question, request.passages, request.relevance ?? defaultRelevanceOptions);
  const read = readPassages(relevant);
  const target = createTarget(request.question, read, request.similarity, request.target ?? defaultTargetOptions);
  const documents = target.reached ? read : [];
  const options = {
    ...defaultSupportOptions,
    ...request.support,
    question: request.question,
    vocabulary: vocabularyOf(read),
  };
  /** A true sentence about something else is no answer: claim or source must share a word with the question. */
  const onTopic = (claim: string, units: readonly Unit[]): boolean => {
    const language = units[0]?.passage.language ?? null;
    const asked = factsOf(request.question, language).terms;
    if (![...asked].some((term) => documents.flat().some((unit) => unit.facts.terms.has(term) || unit.lead.has(term))))
      return true;
    const claimed = factsOf(claim, language).terms;
    return [...asked].some(
      (term) => claimed.has(term) || units.some((unit) => unit.facts.terms.has(term) || unit.lead.has(term)),
    );
  };
  const headings = new Set(
    relevant.flatMap((passage) => [passage.context, ...passage.context.split(" > ")]).map(squeeze),
  );
  /** A question claims nothing, nor does a heading; a weak model repeats both. */
  const claimsNothing = (claim: string) =>
    claimless.test(claim) || headings.has(squeeze(claim.replace(/^\s*\p{N}{1,2}[.)]\s/u, "")));
  const checked = (claim: string, supports: Support[] | null, answered: boolean) => {
    const units = supports?.flatMap((support) => support.units) ?? [];
    if (!supports || !onTopic(claim, units) || !target.meets(claim, units, answered)) return null;
    if (lacksVerb(claim, units) || inventedWord(claim, request.question, documents) !== null) return null;
    return numberMisfit(claim, request.question, units, documents) === null ? supports : null;
  };
  return {
    /** Empty when nothing in the passages speaks to the question. */
    documents,
    /** @param answered whether an earlier sentence answers the question, so that this one may only add to it. */
    support: (claim: string, answered: boolean): Support[] | null =>
      claimsNothing(claim) ? null : checked(claim, findSupport(claim, documents, options), answered),
    supportByQuote(claim: string, quoted: readonly Unit[][], answered: boolean): Support[] | null {
      for (const units of quoted) {
        const supports =
          units.length > 0 && !claimsNothing(claim)
            ? checked(claim, findSupportInQuote(claim, units, options), answered)
            : null;
        if (supports) return supports;
      }
      return null;
    },
  };
}

/** What may be quoted, each behind its headings: some dozens of short texts to embed for `similarity`. */
export function quotableSentences(passages: readonly Passage[]): string[] {
  const units = readPassages(passages)
    .flat()
    .filter((unit) => unit.kind !== "label");
  return [...new Set(units.map(quotableText))];
}

/** Puts supported sentences together, numbering each source once and leaving out a sentence said before. */
export function createComposer() {
  const citations: AnswerCitation[] = [];
  const said = new Set<string>();
  let text = "";
  const cite = (units: readonly Unit[]): number => {
    const [first] = units;
    const last = units.at(-1);
    if (!first || !last) return 0;
    const next = citePassage(first.passage, { start: first.start, end: last.end }, citations.length + 1);
    const same = citations.find(
      (each) => each.chunkId === next.chunkId && each.charStart === next.charStart && each.charEnd === next.charEnd,
    );
    if (!same) citations.push(next);
    return same?.number ?? next.number;
  };
  return {
    citations,
    text: () => text,
    /** @returns what was appended: "" for a repetition. */
    add(claim: { text: string; gap: string }, supports: readonly Support[]): string {
      const key = claim.text.toLowerCase().replace(/\s+/g, " ");
      if (said.has(key)) return "";
      said.add(key);
      const marks = [...new Set(supports.map((support) => cite(support.units)))]
        .map((number) => `[${number}]`)
        .join("");
      const appended = `${text === "" ? "" : claim.gap}${claim.text} ${marks}`;
      text += appended;
      return appended;
    },
  };
}

function quoteInstead(
  request: GroundingRequest,
  documents: readonly Unit[][],
  preferred: ReadonlySet<Unit>,
  refused: boolean,
  unsupported: string[],
): GroundedAnswer {
  const quote = selectQuote(request.question, documents, { preferred, similarity: request.similarity });
  const reason = refused ? "MODEL_REFUSED" : "UNSUPPORTED";
  if (!quote || (refused && quote.coverage < (request.refusalCoverage ?? 0.75))) return refuse(request, reason);
  const [first] = quote.units;
  const last = quote.units.at(-1);
  if (!first || !last) return refuse(request, reason);
  const citation = citePassage(first.passage, { start: first.start, end: last.end }, 1);
  const shown = quote.units.map((unit) => unit.display).join(first.kind === "row" ? " · " : " ");
  return {
    kind: "quoted",
    text: `${quotedLeadIn(languageOf(request))} “${shown}” [1]`,
    citations: [citation],
    reason,
    unsupported,
  };
}

function refuse(request: Pick<GroundingRequest, "language" | "passages">, reason: RefusalReason): GroundedAnswer {
  return { kind: "refused", text: refusalSentence(languageOf(request)), citations: [], reason };
}

const languageOf = (request: Pick<GroundingRequest, "language" | "passages">): string | null =>
  request.language ?? request.passages[0]?.language ?? null;
