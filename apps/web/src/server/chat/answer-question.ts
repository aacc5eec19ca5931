import { z } from "zod";
import type { AnswerEvent, TokenUsage } from "@anneal/core/chat/answer-event";
import { buildPrompt, type ChatMessage } from "@anneal/core/chat/build-prompt";
import { quotableSentences, type GroundedAnswer } from "@anneal/core/chat/ground-answer";
import { sectionLabel } from "@anneal/core/chat/passage";
import { languageOfQuestion } from "@anneal/core/chat/question-terms";
import { createSentenceGate } from "@anneal/core/chat/sentence-gate";
import { standaloneQuestion } from "@anneal/core/chat/standalone-question";
import { cosineSimilarity } from "@anneal/core/indexing/retrieval-query";
import { readServerSentEvents } from "@anneal/engines/inference-client";
import type { Assistant } from "@anneal/db/queries/chat";
import type { MemberContext } from "#server/context.ts";
import { retrieve, retrievalEngines, type Retrieval } from "#server/chat/retrieve.ts";
import { requestEngine } from "#server/gateway/engine-request.ts";
import { resolveModel } from "#server/gateway/resolve-model.ts";
import type { RoutingTable } from "#server/gateway/routing-table.ts";
import { metrics } from "#server/metrics.ts";

/** What an assistant may be set to; stored as JSON beside it. */
export const assistantSettingsSchema = z.object({
  sourceIds: z.array(z.string()).optional(),
  passages: z.number().int().min(1).max(20).default(4),
  contextTokens: z.number().int().min(256).max(1_000_000).default(2048),
  answerTokens: z.number().int().min(16).max(8192).default(160),
  temperature: z.number().min(0).max(2).default(0),
});

export type AnswerRequest = {
  assistant: Assistant;
  /** The name that permissions and usage know: "assistant:<name>" is checked before. */
  model: string;
  question: string;
  history: ChatMessage[];
  signal: AbortSignal;
};

/** Everything that made an answer, kept with it: what was found, what was held back, how long each step took. */
export type AnswerTrace = {
  searchedFor: string;
  found: number;
  forbidden: number;
  used: { title: string; section: string | null; cosine: number | null }[];
  embedMs: number;
  searchMs: number;
  firstTokenMs: number | null;
  totalMs: number;
  servingName: string | null;
  draft: string;
};

/**
 * More passages vouch and are quoted from than a small model can read: with six for its four, the right sentence of two
 * more questions in 45 is among them.
 */
const groundedShare = 1.5;

/** Passages of 180 tokens hold about ten sentences each; a sentence beyond this is ranked by its words alone. */
const maxEmbeddedSentences = 100;

/** `verified` is text that can be shown for good: an answer's events in the order in which they may be streamed. */
export type AnswerStreamEvent = AnswerEvent | { type: "verified"; text: string };

const deltaSchema = z.object({
  choices: z.array(
    z.object({ delta: z.object({ content: z.string().nullish() }), finish_reason: z.string().nullish() }),
  ),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).nullish(),
});

/**
 * One path for the portal, the API and the command line: search with the asker's rights, prompt, let the model speak,
 * show only what the passages support.
 */
export async function* answerQuestion(
  table: RoutingTable,
  context: Pick<MemberContext, "scope" | "identity">,
  request: AnswerRequest,
): AsyncGenerator<AnswerStreamEvent, { outcome: GroundedAnswer; usage: TokenUsage | null; trace: AnswerTrace }> {
  const { assistant, question, history, signal } = request;
  const settings = assistantSettingsSchema.parse(assistant.settings);
  const startedAt = performance.now();
  const searchedFor = standaloneQuestion(question, history, null);
  const retrieval: Retrieval =
    assistant.collectionId === null
      ? { passages: [], found: 0, forbidden: 0, embedMs: 0, searchMs: 0 }
      : await retrieve(context, {
          collectionId: assistant.collectionId,
          question: searchedFor,
          sourceIds: settings.sourceIds,
          limit: Math.ceil(settings.passages * groundedShare),
          signal,
        });
  const { passages } = retrieval;
  yield {
    type: "passages",
    passages: passages.map(({ documentId, chunkId, title, uri, places }) => ({
      documentId,
      chunkId,
      title,
      uri,
      page: places[0]?.page ?? null,
      section: sectionLabel(title, places[0]?.section ?? []),
    })),
  };

  // The first passage's may be another: an English question can find a German page.
  const language = languageOfQuestion(searchedFor) ?? passages[0]?.language ?? null;
  const similarity = await sentenceSimilarity(searchedFor, passages, signal);
  const gate = createSentenceGate({ question: searchedFor, passages, language, similarity });
  let usage: TokenUsage | null = null;
  let servingName: string | null = null;
  let draft = "";
  let cutOff = false;
  let firstTokenMs: number | null = null;
  // Without passages there is nothing to answer from, and no reason to let a model guess.
  if (passages.length > 0) {
    const prompt = buildPrompt({
      question,
      history,
      passages: passages.slice(0, settings.passages),
      instructions: assistant.instructions,
      language,
      contextTokens: settings.contextTokens,
      answerTokens: settings.answerTokens,
    });
    const response = await requestEngine(table, {
      path: "/v1/chat/completions",
      servingName: async () => (servingName = (await resolveModel(table, context.identity, request.model)).servingName),
      body: {
        messages: prompt.messages,
        max_tokens: settings.answerTokens,
        temperature: settings.temperature,
        stream: true,
        stream_options: { include_usage: true },
      },
      signal,
      labels: { workspace: context.identity.workspaceId, model: request.model, kind: "assistant" },
    });
    try {
      for await (const data of readServerSentEvents(response.body)) {
        if (data === "[DONE]") break;
        const chunk = deltaSchema.parse(JSON.parse(data));
        if (chunk.usage)
          usage = { promptTokens: chunk.usage.prompt_tokens, completionTokens: chunk.usage.completion_tokens };
        const [choice] = chunk.choices;
        cutOff ||= choice?.finish_reason === "length";
        const delta = choice?.delta.content;
        if (!delta) continue;
        response.firstToken();
        firstTokenMs ??= Math.round(performance.now() - startedAt);
        draft += delta;
        yield { type: "draft", delta };
        const text = gate.push(delta);
        if (text !== "") yield { type: "verified", text };
      }
    } finally {
      response.end();
    }
  }
  const { text, outcome } = gate.end(cutOff);
  if (text !== "") yield { type: "verified", text };
  metrics().countAnswer(context.identity, request.model, outcome.kind);
  yield { type: "final", outcome, usage };
  const trace: AnswerTrace = {
    searchedFor,
    found: retrieval.found,
    forbidden: retrieval.forbidden,
    used: passages.map(({ title, places, cosine }) => ({
      title,
      section: sectionLabel(title, places[0]?.section ?? []),
      cosine,
    })),
    embedMs: retrieval.embedMs,
    searchMs: retrieval.searchMs,
    firstTokenMs,
    totalMs: Math.round(performance.now() - startedAt),
    servingName,
    draft,
  };
  return { outcome, usage, trace };
}

/** How near each sentence that could be quoted is to the question: what finds the best one, and tells when none answers. */
async function sentenceSimilarity(
  question: string,
  passages: Retrieval["passages"],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const sentences = quotableSentences(passages).slice(0, maxEmbeddedSentences);
  if (sentences.length === 0) return new Map();
  const [asked, ...vectors] = await retrievalEngines().embeddings.embed([question, ...sentences], signal);
  return new Map(sentences.map((sentence, index) => [sentence, cosineSimilarity(asked!, vectors[index]!)]));
}
