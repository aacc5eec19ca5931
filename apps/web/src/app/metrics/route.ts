import { AnnealError } from "@anneal/core/errors";
import type { Role } from "#server/auth/identity.ts";
import { authenticateService } from "#server/gateway/authenticate.ts";
import { openAiRoute } from "#server/gateway/openai-error.ts";
import { metrics } from "#server/metrics.ts";

const readers: readonly Role[] = ["admin", "operator", "service"];

/**
 * Prometheus' scrape target; it sends the key as `authorization: { credentials_file }`. Where a request came from opens
 * nothing: behind a proxy on the same machine everybody comes from loopback.
 */
export const GET = openAiRoute("metrics", async (request) => {
  const identity = await authenticateService(request);
  if (!readers.includes(identity.role))
    throw new AnnealError("FORBIDDEN", "This API key may not read metrics.", {
      action: "Use a key of an administrator, an operator or a service.",
    });
  return new Response(await metrics().describeFor(identity.workspaceId), {
    headers: { "content-type": metrics().registry.contentType, "cache-control": "private, no-store" },
  });
});
