import { z } from "zod";
import { mayRead } from "@anneal/core/access/acl";
import { elementSpans, parsedDocumentSchema } from "@anneal/core/document/element";
import { AnnealError } from "@anneal/core/errors";
import { recordAudit } from "@anneal/db/queries/audit";
import { listDatasetsOfDocument } from "@anneal/db/queries/dataset";
import { countDocumentFacets, getDocument, getDocuments, listDocuments, listDuplicatesOf, retryDocument, type Document } from "@anneal/db/queries/documents";
import { getSource } from "@anneal/db/queries/connect";
import { listDocumentChunks } from "@anneal/db/queries/indexing";
import { describeReaders } from "#server/documents/describe-readers.ts";
import type { MemberContext } from "#server/context.ts";
import { objects } from "#server/objects.ts";
import { memberProcedure, router, scientistProcedure } from "#server/trpc.ts";

const maxPage = 1_000;

export const documentsRouter = router({
  /** Administrators see every document's row; everyone else those that they may read. */
  list: memberProcedure
    .input(
      z.object({
        search: z.string().max(200).optional(),
        sourceId: z.uuid().optional(),
        status: z.enum(["fetched", "kept", "dropped", "quarantined", "duplicate", "deleted"]).optional(),
        language: z.string().max(20).optional(),
        mediaType: z.string().max(200).optional(),
        limit: z.number().int().min(1).max(maxPage),
        offset: z.number().int().min(0),
      }),
    )
    .query(async ({ ctx: { scope, identity }, input: { limit, offset, ...filter } }) => {
      const readers = identity.role === "admin" ? undefined : identity.principals;
      const { rows, total } = await listDocuments(scope, { ...filter, readers }, { limit, offset });
      return { rows: rows.map(({ acl, ...row }) => ({ ...row, readable: mayRead(acl, identity.principalKeys), readers: describeReaders(acl) })), total };
    }),

  facets: memberProcedure.query(({ ctx: { scope } }) => countDocumentFacets(scope)),

  get: memberProcedure.input(z.object({ documentId: z.uuid() })).query(async ({ ctx, input }) => {
    const { scope, identity } = ctx;
    const document = await getVisible(ctx, input.documentId);
    const [source, duplicates, original, datasets] = await Promise.all([
      getSource(scope, document.sourceId).catch(() => null),
      listDuplicatesOf(scope, document.id),
      document.duplicateOf ? getDocuments(scope, [document.duplicateOf]) : [],
      listDatasetsOfDocument(scope, document.id),
    ]);
    const { acl, signature: _, contentKey, cleanKey, workspaceId: __, ...facts } = document;
    return {
      ...facts,
      hasContent: contentKey !== "",
      hasText: cleanKey !== null,
      readable: mayRead(acl, identity.principalKeys),
      acl,
      source: source && { id: source.id, name: source.name, kind: source.kind },
      duplicates,
      original: original[0] ? { id: original[0].id, title: original[0].title } : null,
      datasets,
    };
  }),

  /** The cleaned text as elements with their character spans, and the passages that were made of it. */
  text: memberProcedure.input(z.object({ documentId: z.uuid() })).query(async ({ ctx, input }) => {
    const document = await getReadable(ctx, input.documentId);
    if (document.cleanKey === null)
      throw new AnnealError("NOT_FOUND", "This document has no cleaned text.", { action: document.drop?.reason ?? "Run the loop to clean it." });
    const parsed = parsedDocumentSchema.parse(JSON.parse(Buffer.from(await objects().get(document.cleanKey)).toString("utf8")));
    const spans = elementSpans(parsed.elements);
    const duplicated = new Set(document.duplicatePassages);
    return {
      title: parsed.title,
      elements: parsed.elements.map((element, index) => ({ ...element, ...spans[index]!, duplicated: duplicated.has(index) })),
    };
  }),

  chunks: memberProcedure.input(z.object({ documentId: z.uuid() })).query(async ({ ctx, input }) => {
    const document = await getReadable(ctx, input.documentId);
    const chunks = await listDocumentChunks(ctx.scope, document.id);
    return chunks.map(({ id, ordinal, text, section, pageStart, pageEnd, charStart, charEnd }) => ({ id, ordinal, text, section, pageStart, pageEnd, charStart, charEnd }));
  }),

  /** The next run reads and cleans it again. */
  retry: scientistProcedure.input(z.object({ documentId: z.uuid() })).mutation(async ({ ctx, input }) => {
    const document = await getVisible(ctx, input.documentId);
    await recordAudit(ctx.scope, { actor: ctx.identity.email, action: "document.retry", subject: `document:${document.id}` });
    await retryDocument(ctx.scope, document.id);
  }),
});

/** What exists but may not be seen is not there: an id must not tell. */
export async function getVisible({ scope, identity }: MemberContext, documentId: string): Promise<Document> {
  const document = await getDocument(scope, documentId);
  if (identity.role !== "admin" && !mayRead(document.acl, identity.principalKeys))
    throw new AnnealError("NOT_FOUND", `There is no document ${documentId} that you may read.`, { action: "Check the id, or ask for access at its source." });
  return document;
}

/** Contents follow the document's own permissions, for administrators too. */
export async function getReadable(ctx: MemberContext, documentId: string): Promise<Document> {
  const document = await getVisible(ctx, documentId);
  if (mayRead(document.acl, ctx.identity.principalKeys)) return document;
  throw new AnnealError("FORBIDDEN", "Its source does not let you read this document.", {
    action: "Ask whoever owns it there for access; the next sync brings it here.",
  });
}
