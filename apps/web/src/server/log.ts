import { withoutParameters } from "@anneal/core/query-parameters";
import pino from "pino";

/**
 * JSON lines on stdout. Log ids and codes; never a secret, a password, a token or a document's text. A failed query
 * carries its parameters in its message and as a property: both are left out.
 */
export const log = pino({ name: "web", serializers: { err: describeError } });

export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error).slice(0, 500) };
  return {
    type: error.name,
    ...withoutParameters(error),
    ...("code" in error ? { code: error.code } : {}),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}
