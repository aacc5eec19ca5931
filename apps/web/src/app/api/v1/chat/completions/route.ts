import { completeAsAssistant } from "#server/chat/complete-as-assistant.ts";
import { authenticateService } from "#server/gateway/authenticate.ts";
import { chatRequestSchema, completeChat } from "#server/gateway/complete-chat.ts";
import { routingTable } from "#server/gateway/gateway.ts";
import { requireKnownParameters } from "#server/gateway/known-parameters.ts";
import { openAiRoute, wrongMethod } from "#server/gateway/openai-error.ts";
import { readJson } from "#server/gateway/read-json.ts";
import { resolveModel } from "#server/gateway/resolve-model.ts";

/** OpenAI's `POST /chat/completions` for base models, adapter aliases and assistants. */
export const POST = openAiRoute("api/v1/chat/completions", async (request) => {
  const identity = await authenticateService(request);
  const body = chatRequestSchema.parse(await readJson(request));
  const table = routingTable();
  await requireKnownParameters(table, body);
  const target = await resolveModel(table, identity, body.model);
  return target.kind === "assistant"
    ? completeAsAssistant(table, identity, target.assistant, body, request.signal)
    : completeChat(table, identity, target, body, request.signal);
});

const refuse = wrongMethod("POST");
export { refuse as GET, refuse as PUT, refuse as PATCH, refuse as DELETE };
