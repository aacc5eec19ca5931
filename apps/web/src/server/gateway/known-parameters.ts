import { z } from "zod";
import { AnnealError } from "@anneal/core/errors";
import type { RoutingTable } from "#server/gateway/routing-table.ts";

/** What OpenAI documents for chat completions: never questioned, whether the engine makes use of it or not. */
const openAiParameters = new Set(
  `model messages audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens
   metadata modalities n parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_retention
   reasoning_effort response_format safety_identifier seed service_tier stop store stream stream_options temperature
   tool_choice tools top_logprobs top_p user verbosity web_search_options`.split(/\s+/),
);

const openApiSchema = z.object({
  components: z.object({
    schemas: z.record(z.string(), z.looseObject({ properties: z.record(z.string(), z.unknown()).optional() })),
  }),
});

/** An engine makes its description when it is first asked for, which takes seconds on a busy machine. */
const askTimeoutMs = 20_000;
const shared = globalThis as typeof globalThis & { annealParameters?: Map<string, ReadonlySet<string> | null> };

/**
 * A mistyped parameter would be ignored by the engine without a word; here it is refused by name. Parameters of the
 * engine's own are those that its OpenAPI description lists; an engine without one takes everything.
 * @throws AnnealError INVALID_INPUT, with the parameter in its details
 */
export async function requireKnownParameters(table: RoutingTable, body: Record<string, unknown>): Promise<void> {
  const unusual = Object.keys(body).filter((name) => !openAiParameters.has(name));
  if (unusual.length === 0) return;
  const [replica] = (await table.replicas()).filter(({ status }) => status === "ready");
  const known = replica ? await engineParameters(replica.url) : null;
  const unknown = known && unusual.find((name) => !known.has(name));
  if (!unknown) return;
  throw new AnnealError("INVALID_INPUT", `There is no parameter ${JSON.stringify(unknown.slice(0, 100))}.`, {
    action: "Check its spelling, or leave it out: it would have no effect.",
    details: { param: unknown },
  });
}

async function engineParameters(url: string): Promise<ReadonlySet<string> | null> {
  shared.annealParameters ??= new Map();
  const stored = shared.annealParameters.get(url);
  if (stored !== undefined) return stored;
  try {
    const response = await fetch(`${url}/openapi.json`, {
      cache: "no-store",
      signal: AbortSignal.timeout(askTimeoutMs),
    });
    const parsed = openApiSchema.safeParse(response.ok ? await response.json() : null);
    const properties = parsed.data?.components.schemas["ChatCompletionRequest"]?.properties;
    const known = properties ? new Set(Object.keys(properties)) : null;
    // Who goes first is the gateway's to say, not a client's.
    known?.delete("priority");
    shared.annealParameters.set(url, known);
    return known;
  } catch {
    // It does not answer now: nothing is known, and the next request asks again.
    return null;
  }
}
