import { z } from "zod";

/** A question with its answer, and the span of the document's text that proves it. */
export const pairSchema = z.object({
  /** Stable: the same pair from the same span has the same id in every run. */
  id: z.string(),
  documentId: z.string(),
  question: z.string(),
  answer: z.string(),
  origin: z.enum(["extracted", "generated"]),
  /** ISO 639-1, of the document. */
  language: z.string().nullable(),
  source: z.object({
    /** [charStart, charEnd) of the quote in `documentText(elements)`. */
    charStart: z.number().int().nonnegative(),
    charEnd: z.number().int().positive(),
    /** Exactly that text: what proves the answer. */
    quote: z.string(),
    section: z.array(z.string()),
    page: z.number().nullable(),
    container: z.string().nullable(),
  }),
});
export type Pair = z.infer<typeof pairSchema>;

export const pairDropCodes = [
  "UNSUPPORTED",
  "NOT_STANDALONE",
  "NOT_A_QUESTION",
  "ECHO",
  "REFUSAL",
  "REPEATS_QUESTION",
  "TOO_SHORT",
  "TOO_LONG",
  "WRONG_LANGUAGE",
  "MASKED",
  "DUPLICATE_QUESTION",
] as const;
export type PairDropCode = (typeof pairDropCodes)[number];

export type PairVerdict = { status: "kept" } | { status: "dropped"; code: PairDropCode; reason: string };
