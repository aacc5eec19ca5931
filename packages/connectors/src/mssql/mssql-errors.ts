import { AnnealError } from "@anneal/core/errors";
import { findAnnealError, systemCode, unreachable } from "../failure.ts";
import { RateLimited } from "../remote/rate-limited.ts";
import type { SqlConfig } from "../sql/config.ts";

/**
 * Error numbers: https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors
 * @param what the table or query, or null for the database as a whole
 */
export function toMssqlError(error: unknown, config: SqlConfig, what: string | null): AnnealError {
  const ours = findAnnealError(error) ?? findAnnealError(originalOf(error));
  if (ours !== null) return ours;
  if (!(error instanceof Error)) throw error;
  const code = systemCode(error) ?? "";
  const number = "number" in error && typeof error.number === "number" ? error.number : 0;
  const database = `Database "${config.database}" on ${config.host}`;
  const place = what === null ? database : `"${what}" in database "${config.database}"`;
  const details = { code: number === 0 ? code : String(number) };
  const make = (
    kind: ConstructorParameters<typeof AnnealError>[0],
    message: string,
    action: string,
    retryable = false,
  ) => new AnnealError(kind, message, { action, details, retryable });
  switch (number) {
    case 4060:
      return make(
        "SOURCE_NOT_FOUND",
        `${database} does not exist, or "${config.user}" has no user in it.`,
        `Check its name, or CREATE USER [${config.user}] FOR LOGIN [${config.user}] there.`,
      );
    case 18456:
    case 18452:
    case 18470:
    case 18487:
    case 18488:
      return make(
        "SOURCE_CREDENTIALS",
        `${config.host} did not accept user "${config.user}" or its password.`,
        "Enter a valid login of SQL Server authentication and its password.",
      );
    case 208:
    case 911:
      return make("SOURCE_NOT_FOUND", `${place} does not exist.`, "Check its name and schema.");
    case 207:
      return make("SOURCE_NOT_FOUND", `${place}: ${error.message}`, "Check the column's name.");
    case 229:
    case 230:
    case 297:
    case 300:
    case 916:
      return make(
        "SOURCE_FORBIDDEN",
        `${place} may not be read by user "${config.user}": ${error.message}`,
        `GRANT SELECT ON ${what ?? "SCHEMA::dbo"} TO [${config.user}].`,
      );
    case 3906:
    case 3908:
      return make("FORBIDDEN", `${place} tries to write: ${error.message}`, "Give a SELECT that changes nothing.");
    case 1205:
    case 1222:
    case 3960:
      return make("SOURCE_UNREACHABLE", `${place} was locked by others.`, "Sync again later.", true);
    case 10928:
    case 10929:
    case 40613:
    case 49918:
    case 17809:
      return new RateLimited({
        place: database,
        toldMs: null,
        details,
        message: `${database} has no connection free.`,
      });
    case 40501:
      // "The service is currently busy. Retry the request after 10 seconds."
      return new RateLimited({ place: database, toldMs: 10_000, details });
  }
  if (code === "ELOGIN") {
    return make(
      "SOURCE_CREDENTIALS",
      `${config.host} did not accept user "${config.user}" or its password.`,
      "Enter a valid login of SQL Server authentication and its password.",
    );
  }
  const known =
    unreachable(error, `${config.host}:${config.port}`) ??
    unreachable(originalOf(error), `${config.host}:${config.port}`);
  if (known !== null) return known;
  if (code === "ETIMEOUT") {
    return make(
      "SOURCE_UNREACHABLE",
      `${place} took too long.`,
      "Check the server, add an index, or narrow the query.",
      true,
    );
  }
  // What the server says about a statement comes as EREQUEST with its number; it is a statement that a person wrote.
  if (number > 0 && code === "EREQUEST") {
    return make("INVALID_INPUT", `${place}: ${error.message}`, "Correct the query; it must be one SELECT.");
  }
  if (/^E[A-Z]+$/.test(code)) {
    return make(
      "SOURCE_UNREACHABLE",
      `${config.host}:${config.port} cannot be used: ${error.message}.`,
      "Check that the server runs, and that its TLS setting matches; then sync again.",
      true,
    );
  }
  throw error;
}

function originalOf(error: unknown): unknown {
  return error instanceof Error && "originalError" in error ? error.originalError : null;
}
