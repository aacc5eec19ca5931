import { z } from "zod";
import { addTokenUsage } from "@anneal/db/queries/chat";
import type { Identity } from "#server/auth/identity.ts";
import { database } from "#server/database.ts";
import { requestEngine } from "#server/gateway/engine-request.ts";
import { relayEvents } from "#server/gateway/relay-events.ts";
import { resolveModel, type ModelTarget } from "#server/gateway/resolve-model.ts";
import type { RoutingTable } from "#server/gateway/routing-table.ts";
import { log } from "#server/log.ts";
import { metrics } from "#server/metrics.ts";

/** What we look at; everything else of the request goes to the engine as it is. */
export const chatRequestSchema = z.looseObject({
  model: z.string(),
  messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
});
export type ChatRequestBody = z.infer<typeof chatRequestSchema>;

const usageSchema = z.object({ usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }) });

/** A plain model call: the engine's own answer, byte for byte, with its tokens counted. */
export async function completeChat(
  table: RoutingTable,
  identity: Identity,
  target: Exclude<ModelTarget, { kind: "assistant" }>,
  body: ChatRequestBody,
  signal: AbortSignal,
): Promise<Response> {
  const wantsUsage = body.stream_options?.include_usage === true;
  const sent = body.stream ? { ...body, stream_options: { ...body.stream_options, include_usage: true } } : body;
  const response = await requestEngine(table, {
    path: "/v1/chat/completions",
    servingName: async () => (await resolveModel(table, identity, target.name)).servingName,
    body: sent,
    signal,
    labels: { workspace: identity.workspaceId, model: target.name, kind: target.kind },
  });
  const record = (text: string) => recordUsage(identity, target.name, text);
  if (!body.stream) {
    try {
      const text = await response.body.text();
      record(text);
      return new Response(text, { headers: { "content-type": response.contentType } });
    } finally {
      response.end();
    }
  }
  return new Response(relayEvents(response, { wantsUsage, onUsage: record }), {
    headers: { "content-type": "text/event-stream", "cache-control": "no-cache", "x-accel-buffering": "no" },
  });
}

/** Not waited for: an answer is not held back, nor lost, for its bookkeeping. */
export function recordUsage(identity: Identity, model: string, json: string): void {
  const parsed = usageSchema.safeParse(parseJson(json));
  if (!parsed.success) return;
  const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = parsed.data.usage;
  metrics().countTokens(identity, model, { promptTokens, completionTokens });
  addTokenUsage(
    { db: database(), workspaceId: identity.workspaceId },
    {
      userId: identity.userId,
      apiKeyId: identity.via.kind === "apiKey" ? identity.via.apiKeyId : null,
      model,
      promptTokens,
      completionTokens,
    },
  ).catch((error: unknown) => log.error({ err: String(error) }, "token usage could not be recorded"));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.trim());
  } catch {
    return null;
  }
}
