import type { Passage } from "@anneal/core/chat/passage";
import {
  generationPrompt,
  parseGeneratedPairs,
  parseGeneratedQuestion,
  questionPrompt,
  type GenerationRequest,
  type PairCandidate,
} from "@anneal/core/dataset/generate-pairs";
import { answerableSentences, locatePair } from "@anneal/core/dataset/locate-pair";
import type { Pair } from "@anneal/core/dataset/pair";
import { stableUuid } from "@anneal/core/indexing/point-id";
import type { InferenceClient } from "@anneal/engines/inference-client";

export type TaughtPairs = { pairs: Pair[]; dropped: { pair: Pair; code: string; reason: string }[] };

/** A model that writes questions about passages. What it says is only a candidate: `checkPair` decides. */
export type Teacher = {
  /** Part of the key under which pairs are stored: another teacher is asked anew. */
  identity: string;
  askAbout(passages: Passage[], signal: AbortSignal): Promise<TaughtPairs>;
};

/** In flight at once; the engine batches them. */
const parallelRequests = 8;
const pairsPerPassage = 3;

/**
 * @param style "questions" suits small models: we choose a sentence, the model writes only a question for it, so that the
 *   answer is the source's own words. "pairs" asks a capable model for whole pairs with quotes.
 */
export function createTeacher(options: {
  client: () => InferenceClient;
  model: string;
  style: "questions" | "pairs";
  /** Of its requests, where the engine knows priorities: people should not wait for a dataset. */
  priority?: number | undefined;
}): Teacher {
  const { client, model, style, priority } = options;
  async function ask(request: GenerationRequest, maxTokens: number, signal: AbortSignal): Promise<string> {
    const { text } = await client().chat({
      model,
      messages: request.messages,
      maxTokens,
      temperature: 0,
      seed: 1,
      ...(priority === undefined ? {} : { priority }),
      ...(request.responseFormat ? { responseFormat: request.responseFormat } : {}),
      signal,
    });
    return text;
  }

  async function askForPairs(passage: Passage, signal: AbortSignal): Promise<PairCandidate[]> {
    return parseGeneratedPairs(await ask(generationPrompt(passage, pairsPerPassage), 700, signal));
  }

  async function askForQuestions(passage: Passage, signal: AbortSignal): Promise<PairCandidate[]> {
    // A table's row is shown as "column: value; …", which a small model cannot turn into a question.
    const sentences = answerableSentences(passage).filter(({ text, display }) => text === display);
    const candidates = await Promise.all(
      sentences.slice(0, pairsPerPassage).map(async ({ text }): Promise<PairCandidate[]> => {
        const question = parseGeneratedQuestion(await ask(questionPrompt(text), 48, signal));
        return question === null ? [] : [{ question, answer: text, quote: null }];
      }),
    );
    return candidates.flat();
  }

  return {
    identity: `${model}:${style}`,
    async askAbout(passages, signal) {
      const taught: TaughtPairs = { pairs: [], dropped: [] };
      const work = passages.values();
      const lanes = Array.from({ length: parallelRequests }, async () => {
        for (const passage of work) {
          const candidates = await (style === "pairs"
            ? askForPairs(passage, signal)
            : askForQuestions(passage, signal));
          for (const candidate of candidates) {
            const pair = locatePair(candidate, passage);
            if (pair !== null) taught.pairs.push(pair);
            else taught.dropped.push(unsupported(candidate, passage));
          }
        }
      });
      await Promise.all(lanes);
      // The lanes finish in any order; the dataset's digest must not depend on it.
      const byId = (left: Pair, right: Pair) => (left.id < right.id ? -1 : 1);
      taught.pairs.sort(byId);
      taught.dropped.sort((left, right) => byId(left.pair, right.pair));
      return taught;
    },
  };
}

function unsupported(candidate: PairCandidate, passage: Passage): TaughtPairs["dropped"][number] {
  return {
    code: "UNSUPPORTED",
    reason: "The passage does not say what the answer says.",
    pair: {
      id: stableUuid([passage.chunkId, candidate.question, candidate.answer, "unsupported"]),
      documentId: passage.documentId,
      question: candidate.question,
      answer: candidate.answer,
      origin: "generated",
      language: passage.language,
      source: {
        charStart: passage.charStart,
        charEnd: passage.charStart + passage.text.length,
        quote: passage.text,
        section: [],
        page: null,
        container: null,
      },
    },
  };
}
