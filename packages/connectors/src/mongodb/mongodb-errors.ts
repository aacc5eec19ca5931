import { AnnealError } from "@anneal/core/errors";
import { MongoServerError, MongoServerSelectionError } from "mongodb";
import { findAnnealError, systemCode, unreachable } from "../failure.ts";
import { RateLimited } from "../remote/rate-limited.ts";
import type { MongodbConfig } from "./config.ts";

/**
 * Codes: https://www.mongodb.com/docs/manual/reference/error-codes/
 * @param what the collection, or null for the database as a whole
 */
export function toMongodbError(error: unknown, config: MongodbConfig, what: string | null): AnnealError {
  const cause = error instanceof MongoServerSelectionError ? (firstServerError(error) ?? error) : error;
  const ours = findAnnealError(cause);
  if (ours !== null) return ours;
  if (!(cause instanceof Error)) throw error;
  const code = cause instanceof MongoServerError ? Number(cause.code) : 0;
  const name = (cause instanceof MongoServerError ? cause.codeName : systemCode(cause)) ?? String(code);
  const place = what === null ? `Database "${config.database}" on ${config.host}` : `Collection "${what}"`;
  const make = (
    kind: ConstructorParameters<typeof AnnealError>[0],
    message: string,
    action: string,
    retryable = false,
  ) => new AnnealError(kind, message, { action, details: { code: name }, retryable });
  switch (code) {
    case 18:
    case 8000:
      return make(
        "SOURCE_CREDENTIALS",
        `${config.host} did not accept user "${config.user}" or its password.`,
        `Enter a valid user and password, and check that the user was created in "${config.authDatabase}".`,
      );
    case 13:
      return make(
        "SOURCE_FORBIDDEN",
        `${place} may not be read by user "${config.user}".`,
        `db.grantRolesToUser("${config.user}", [{ role: "read", db: "${config.database}" }]).`,
      );
    case 26:
      return make("SOURCE_NOT_FOUND", `${place} does not exist.`, "Check its name.");
    case 50:
      return make("SOURCE_UNREACHABLE", `${place} took too long.`, "Add an index for the watermark field.", true);
    // IngressRequestRateLimitExceeded; and what Cosmos DB answers above its request units.
    case 462:
    case 16_500:
      return new RateLimited({ place, toldMs: null, details: { code: name } });
  }
  const known = unreachable(cause, `${config.host}:${config.port}`);
  if (known !== null) return known;
  if (code !== 0 && !isPassing(cause)) {
    return make("INVALID_INPUT", `${place}: ${cause.message}.`, "Correct the fields and the filter of the collection.");
  }
  if (cause.name.startsWith("Mongo")) {
    return make(
      "SOURCE_UNREACHABLE",
      `${config.host}:${config.port} cannot be used: ${cause.message}.`,
      "Check that the server runs, and that its TLS setting matches; then sync again.",
      true,
    );
  }
  throw error;
}

function firstServerError(error: MongoServerSelectionError): Error | null {
  for (const server of error.reason?.servers.values() ?? []) if (server.error !== null) return server.error;
  return null;
}

/** Shutting down, stepping down, a killed or forgotten cursor: worth another run. */
function isPassing(error: Error): boolean {
  const codes = new Set([6, 7, 43, 89, 91, 175, 189, 237, 262, 9001, 10107, 11600, 11602, 13435, 13436]);
  return error instanceof MongoServerError && codes.has(Number(error.code));
}
