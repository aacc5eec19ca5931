import { z } from "zod";
import type { ChatMessage } from "@anneal/core/chat/build-prompt";
import { AnnealError } from "@anneal/core/errors";
import {
  addMessage,
  addTokenUsage,
  createConversation,
  getConversation,
  type Assistant,
} from "@anneal/db/queries/chat";
import type { WireError } from "#lib/wire-error.ts";
import { answerQuestion, type AnswerStreamEvent, type AnswerTrace } from "#server/chat/answer-question.ts";
import { conversationTitle } from "#server/chat/conversation-title.ts";
import { historyOf, retriedTurn } from "#server/chat/conversation-turns.ts";
import type { MemberContext } from "#server/context.ts";
import { listModelTargets } from "#server/gateway/resolve-model.ts";
import type { RoutingTable } from "#server/gateway/routing-table.ts";
import { metrics } from "#server/metrics.ts";
import { reportError } from "#server/report-error.ts";

export const questionSchema = z.object({
  /** null begins a conversation. */
  conversationId: z.uuid().nullable(),
  assistantId: z.uuid(),
  question: z.string().trim().min(1).max(4_000),
  /** A message of the last question: it is asked again, and `question` is not stored a second time. */
  retryMessageId: z.uuid().optional(),
  /** Answers without keeping anything: for trying one assistant beside another. */
  trial: z.boolean().default(false),
});
export type Question = z.infer<typeof questionSchema>;

/** What a client of the chat receives, in this order: asked, passages, draft…, final, trace, saved; or error. */
export type ConverseEvent =
  | AnswerStreamEvent
  /** The question is stored; from here on the answer is too, whether or not anybody still listens. */
  | { type: "asked"; conversationId: string; questionId: string }
  | { type: "trace"; trace: AnswerTrace }
  | { type: "saved"; conversationId: string; messageId: string }
  | { type: "error"; report: WireError };

/** A question that may be answered and, unless it is a trial, is stored. */
export type Turn = {
  assistant: Assistant;
  question: string;
  history: ChatMessage[];
  stored: { conversationId: string; questionId: string; reserved: Reservation } | null;
};

/** The right to answer in a conversation: one at a time. It ends with the answer, or when the question is refused. */
type Reservation = { abort: AbortController; release(): void };

const shared = globalThis as typeof globalThis & {
  annealAnswering?: Map<string, AbortController>;
};
/** The answers that this process is making now, by person and conversation; one map, whichever bundle asks. */
const answering = (shared.annealAnswering ??= new Map());
const answerKey = (userId: string, conversationId: string) => `${userId} ${conversationId}`;

/** At once, so that of two questions at the same moment one is refused. */
function reserve(userId: string, conversationId: string): Reservation {
  const key = answerKey(userId, conversationId);
  if (answering.has(key))
    throw new AnnealError("ALREADY_RUNNING", "The question before this one is still being answered.", {
      action: "Wait for its answer, or stop it.",
    });
  const abort = new AbortController();
  answering.set(key, abort);
  return { abort, release: () => void answering.delete(key) };
}

/**
 * Everything that can refuse a question, before the first byte of an answer; stores the question. Whoever gets the
 * turn answers it with `answerTurn`: until then nothing else is answered in its conversation.
 * @throws AnnealError MODEL_UNKNOWN without the permission to use the assistant, NOT_FOUND, CONFLICT, ALREADY_RUNNING
 */
export async function prepareTurn(table: RoutingTable, context: MemberContext, asked: Question): Promise<Turn> {
  const { scope, identity } = context;
  const targets = await listModelTargets(table, identity);
  const target = targets.find((each) => each.kind === "assistant" && each.assistant.id === asked.assistantId);
  if (target?.kind !== "assistant")
    throw new AnnealError("MODEL_UNKNOWN", "There is no such assistant that you may use.", {
      action: "Choose another one, or ask an administrator of the workspace for the permission to use it.",
    });
  const { assistant } = target;
  if (asked.trial) return { assistant, question: asked.question, history: [], stored: null };
  if (asked.conversationId === null) {
    const title = conversationTitle(asked.question);
    const created = await createConversation(scope, { userId: identity.userId, assistantId: assistant.id, title });
    return prepareStored(context, asked, assistant, created.id);
  }
  return prepareStored(context, asked, assistant, asked.conversationId);
}

async function prepareStored(
  { scope, identity }: MemberContext,
  asked: Question,
  assistant: Assistant,
  conversationId: string,
): Promise<Turn> {
  const reserved = reserve(identity.userId, conversationId);
  try {
    const { messages } = await getConversation(scope, identity.userId, conversationId);
    if (asked.retryMessageId !== undefined) {
      const { question, questionId, before } = retriedTurn(messages, asked.retryMessageId);
      return { assistant, question, history: historyOf(before), stored: { conversationId, questionId, reserved } };
    }
    const message = await addMessage(scope, { conversationId, role: "user", content: asked.question });
    const stored = { conversationId, questionId: message.id, reserved };
    return { assistant, question: asked.question, history: historyOf(messages), stored };
  } catch (error) {
    reserved.release();
    throw error;
  }
}

/**
 * Answers and stores the answer, also when it fails. Never throws: a failure is the last event.
 * @param signal ends a trial; a stored answer ends only by `stopAnswer`, because its person may come back for it.
 */
export async function answerTurn(
  table: RoutingTable,
  context: MemberContext,
  turn: Turn,
  options: { emit(event: ConverseEvent): void; signal: AbortSignal },
): Promise<void> {
  const { emit } = options;
  const { stored } = turn;
  const stop = stored?.reserved.abort.signal;
  try {
    if (stored) emit({ type: "asked", conversationId: stored.conversationId, questionId: stored.questionId });
    const { outcome, usage, trace } = await relay(table, context, turn, stop ?? options.signal, emit);
    emit({ type: "trace", trace });
    await countTokens(context, turn.assistant.name, usage);
    if (!stored) return;
    const message = await addMessage(context.scope, {
      conversationId: stored.conversationId,
      role: "assistant",
      content: outcome.text,
      outcome: outcome.kind,
      citations: outcome.citations,
      trace: {
        ...trace,
        reason: "reason" in outcome ? outcome.reason : null,
        unsupported: "unsupported" in outcome ? outcome.unsupported : [],
      },
      model: turn.assistant.name,
      promptTokens: usage?.promptTokens ?? null,
      completionTokens: usage?.completionTokens ?? null,
    });
    emit({ type: "saved", conversationId: stored.conversationId, messageId: message.id });
  } catch (error) {
    const report = stop?.aborted || options.signal.aborted ? stopped : reportError(error, "chat.answer");
    if (stored) await saveFailure(context, turn, stored.conversationId, report);
    emit({ type: "error", report });
  } finally {
    stored?.reserved.release();
  }
}

/** @returns false when this process is not answering in that conversation of that person. */
export function stopAnswer(userId: string, conversationId: string): boolean {
  const running = answering.get(answerKey(userId, conversationId));
  running?.abort();
  return running !== undefined;
}

export function isAnswering(userId: string, conversationId: string): boolean {
  return answering.has(answerKey(userId, conversationId));
}

const stopped: WireError = {
  code: "CANCELLED",
  message: "The answer was stopped before it was checked.",
  action: "Ask again to get the whole answer.",
  id: null,
};

async function relay(
  table: RoutingTable,
  context: MemberContext,
  { assistant, question, history }: Turn,
  signal: AbortSignal,
  emit: (event: ConverseEvent) => void,
) {
  const answer = answerQuestion(table, context, { assistant, model: assistant.name, question, history, signal });
  for (;;) {
    const next = await answer.next();
    if (next.done) return next.value;
    emit(next.value);
  }
}

async function countTokens(
  { scope, identity }: MemberContext,
  model: string,
  usage: { promptTokens: number; completionTokens: number } | null,
): Promise<void> {
  if (!usage) return;
  const apiKeyId = identity.via.kind === "apiKey" ? identity.via.apiKeyId : null;
  metrics().countTokens(identity, model, usage);
  await addTokenUsage(scope, { userId: identity.userId, apiKeyId, model, ...usage });
}

/** The failure is the answer that the conversation shows; when not even that can be stored, the log has both. */
async function saveFailure(
  context: MemberContext,
  turn: Turn,
  conversationId: string,
  report: WireError,
): Promise<void> {
  try {
    await addMessage(context.scope, {
      conversationId,
      role: "assistant",
      content: "",
      outcome: "failed",
      trace: { report },
      model: turn.assistant.name,
    });
  } catch (error) {
    reportError(error, "chat.saveFailure");
  }
}
