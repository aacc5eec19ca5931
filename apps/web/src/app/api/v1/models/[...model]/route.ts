import { database } from "#server/database.ts";
import { authenticateService } from "#server/gateway/authenticate.ts";
import { routingTable } from "#server/gateway/gateway.ts";
import { listMadeAt, retrieveModel } from "#server/gateway/list-models.ts";
import { openAiRoute, wrongMethod } from "#server/gateway/openai-error.ts";

/** OpenAI's `GET /models/{model}`: one that the key's owner may use. A base model's name may have slashes. */
export const GET = openAiRoute("api/v1/models", async (request) => {
  const identity = await authenticateService(request);
  const [, name = ""] = new URL(request.url).pathname.split("/api/v1/models/");
  const scope = { db: database(), workspaceId: identity.workspaceId };
  return Response.json(await retrieveModel(routingTable(), identity, decodeName(name), await listMadeAt(scope)));
});

/** What is no valid encoding is taken as it stands: there is no such model. */
function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

const refuse = wrongMethod("GET");
export { refuse as POST, refuse as PUT, refuse as PATCH, refuse as DELETE };
