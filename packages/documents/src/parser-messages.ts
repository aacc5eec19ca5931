import { errorCodes } from "@anneal/core/errors";
import { type ParsedDocument, parsedDocumentSchema } from "@anneal/core/document/element";
import { z } from "zod";
import type { ParseLimits } from "./limits.ts";

/** What is asked of a child: one document, or one page of one, at a time. */
export type ParseTask =
  | { task: "parse"; fileName: string; mediaType: string | undefined; limits: ParseLimits }
  /** To a child that may load native code; of the document that it was given with its first page. */
  | { task: "render"; page: number; leastPicture: number; limits: ParseLimits }
  /** A partitioner's answer, as it came. */
  | { task: "read-partition"; answer: string; mediaType: string; limits: ParseLimits };

/** As it is sent. The child may open no document: so many bytes of one follow on its standard input. */
export type ParseRequest = ParseTask & { fileSizeBytes: number };

/** What the pool answers to a child that asked for a part to be recognised, and that waits for it. */
export type PartAnswer = { task: "part" } & (
  | { status: "read"; document: ParsedDocument }
  | { status: "failed"; error: PlainError }
);

const scansSchema = z.object({
  pageCount: z.number().int().min(0),
  unreadable: z.array(z.number().int().positive()),
  sparse: z.array(z.number().int().positive()),
  annotations: z.array(z.object({ page: z.number().int().positive(), text: z.string() })),
});

const plainErrorSchema = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  action: z.string(),
  details: z.record(z.string(), z.unknown()),
});
/** An AnnealError on its way between processes. */
export type PlainError = z.infer<typeof plainErrorSchema>;

/** A file inside the document whose text can only be recognised: the child asks, and waits for a `PartAnswer`. */
export const scannedPartSchema = z.object({
  status: z.literal("scanned-part"),
  /** Base64. */
  bytes: z.string(),
  pdf: z.object({ document: parsedDocumentSchema, scans: scansSchema }).nullable(),
  maxTextLength: z.number().int().min(0),
});
export type ScannedPartMessage = z.infer<typeof scannedPartSchema>;

/** What a child answers. It has read hostile bytes: the pool believes nothing that does not fit this. */
export const parseReplySchema = z.discriminatedUnion("status", [
  z.object({ status: z.literal("parsed"), document: parsedDocumentSchema, scans: scansSchema.nullable() }),
  z.object({
    status: z.literal("rendered"),
    /** Base64. */
    png: z.string().nullable(),
    dpi: z.number().positive(),
    missingPictures: z.number().int().min(0),
  }),
  z.object({
    status: z.literal("failed"),
    error: plainErrorSchema,
  }),
]);
export type ParseReply = z.infer<typeof parseReplySchema>;
