import { z } from "zod";
import { mayRead } from "@anneal/core/access/acl";
import { explainAccess, explainingPrincipals } from "@anneal/core/access/explain-access";
import { elementSpans, parsedDocumentSchema } from "@anneal/core/document/element";
import { AnnealError } from "@anneal/core/errors";
import { listMembers } from "@anneal/db/queries/access";
import { recordAudit } from "@anneal/db/queries/audit";
import { listDatasetsOfDocument } from "@anneal/db/queries/dataset";
import { listMemberships } from "@anneal/db/queries/directory";
import {
  countDocumentFacets,
  getDocuments,
  listDocuments,
  listDuplicatesOf,
  retryDocument,
} from "@anneal/db/queries/documents";
import { getSource } from "@anneal/db/queries/sources";
import { releaseDocument, restoreDocument } from "@anneal/db/queries/tombstones";
import { listDocumentChunks } from "@anneal/db/queries/indexing";
import { createIdentity } from "#server/auth/identity.ts";
import { retryFailed } from "#server/connect/steer-sync.ts";
import { keptUntil } from "#server/documents/kept-until.ts";
import { describeReaders } from "#server/documents/describe-readers.ts";
import { originalViewOf } from "#server/documents/original-view.ts";
import { restoreDeleted } from "#server/documents/restore-deleted.ts";
import { viewAcl } from "#server/documents/view-acl.ts";
import { viewDuplicate } from "#server/documents/view-duplicate.ts";
import { listReaders } from "#server/documents/view-as.ts";
import { explainRefusal } from "#server/documents/explain-refusal.ts";
import { getReadable, getVisible, mayOpenOriginal, mayReadContents } from "#server/documents/visible-document.ts";
import { objects } from "#server/objects.ts";
import { tellIndexes } from "#server/tell-indexes.ts";
import { adminProcedure, memberProcedure, router, scientistProcedure } from "#server/trpc.ts";

const maxPage = 1_000;
/** For administrators: the member whose view is asked for, by user id. */
const viewAs = z.uuid().optional();

export const documentsRouter = router({
  /** Administrators see every document's row, or those that a member may read; everyone else those that they may. */
  list: memberProcedure
    .input(
      z.object({
        search: z.string().max(200).optional(),
        sourceId: z.uuid().optional(),
        status: z.enum(["fetched", "kept", "dropped", "quarantined", "duplicate", "deleted"]).optional(),
        language: z.string().max(20).optional(),
        mediaType: z.string().max(200).optional(),
        viewAs,
        limit: z.number().int().min(1).max(maxPage),
        offset: z.number().int().min(0),
      }),
    )
    .query(async ({ ctx, input: { limit, offset, viewAs: member, ...filter } }) => {
      const { scope, identity } = ctx;
      const readers = await listReaders(ctx, member);
      const { rows, ...all } = await listDocuments(scope, { ...filter, readers }, { limit, offset });
      return {
        rows: rows.map(({ acl, duplicate, ...row }) => ({
          ...row,
          duplicate: viewDuplicate({ status: row.status, duplicate }),
          keptUntil: keptUntil(row.deletedAt),
          /** By who asks, also in a member's view. */
          readable: mayRead(acl, identity.principalKeys),
          readers: describeReaders(acl),
        })),
        ...all,
      };
    }),

  /** Counts of the same documents as `list` shows. */
  facets: memberProcedure
    .input(z.object({ viewAs }).optional())
    .query(async ({ ctx, input }) => countDocumentFacets(ctx.scope, await listReaders(ctx, input?.viewAs))),

  get: memberProcedure.input(z.object({ documentId: z.uuid() })).query(async ({ ctx, input }) => {
    const { scope, identity } = ctx;
    const document = await getVisible(ctx, input.documentId);
    const [source, copies, datasets] = await Promise.all([
      getSource(scope, document.sourceId).catch(() => null),
      listDuplicatesOf(scope, document.id),
      listDatasetsOfDocument(scope, document.id),
    ]);
    // Another document's title is that document's secret.
    const others = await getDocuments(scope, [
      ...copies.map((copy) => copy.id),
      ...(document.duplicateOf ? [document.duplicateOf] : []),
    ]);
    const visible = others.filter((other) => identity.role === "admin" || mayRead(other.acl, identity.principalKeys));
    // Which document it is a copy of is `original`'s to say, where that may be known.
    const { acl, aclOrigins, signature: _, duplicateOf, contentKey, cleanKey, workspaceId: __, ...facts } = document;
    const readable = mayRead(acl, identity.principalKeys);
    const mayOpen = mayOpenOriginal(ctx, document);
    const original = visible.find((other) => other.id === duplicateOf);
    return {
      ...facts,
      keptUntil: keptUntil(facts.deletedAt),
      hasContent: contentKey !== "",
      hasText: cleanKey !== null,
      originalView: contentKey === "" || !mayOpen ? null : originalViewOf(document),
      /** Cleaning masked personal data in it, and one may not see what was masked. */
      originalWithheld: mayReadContents(ctx, document) && !mayOpen,
      mayOpenOriginal: mayOpen,
      readable,
      refusal: await explainRefusal(ctx, document),
      /** Who may read one document need not know of the folder that it lies in, nor how that is called. */
      readers: await viewAcl(ctx, acl, aclOrigins),
      source: source && { id: source.id, name: source.name, kind: source.kind },
      duplicates: visible
        .filter((other) => other.duplicateOf === document.id)
        .map((other) => ({ id: other.id, title: other.title, similarity: other.duplicate?.similarity ?? null })),
      duplicate: viewDuplicate(document),
      original: original ? { id: original.id, title: original.title } : null,
      datasets,
    };
  }),

  /** Every member of the workspace, whether they may read it, and why. */
  readers: adminProcedure.input(z.object({ documentId: z.uuid() })).query(async ({ ctx, input }) => {
    const { scope } = ctx;
    const [{ acl, aclOrigins }, members] = await Promise.all([getVisible(ctx, input.documentId), listMembers(scope)]);
    const emails = members.map(({ email }) => email);
    const memberships = await listMemberships(scope, emails, explainingPrincipals(acl, aclOrigins));
    return members.map(({ userId, email, role }) => {
      const { workspaceId } = scope;
      const person = createIdentity({ userId, email, role, workspaceId, via: { kind: "session" } });
      return { email, ...explainAccess(acl, person.principals, memberships.get(email) ?? [], aclOrigins) };
    });
  }),

  /** The cleaned text as elements with their character spans, and the passages that were made of it. */
  text: memberProcedure.input(z.object({ documentId: z.uuid() })).query(async ({ ctx, input }) => {
    const document = await getReadable(ctx, input.documentId);
    if (document.cleanKey === null)
      throw new AnnealError("NOT_FOUND", "This document has no cleaned text.", {
        action: document.drop?.reason ?? "Run the loop to clean it.",
      });
    const parsed = parsedDocumentSchema.parse(
      JSON.parse(Buffer.from(await objects().get(document.cleanKey)).toString("utf8")),
    );
    const spans = elementSpans(parsed.elements);
    const duplicated = new Set(document.duplicatePassages);
    return {
      title: parsed.title,
      elements: parsed.elements.map((element, index) => ({
        ...element,
        ...spans[index]!,
        duplicated: duplicated.has(index),
      })),
    };
  }),

  chunks: memberProcedure.input(z.object({ documentId: z.uuid() })).query(async ({ ctx, input }) => {
    const document = await getReadable(ctx, input.documentId);
    const chunks = document.withdrawn ? [] : await listDocumentChunks(ctx.scope, document.id);
    return chunks.map(({ id, ordinal, text, section, pageStart, pageEnd, charStart, charEnd }) => ({
      id,
      ordinal,
      text,
      section,
      pageStart,
      pageEnd,
      charStart,
      charEnd,
    }));
  }),

  /** Takes back what its source deleted: it stays until the source has it again, or somebody lets it go. */
  restore: scientistProcedure.input(z.object({ documentId: z.uuid() })).mutation(async ({ ctx, input }) => {
    const document = await getVisible(ctx, input.documentId);
    await recordAudit(ctx.scope, {
      actor: ctx.identity.email,
      action: "document.restore",
      subject: `document:${document.id}`,
      details: { sourceId: document.sourceId },
    });
    if (!(await restoreDocument(ctx.scope, document.id, ctx.identity.email)))
      throw new AnnealError("CONFLICT", "This document is not deleted, or its whole source was removed.", {
        action: "Restore the source, at the foot of the Sources page; its documents come back with it.",
      });
    await tellIndexes(ctx.scope);
  }),

  /** As `restore`, for several documents of a source, or all of its deleted ones that match. */
  restoreDeleted: scientistProcedure
    .input(
      z.object({
        sourceId: z.uuid(),
        documentIds: z.array(z.uuid()).min(1).max(maxPage).optional(),
        /** An empty one would match everything, which whoever sends a search does not mean. */
        search: z
          .string()
          .max(200)
          .refine((text) => text.trim() !== "", "must not be empty")
          .optional(),
        /** Of a list that was seen: `lastDeletedAt`. */
        deletedUntil: z.coerce.date().optional(),
      }),
    )
    .mutation(({ ctx, input }) => restoreDeleted(ctx, input)),

  /** Lets go what was restored: it is deleted again, and can be restored as long as any other. */
  release: scientistProcedure.input(z.object({ documentId: z.uuid() })).mutation(async ({ ctx, input }) => {
    const document = await getVisible(ctx, input.documentId);
    await recordAudit(ctx.scope, {
      actor: ctx.identity.email,
      action: "document.release",
      subject: `document:${document.id}`,
      details: { sourceId: document.sourceId },
    });
    if (!(await releaseDocument(ctx.scope, document.id)))
      throw new AnnealError("CONFLICT", "This document follows its source: only what was restored can be let go.", {
        action: "Delete it at its source; the next sync follows.",
      });
    await tellIndexes(ctx.scope);
  }),

  /** The next run cleans it again. One that was never read is read again now, as `connect.retry` does. */
  retry: scientistProcedure.input(z.object({ documentId: z.uuid() })).mutation(async ({ ctx, input }) => {
    const document = await getVisible(ctx, input.documentId);
    await recordAudit(ctx.scope, {
      actor: ctx.identity.email,
      action: "document.retry",
      subject: `document:${document.id}`,
    });
    if (document.contentKey !== "") return retryDocument(ctx.scope, document.id);
    await retryFailed(ctx, { sourceId: document.sourceId, documentId: document.id });
  }),
});
