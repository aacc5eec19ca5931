import { AnnealError } from "@anneal/core/errors";
import { errorMap } from "#server/error-map.ts";
import { expectedError, reportError } from "#server/report-error.ts";

/** A failure in the shape that OpenAI's clients read, with our action and support id beside it. */
export function openAiError(error: unknown, where: string): Response {
  const report = reportError(error, where);
  const expected = expectedError(error);
  const status = expected ? errorMap[expected.code].http : 500;
  const type = status === 401 ? "authentication_error" : status >= 500 ? "server_error" : "invalid_request_error";
  const { code, message, action, id } = report;
  const { param = null, allow } = expected?.details ?? {};
  const headers: Record<string, string> = {};
  if (status === 429 || status === 503) headers["retry-after"] = "2";
  if (typeof allow === "string") headers["allow"] = allow;
  return Response.json({ error: { message, type, code, action, id, param } }, { status, headers });
}

/** Wraps a route of the API: whatever it throws leaves in OpenAI's shape. */
export function openAiRoute(where: string, handle: (request: Request) => Promise<Response>) {
  return async (request: Request): Promise<Response> => {
    try {
      return await handle(request);
    } catch (error) {
      return openAiError(error, where);
    }
  };
}

/** For the methods that a path of the API does not have. */
export function wrongMethod(allow: "GET" | "POST"): (request: Request) => Promise<Response> {
  return openAiRoute("api/v1", async ({ method, url }) => {
    const path = new URL(url).pathname;
    throw new AnnealError("METHOD_NOT_ALLOWED", `${path} does not take ${method}.`, {
      action: `Send it as ${allow}.`,
      details: { allow },
    });
  });
}

export function unauthenticated(): AnnealError {
  return new AnnealError("UNAUTHENTICATED", "The API key is missing, unknown, expired or revoked.", {
    action: "Send `Authorization: Bearer ank_…` with a key from the Access page.",
  });
}
