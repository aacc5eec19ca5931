import pino, { type DestinationStream } from "pino";
import { dropParameters } from "./drop-parameters.ts";

/**
 * JSON lines. Secrets are kept out by not being logged; the list is a second guard. An error is logged as `err`, never by
 * its message, which may hold the parameters of a failed query.
 * @param destination left out: stdout
 */
export function createLog(destination?: DestinationStream): pino.Logger {
  const options: pino.LoggerOptions = {
    base: { service: "worker" },
    redact: { paths: ["*.secrets", "*.apiKey", "*.password", "*.authorization"], censor: "[removed]" },
    serializers: { err: describeError },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

export const log = createLog();

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  dropParameters(error);
  return pino.stdSerializers.err(error);
}
