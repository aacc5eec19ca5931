import { database } from "#server/database.ts";
import { authenticateService } from "#server/gateway/authenticate.ts";
import { routingTable } from "#server/gateway/gateway.ts";
import { listMadeAt, listModels } from "#server/gateway/list-models.ts";
import { openAiRoute, wrongMethod } from "#server/gateway/openai-error.ts";

/** OpenAI's `GET /models`: what the key's owner may use. */
export const GET = openAiRoute("api/v1/models", async (request) => {
  const identity = await authenticateService(request);
  const scope = { db: database(), workspaceId: identity.workspaceId };
  const data = await listModels(routingTable(), identity, await listMadeAt(scope));
  return Response.json({ object: "list", data });
});

const refuse = wrongMethod("GET");
export { refuse as POST, refuse as PUT, refuse as PATCH, refuse as DELETE };
