import pino from "pino";

/** JSON lines on stdout. Secrets are kept out by not being logged; the list is a second guard. */
export const log = pino({
  base: { service: "worker" },
  redact: { paths: ["*.secrets", "*.apiKey", "*.password", "*.authorization"], censor: "[removed]" },
});
