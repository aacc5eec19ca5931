import { AnnealError } from "@anneal/core/errors";
import { openAiRoute } from "#server/gateway/openai-error.ts";

/** Whatever the API does not have is refused in the shape that its clients read. */
const refuse = openAiRoute("api/v1", async ({ method, url }) => {
  throw new AnnealError("NOT_FOUND", `There is no ${method} ${new URL(url).pathname.slice(0, 200)}.`, {
    action: "Ask /api/v1/models, /api/v1/chat/completions or /api/v1/embeddings.",
  });
});
export { refuse as GET, refuse as POST, refuse as PUT, refuse as PATCH, refuse as DELETE };
