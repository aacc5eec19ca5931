import { buildPrompt, type ChatMessage } from "../chat/build-prompt.ts";
import { formatQuote } from "../chat/parse-answer.ts";
import { type Passage } from "../chat/passage.ts";
import { refusalSentence } from "../chat/phrases.ts";
import { questionOverlap } from "../chat/relevance.ts";
import { selectQuote } from "../chat/select-quote.ts";
import { readPassages } from "../chat/support.ts";
import type { CountTokens } from "../indexing/chunk-units.ts";
import { stableUuid } from "../indexing/point-id.ts";
import type { Pair } from "./pair.ts";
import { seededRandom, shuffle } from "./seeded.ts";

export type ExampleKind = "closed-book" | "grounded" | "unanswerable";

export type Example = {
  /** What the trainer reads; the last message is the one it learns. */
  messages: ChatMessage[];
  metadata: {
    id: string;
    kind: ExampleKind;
    pairId: string;
    /** Every document whose text stands in the example, distractors too: all of them decide who may read it. */
    documentIds: string[];
    chunkIds: string[];
    source: Pair["source"];
  };
};

export type ExampleOptions = {
  seed: number;
  /** "both": every pair once alone and once with its passages; a number: the share of pairs with passages, else alone. */
  grounded: "both" | number;
  /** Share of pairs that are also asked with passages that do not answer, to teach the refusal. */
  unanswerableShare: number;
  /** At most this many passages beside the right one. */
  maxDistractors: number;
  instructions: string;
  contextTokens: number;
  countTokens?: CountTokens;
};

export const defaultExampleOptions: ExampleOptions = {
  seed: 1,
  grounded: "both",
  unanswerableShare: 0.1,
  maxDistractors: 2,
  instructions: "",
  contextTokens: 2048,
};

/**
 * Training examples made with the functions that serve, so that the adapter meets in training what it will meet in
 * chat: the same prompt, the same order, the same quote line.
 * @param passages the chunks of the split's documents, and of no others: a distractor must not leak a held-out document.
 */
export function buildExamples(
  pairs: readonly Pair[],
  passages: readonly Passage[],
  options: Partial<ExampleOptions> = {},
): Example[] {
  const settings = { ...defaultExampleOptions, ...options };
  const byDocument = Map.groupBy(passages, (passage) => passage.documentId);
  return pairs.flatMap((pair) => {
    const random = seededRandom(settings.seed, pair.id);
    const right = passageOf(pair, byDocument.get(pair.documentId) ?? []);
    const withPassages = settings.grounded === "both" || random() < settings.grounded;
    const examples: Example[] = [];
    if (settings.grounded === "both" || !withPassages || !right) examples.push(closedBook(pair, settings));
    if (withPassages && right) examples.push(...grounded(pair, right, passages, settings, random));
    if (random() < settings.unanswerableShare) examples.push(...unanswerable(pair, passages, settings, random));
    return examples;
  });
}

/** The chunk that holds most of a pair's span. */
export function passageOf(pair: Pair, passages: readonly Passage[]): Passage | null {
  let best: { passage: Passage; shared: number } | null = null;
  for (const passage of passages) {
    const start = Math.max(pair.source.charStart, passage.charStart);
    const end = Math.min(pair.source.charEnd, passage.charStart + passage.text.length);
    if (end > start && (!best || end - start > best.shared)) best = { passage, shared: end - start };
  }
  return best?.passage ?? null;
}

function closedBook(pair: Pair, settings: ExampleOptions): Example {
  const { messages } = buildPrompt({ ...promptBase(pair, settings), passages: null });
  return toExample("closed-book", pair, [], [...messages, { role: "assistant", content: pair.answer }]);
}

function grounded(
  pair: Pair,
  right: Passage,
  pool: readonly Passage[],
  settings: ExampleOptions,
  random: () => number,
): Example[] {
  const count = Math.floor(random() * (settings.maxDistractors + 1));
  const shown = shuffle([right, ...distractors(pair, pool, count, random)], random);
  const { messages, passageCount } = buildPrompt({
    ...promptBase(pair, settings),
    passages: shown,
  });
  const number = shown.indexOf(right) + 1;
  const quote = provingSentence(pair, right);
  if (number > passageCount || quote === null) return [];
  return [
    toExample("grounded", pair, shown.slice(0, passageCount), [
      ...messages,
      { role: "assistant", content: `${pair.answer}\n${formatQuote(number, quote)}` },
    ]),
  ];
}

function unanswerable(pair: Pair, pool: readonly Passage[], settings: ExampleOptions, random: () => number): Example[] {
  const shown = distractors(pair, pool, 1 + Math.floor(random() * Math.max(1, settings.maxDistractors)), random);
  if (shown.length === 0) return [];
  const { messages, passageCount } = buildPrompt({
    ...promptBase(pair, settings),
    passages: shown,
  });
  return [
    toExample("unanswerable", pair, shown.slice(0, passageCount), [
      ...messages,
      { role: "assistant", content: refusalSentence(pair.language) },
    ]),
  ];
}

/** Passages of other documents that share less than half of the question's words, so that they do not answer it too. */
function distractors(pair: Pair, pool: readonly Passage[], count: number, random: () => number): Passage[] {
  const found: Passage[] = [];
  for (let tries = 0; tries < count * 8 && found.length < count; tries += 1) {
    const passage = pool[Math.floor(random() * pool.length)];
    if (!passage || passage.documentId === pair.documentId || found.includes(passage)) continue;
    if (questionOverlap(pair.question, passage) < 0.5) found.push(passage);
  }
  return found;
}

/** The sentence or row of the pair's span that says most about the question, as it stands in the passage. */
function provingSentence(pair: Pair, passage: Passage): string | null {
  const start = pair.source.charStart - passage.charStart;
  const end = pair.source.charEnd - passage.charStart;
  const units = (readPassages([passage])[0] ?? []).filter(
    (unit) => unit.kind !== "label" && unit.start < end && unit.end > start,
  );
  const [unit] = selectQuote(`${pair.question} ${pair.answer}`, [units])?.units ?? units;
  return unit ? passage.text.slice(unit.start, unit.end) : null;
}

const promptBase = (pair: Pair, settings: ExampleOptions) => ({
  question: pair.question,
  history: [],
  instructions: settings.instructions,
  language: pair.language,
  contextTokens: settings.contextTokens,
  ...(settings.countTokens ? { countTokens: settings.countTokens } : {}),
});

function toExample(kind: ExampleKind, pair: Pair, shown: readonly Passage[], messages: ChatMessage[]): Example {
  return {
    messages,
    metadata: {
      id: stableUuid([kind, ...messages.flatMap((message) => [message.role, message.content])]),
      kind,
      pairId: pair.id,
      documentIds: [...new Set([pair.documentId, ...shown.map((passage) => passage.documentId)])].sort(),
      chunkIds: shown.map((passage) => passage.chunkId),
      source: pair.source,
    },
  };
}
