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
  return Response.json(
    { error: { message, type, code, action, id, param: null } },
    { status, headers: status === 429 || status === 503 ? { "retry-after": "2" } : {} },
  );
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

export function unauthenticated(): AnnealError {
  return new AnnealError("UNAUTHENTICATED", "The API key is missing, unknown, expired or revoked.", {
    action: "Send `Authorization: Bearer ank_…` with a key from the Access page.",
  });
}
