import { AnnealError } from "@anneal/core/errors";
import { findAnnealError, systemCode, unreachable } from "../failure.ts";
import { RateLimited } from "../remote/rate-limited.ts";
import type { PostgresConfig } from "./config.ts";

/**
 * SQLSTATE codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
 * @param what the table or query, or null for the database as a whole
 */
export function toPostgresError(error: unknown, config: PostgresConfig, what: string | null): AnnealError {
  const ours = findAnnealError(error);
  if (ours !== null) return ours;
  if (!(error instanceof Error)) throw error;
  const code = systemCode(error) ?? "";
  const database = `Database "${config.database}" on ${config.host}`;
  const place = what === null ? database : `"${what}" in database "${config.database}"`;
  const make = (
    kind: ConstructorParameters<typeof AnnealError>[0],
    message: string,
    action: string,
    retryable = false,
  ) => new AnnealError(kind, message, { action, details: { code }, retryable });
  switch (code) {
    case "28P01":
    case "28000":
      return make(
        "SOURCE_CREDENTIALS",
        `${config.host} did not accept user "${config.user}" or its password.`,
        "Enter a valid user and password, and check that pg_hba.conf lets this machine in.",
      );
    case "3D000":
      return make("SOURCE_NOT_FOUND", `${database} does not exist.`, "Check the database's name.");
    case "42P01":
    case "3F000":
      return make("SOURCE_NOT_FOUND", `${place} does not exist.`, "Check its name and schema.");
    case "42703":
      return make("SOURCE_NOT_FOUND", `${place}: ${error.message}.`, "Check the column's name.");
    case "42501":
      return make(
        "SOURCE_FORBIDDEN",
        `${place} may not be read by user "${config.user}": ${error.message}.`,
        what === null
          ? `GRANT CONNECT ON DATABASE "${config.database}" TO "${config.user}".`
          : `GRANT SELECT ON ${what} TO "${config.user}" (and USAGE on its schema).`,
      );
    case "25006":
      return make("FORBIDDEN", `${place} tries to write: ${error.message}.`, "Give a SELECT that changes nothing.");
    case "57014":
      return make("SOURCE_UNREACHABLE", `${place} took too long.`, "Add an index, or narrow the query.", true);
    case "53300":
      return new RateLimited({
        place: database,
        toldMs: null,
        details: { code },
        message: `${database} has no connection free.`,
      });
  }
  const known = unreachable(error, `${config.host}:${config.port}`);
  if (known !== null) return known;
  if (/^(57P|08|53|58)/.test(code) || /timeout|terminated|SSL|closed/i.test(error.message)) {
    return make(
      "SOURCE_UNREACHABLE",
      `${config.host}:${config.port} cannot be used: ${error.message}.`,
      "Check that the server runs, and that its TLS setting matches; then sync again.",
      true,
    );
  }
  if (/password must be/.test(error.message)) {
    return make("SOURCE_CREDENTIALS", `${config.host} asks for a password.`, `Enter the password of "${config.user}".`);
  }
  // Whatever else the server says is about a statement that a person wrote: its syntax, its types, its writing.
  if (/^[0-9A-Z]{5}$/.test(code)) {
    return make("INVALID_INPUT", `${place}: ${error.message}.`, "Correct the query; it must be one SELECT.");
  }
  throw error;
}
