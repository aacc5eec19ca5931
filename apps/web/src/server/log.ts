import pino from "pino";

/** JSON lines on stdout. Log ids and codes; never a secret, a password, a token or a document's text. */
export const log = pino({ name: "web" });
