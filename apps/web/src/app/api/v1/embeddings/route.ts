import { z } from "zod";
import { AnnealError } from "@anneal/core/errors";
import { env } from "#env.ts";
import { authenticateService } from "#server/gateway/authenticate.ts";
import { recordUsage } from "#server/gateway/complete-chat.ts";
import { routingTable } from "#server/gateway/gateway.ts";
import { openAiRoute, wrongMethod } from "#server/gateway/openai-error.ts";
import { readJson } from "#server/gateway/read-json.ts";
import { mayEmbed } from "#server/gateway/resolve-model.ts";

const requestSchema = z.looseObject({ input: z.unknown(), model: z.string().optional() });

/** OpenAI's `POST /embeddings`, by the model that the index uses, so that vectors can be compared with it. */
export const POST = openAiRoute("api/v1/embeddings", async (request) => {
  const identity = await authenticateService(request);
  const { ANNEAL_EMBEDDINGS_URL: url, ANNEAL_EMBEDDINGS_MODEL: model, ANNEAL_EMBEDDINGS_API_KEY: apiKey } = env();
  const body = requestSchema.parse(await readJson(request));
  const granted = await mayEmbed(routingTable(), identity);
  if (!granted || (body.model !== undefined && body.model !== model)) {
    const named = body.model === undefined ? "" : ` ${JSON.stringify(body.model.slice(0, 100))}`;
    throw new AnnealError("MODEL_UNKNOWN", `There is no embedding model${named} that you may use.`, {
      action: granted ? `Use ${model}.` : "Ask an administrator of the workspace for the base model's permission.",
    });
  }
  const response = await fetch(`${url}/embeddings`, {
    method: "POST",
    cache: "no-store",
    headers: { "content-type": "application/json", ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
    body: JSON.stringify({ ...body, model }),
    signal: request.signal,
  });
  const text = await response.text();
  if (!response.ok) {
    throw new AnnealError(
      response.status < 500 ? "INVALID_INPUT" : "ENGINE_UNAVAILABLE",
      "The embeddings server refused the request.",
      {
        action: "Send `input` as a text or a list of texts within the model's limits.",
        details: { engineMessage: text.slice(0, 300) },
      },
    );
  }
  recordUsage(
    identity,
    model,
    text.replace(/"completion_tokens":\d+,?/, "").replace('"usage":{', '"usage":{"completion_tokens":0,'),
  );
  return new Response(text, { headers: { "content-type": "application/json" } });
});

const refuse = wrongMethod("POST");
export { refuse as GET, refuse as PUT, refuse as PATCH, refuse as DELETE };
