import { AnnealError } from "@anneal/core/errors";
import { findAnnealError, systemCode, unreachable } from "../failure.ts";
import { RateLimited } from "../remote/rate-limited.ts";
import type { SqlConfig } from "../sql/config.ts";

/**
 * Error numbers: https://mariadb.com/kb/en/mariadb-error-code-reference/ and
 * https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
 * @param what the table or query, or null for the database as a whole
 */
export function toMysqlError(error: unknown, config: SqlConfig, what: string | null): AnnealError {
  const ours = findAnnealError(error);
  if (ours !== null) return ours;
  if (!(error instanceof Error)) throw error;
  const code = systemCode(error) ?? "";
  const number = "errno" in error && typeof error.errno === "number" ? error.errno : 0;
  const database = `Database "${config.database}" on ${config.host}`;
  const place = what === null ? database : `"${what}" in database "${config.database}"`;
  const make = (
    kind: ConstructorParameters<typeof AnnealError>[0],
    message: string,
    action: string,
    retryable = false,
  ) => new AnnealError(kind, message, { action, details: { code }, retryable });
  switch (number) {
    case 1045:
    case 1698:
      return make(
        "SOURCE_CREDENTIALS",
        `${config.host} did not accept user "${config.user}" or its password.`,
        "Enter a valid user and password, and check that the user may sign in from this machine with a password.",
      );
    // Locked, for now or for good: MySQL's numbers, then MariaDB's.
    case 3118:
    case 3955:
    case 4150:
    case 4151:
      return make(
        "SOURCE_CREDENTIALS",
        `${config.host} has locked user "${config.user}".`,
        `ALTER USER '${config.user}' ACCOUNT UNLOCK.`,
      );
    case 1820:
    case 1862:
      return make(
        "SOURCE_CREDENTIALS",
        `The password of user "${config.user}" on ${config.host} has expired.`,
        "Give the user a new password, and enter it.",
      );
    case 1129:
      return make(
        "SOURCE_UNREACHABLE",
        `${config.host} blocks this machine after too many connections that failed.`,
        "FLUSH HOSTS at the server; then sync again.",
      );
    case 1130:
      return make(
        "SOURCE_FORBIDDEN",
        `${config.host} does not let this machine in.`,
        `CREATE USER '${config.user}'@'<this machine>' with the right to SELECT.`,
      );
    case 1049:
      return make("SOURCE_NOT_FOUND", `${database} does not exist.`, "Check the database's name.");
    case 1146:
    case 1109:
      return make("SOURCE_NOT_FOUND", `${place} does not exist.`, "Check its name and database.");
    case 1054:
      return make("SOURCE_NOT_FOUND", `${place}: ${error.message}.`, "Check the column's name.");
    case 1044:
    case 1142:
    case 1143:
    case 1227:
    case 1370:
      return make(
        "SOURCE_FORBIDDEN",
        `${place} may not be read by user "${config.user}": ${error.message}.`,
        what === null
          ? `GRANT SELECT ON \`${config.database}\`.* TO '${config.user}'.`
          : `GRANT SELECT ON ${what} TO '${config.user}'.`,
      );
    case 1792:
    case 1290:
    case 1836:
      return make("FORBIDDEN", `${place} tries to write: ${error.message}.`, "Give a SELECT that changes nothing.");
    case 1205:
    case 1317:
    case 1969:
    case 3024:
      return make("SOURCE_UNREACHABLE", `${place} took too long.`, "Add an index, or narrow the query.", true);
    case 1040:
    case 1203:
    case 1226:
      return new RateLimited({
        place: database,
        toldMs: null,
        details: { code },
        message: `${database} has no connection free.`,
      });
  }
  const known = unreachable(error, `${config.host}:${config.port}`);
  if (known !== null) return known;
  if (/^(?:AUTH_|MYSQL_CLEAR)/.test(code) || /auth/i.test(code)) {
    return make(
      "SOURCE_CREDENTIALS",
      `${config.host} asks user "${config.user}" to sign in by a way that is not supported: ${error.message}.`,
      "Give the user a password by mysql_native_password, caching_sha2_password or ed25519.",
    );
  }
  if (/^(?:PROTOCOL_|HANDSHAKE_|ERR_SSL|ER_SERVER_SHUTDOWN|ER_CONNECTION_KILLED)/.test(code) || number === 0) {
    return make(
      "SOURCE_UNREACHABLE",
      `${config.host}:${config.port} cannot be used: ${error.message}.`,
      "Check that the server runs, and that its TLS setting matches; then sync again.",
      true,
    );
  }
  // Whatever else the server says is about a statement that a person wrote: its syntax, its types, its writing.
  return make("INVALID_INPUT", `${place}: ${error.message}.`, "Correct the query; it must be one SELECT.");
}
