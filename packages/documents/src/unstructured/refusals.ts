import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { documentError } from "../document-errors.ts";

/** An answer without elements; `status` is null where none came. */
export type RefusedAnswer = {
  origin: string;
  status: number | null;
  /** The answer's body, or why there was none. Without the key. */
  detail: string;
  /** Another attempt may help. */
  isPassing: boolean;
  retryAfterMs: number | null;
};

const detailSchema = z.looseObject({
  detail: z.union([z.string(), z.array(z.looseObject({ msg: z.string() }))]),
});

/** What is the document's costs the document; what is the server's or the setting's ends the stage. */
export function refusal(answer: RefusedAnswer): AnnealError {
  const { origin, status } = answer;
  const told = sentenceOf(answer.detail);
  const waits = answer.retryAfterMs === null ? {} : { retryAfterMs: answer.retryAfterMs };
  if (status === null || status === 408 || (status > 500 && status < 600)) {
    return new AnnealError(
      "ENGINE_UNAVAILABLE",
      `The Unstructured API at ${origin} does not answer (${status ?? told}).`,
      {
        action: "See that it runs, or change or remove ANNEAL_UNSTRUCTURED_URL; documents are then read here.",
        details: { origin, ...waits },
      },
    );
  }
  switch (status) {
    case 401:
    case 402:
    case 403:
      return new AnnealError("PREREQUISITE_MISSING", `The Unstructured API at ${origin} refuses the key (${status}).`, {
        action: "Set ANNEAL_UNSTRUCTURED_API_KEY to a key that it accepts, and restart.",
        details: { origin, status },
      });
    case 413:
      return documentError("DOCUMENT_TOO_LARGE", "The document is larger than the Unstructured API takes.");
    case 400:
    case 415:
    case 422:
      if (/encrypt|password/iu.test(told)) {
        return documentError("DOCUMENT_ENCRYPTED", "The document is protected by a password.");
      }
      return documentError("DOCUMENT_UNSUPPORTED", `The Unstructured API refuses the document: ${told}`);
    case 429:
      return new AnnealError("RATE_LIMITED", `The Unstructured API at ${origin} asks to wait.`, {
        action: "Nothing need be done: it is asked again later. Raise its limit to go faster.",
        details: { origin, ...waits },
      });
    case 500:
      return documentError("DOCUMENT_DAMAGED", `The Unstructured API failed over the document several times: ${told}`);
    default:
      return new AnnealError("PREREQUISITE_MISSING", `The Unstructured API is not found at ${origin} (${status}).`, {
        action: "Set ANNEAL_UNSTRUCTURED_URL to its address, without a path and as it is after redirects, and restart.",
        details: { origin, status },
      });
  }
}

/** The server's own words, in one line. */
function sentenceOf(body: string): string {
  let words = body;
  try {
    const parsed = detailSchema.safeParse(JSON.parse(body));
    if (parsed.success) {
      const { detail } = parsed.data;
      words = typeof detail === "string" ? detail : detail.map(({ msg }) => msg).join("; ");
    }
  } catch {
    // Not JSON: the body as it is.
  }
  const line = words.replace(/\s+/gu, " ").trim().slice(0, 160);
  return line === "" ? "no reason given" : line;
}
