import { errorCodes } from "@anneal/core/errors";
import { parsedDocumentSchema } from "@anneal/core/document/element";
import { z } from "zod";
import type { ParseLimits } from "./limits.ts";

/** What the pool sends to a child: one document at a time. */
export type ParseRequest = {
  path: string;
  fileName: string;
  mediaType: string | undefined;
  limits: ParseLimits;
};

/** What a child answers. It has read hostile bytes: the pool believes nothing that does not fit this. */
export const parseReplySchema = z.discriminatedUnion("status", [
  z.object({ status: z.literal("parsed"), document: parsedDocumentSchema }),
  z.object({
    status: z.literal("failed"),
    error: z.object({
      code: z.enum(errorCodes),
      message: z.string(),
      action: z.string(),
      details: z.record(z.string(), z.unknown()),
    }),
  }),
]);
export type ParseReply = z.infer<typeof parseReplySchema>;
