import pino, { type DestinationStream } from "pino";
import { dropParameters } from "./drop-parameters.ts";
import { withoutSecrets } from "./without-secrets.ts";

/**
 * JSON lines. Secrets are kept out by not being logged; `withoutSecrets` is a second guard. An error is logged as `err`,
 * never by its message, which may hold the parameters of a failed query.
 * @param destination left out: stdout
 */
export function createLog(destination?: DestinationStream): pino.Logger {
  const options: pino.LoggerOptions = {
    base: { service: "worker" },
    formatters: { log: (fields) => withoutSecrets(fields, describeError) as Record<string, unknown> },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

export const log = createLog();

function describeError(error: Error): object {
  dropParameters(error);
  return pino.stdSerializers.err(error);
}
