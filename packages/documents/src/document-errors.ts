import { AnnealError, type ErrorCode } from "@anneal/core/errors";

type DocumentErrorCode = Extract<ErrorCode, `DOCUMENT_${string}`>;

const actions: Record<DocumentErrorCode, string> = {
  DOCUMENT_TOO_LARGE: "Split the document into smaller files, and sync again.",
  DOCUMENT_ENCRYPTED: "Remove the password or the rights protection at the source, and sync again.",
  DOCUMENT_DAMAGED: "Open the document in its own application, save it again, and sync.",
  DOCUMENT_HOSTILE: "Check where this document came from; remove it at the source if nobody needs it.",
  DOCUMENT_UNSUPPORTED: "Save the document in a supported format, and sync again.",
  DOCUMENT_TIMEOUT: "Split or simplify the document, and sync again.",
};

/** Advice where what limits a document is a setting of the worker. */
export const settingActions = {
  size: "Split the document into smaller files, or raise ANNEAL_DOCUMENT_MAX_MIB where the worker runs.",
  time: "Split or simplify the document, or raise ANNEAL_PARSE_TIMEOUT_SECONDS where the worker runs.",
};

/** Of what a limit on size or time refused, which may be another one tomorrow: see `ParserPool.bounds`. */
export function isOfBounds(code: string): code is "DOCUMENT_TOO_LARGE" | "DOCUMENT_TIMEOUT" {
  return code === "DOCUMENT_TOO_LARGE" || code === "DOCUMENT_TIMEOUT";
}

/** A document that cannot be read, with the advice that usually fits its code. */
export function documentError(
  code: DocumentErrorCode,
  message: string,
  options: { action?: string; details?: Record<string, unknown>; cause?: unknown } = {},
): AnnealError {
  return new AnnealError(code, message, { ...options, action: options.action ?? actions[code] });
}

/** "1 row", "2 rows". */
export function countOf(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}
