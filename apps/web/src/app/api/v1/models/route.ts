import { authenticateService } from "#server/gateway/authenticate.ts";
import { routingTable } from "#server/gateway/gateway.ts";
import { openAiRoute, wrongMethod } from "#server/gateway/openai-error.ts";
import { listModelTargets } from "#server/gateway/resolve-model.ts";

/** OpenAI's `GET /models`: what the key's owner may use. */
export const GET = openAiRoute("api/v1/models", async (request) => {
  const identity = await authenticateService(request);
  const targets = await listModelTargets(routingTable(), identity);
  return Response.json({
    object: "list",
    data: targets.map(({ name, kind, servingName }) => ({
      id: name,
      object: "model",
      created: 0,
      owned_by: "anneal",
      anneal: { kind, servingName },
    })),
  });
});

const refuse = wrongMethod("GET");
export { refuse as POST, refuse as PUT, refuse as PATCH, refuse as DELETE };
