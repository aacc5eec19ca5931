import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import type { ChatMessage } from "@anneal/core/chat/build-prompt";
import { AnnealError } from "@anneal/core/errors";
import type { Assistant } from "@anneal/db/queries/chat";
import type { Identity } from "#server/auth/identity.ts";
import { answerQuestion } from "#server/chat/answer-question.ts";
import { database } from "#server/database.ts";
import { recordUsage, type ChatRequestBody } from "#server/gateway/complete-chat.ts";
import type { RoutingTable } from "#server/gateway/routing-table.ts";

/** An assistant behind OpenAI's chat completions: only verified text is sent, and the citations come beside it. */
export async function completeAsAssistant(
  table: RoutingTable,
  identity: Identity,
  assistant: Assistant,
  body: ChatRequestBody,
  signal: AbortSignal,
): Promise<Response> {
  const { question, history } = readConversation(body);
  const context = { identity, scope: { db: database(), workspaceId: identity.workspaceId } };
  const answer = answerQuestion(table, context, { assistant, model: assistant.name, question, history, signal });
  const envelope = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model: assistant.name };

  const finish = (result: Answer) => {
    const { outcome, usage, trace } = result;
    const counted = {
      prompt_tokens: usage?.promptTokens ?? 0,
      completion_tokens: usage?.completionTokens ?? 0,
      total_tokens: (usage?.promptTokens ?? 0) + (usage?.completionTokens ?? 0),
    };
    recordUsage(identity, assistant.name, JSON.stringify({ usage: counted }));
    const anneal = {
      outcome: outcome.kind,
      refused: outcome.kind === "refused",
      citations: outcome.citations,
      servingName: trace.servingName,
    };
    return { counted, anneal };
  };

  if (!body.stream) {
    const result = await drain(answer);
    const { counted, anneal } = finish(result);
    return Response.json({
      ...envelope,
      object: "chat.completion",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: result.outcome.text },
          finish_reason: "stop",
          logprobs: null,
        },
      ],
      usage: counted,
      anneal,
    });
  }

  const chunk = (delta: object, rest: object = {}) =>
    `data: ${JSON.stringify({ ...envelope, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: null }], ...rest })}\n\n`;
  async function* events(): AsyncGenerator<string> {
    yield chunk({ role: "assistant", content: "" });
    for (;;) {
      const next = await answer.next();
      if (next.done) {
        const { counted, anneal } = finish(next.value);
        yield chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: "stop" }], anneal });
        if (body.stream_options?.include_usage) yield chunk({}, { choices: [], usage: counted });
        yield "data: [DONE]\n\n";
        return;
      }
      if (next.value.type === "verified") yield chunk({ content: next.value.text });
    }
  }
  return new Response(streamOf(events()), {
    headers: { "content-type": "text/event-stream", "cache-control": "no-cache", "x-accel-buffering": "no" },
  });
}

/** Node's own stream, which stops asking for more when the client has gone. */
function streamOf(events: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  return Readable.toWeb(Readable.from(events, { objectMode: false })) as ReadableStream<Uint8Array>;
}

type Answer = Awaited<ReturnType<typeof drain>>;

async function drain(answer: ReturnType<typeof answerQuestion>) {
  for (;;) {
    const next = await answer.next();
    if (next.done) return next.value;
  }
}

/** The last user message is the question. System messages are the assistant's owner's to write, not the caller's. */
function readConversation(body: ChatRequestBody): { question: string; history: ChatMessage[] } {
  const turns = body.messages.flatMap(({ role, content }): ChatMessage[] => {
    if (role !== "user" && role !== "assistant") return [];
    return [{ role, content: textOf(content) }];
  });
  const last = turns.at(-1);
  if (last?.role !== "user" || last.content.trim() === "") {
    throw new AnnealError("INVALID_INPUT", "The last message is not a question of the user.", {
      action: 'Send messages whose last one has the role "user" and a text.',
    });
  }
  return { question: last.content, history: turns.slice(0, -1) };
}

/** OpenAI's content is a string or a list of parts; only text can be answered from documents. */
function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .flatMap((part: unknown) =>
      typeof part === "object" && part !== null && "text" in part && typeof part.text === "string" ? [part.text] : [],
    )
    .join("\n");
}
