import { z } from "zod";
import { documentText, elementSpans, parsedDocumentSchema } from "@anneal/core/document/element";
import { AnnealError } from "@anneal/core/errors";
import {
  getConversation,
  listConversations,
  renameConversation,
  setConversationDeleted,
  setFeedback,
} from "@anneal/db/queries/chat";
import { isAnswering, stopAnswer } from "#server/chat/converse.ts";
import { suggestQuestions } from "#server/chat/suggest-questions.ts";
import { locateQuote } from "#server/chat/locate-quote.ts";
import { getReadable } from "#server/documents/visible-document.ts";
import { objects } from "#server/objects.ts";
import { memberProcedure, router } from "#server/trpc.ts";

/** Characters of the document that are shown before and after a cited passage, at whole elements. */
const aroundChars = 4_000;
const conversationInput = z.object({ conversationId: z.uuid() });

/** Conversations are private: every procedure works on the caller's own. Questions go to `POST …/chat`. */
export const chatRouter = router({
  list: memberProcedure.query(async ({ ctx: { scope, identity } }) => {
    const rows = await listConversations(scope, identity.userId, 200);
    return rows.map(({ id, title, assistantId, updatedAt }) => ({ id, title, assistantId, updatedAt }));
  }),

  get: memberProcedure.input(conversationInput).query(async ({ ctx: { scope, identity }, input }) => {
    const conversation = await getConversation(scope, identity.userId, input.conversationId);
    const { id, title, assistantId, messages } = conversation;
    return {
      id,
      title,
      assistantId,
      /** An answer is being made now, perhaps for another tab. */
      answering: isAnswering(identity.userId, id),
      messages: messages.map(({ workspaceId: _, conversationId: __, seq: ___, ...message }) => message),
    };
  }),

  suggestions: memberProcedure.query(({ ctx }) => suggestQuestions(ctx)),

  rename: memberProcedure
    .input(conversationInput.extend({ title: z.string().trim().min(1).max(200) }))
    .mutation(({ ctx: { scope, identity }, input }) =>
      renameConversation(scope, identity.userId, input.conversationId, input.title),
    ),

  remove: memberProcedure
    .input(conversationInput)
    .mutation(({ ctx: { scope, identity }, input }) =>
      setConversationDeleted(scope, identity.userId, input.conversationId, true),
    ),

  /** Undoes `remove`. */
  restore: memberProcedure
    .input(conversationInput)
    .mutation(({ ctx: { scope, identity }, input }) =>
      setConversationDeleted(scope, identity.userId, input.conversationId, false),
    ),

  /** Ends the answer that is being made; false when there is none in this process. */
  stop: memberProcedure
    .input(conversationInput)
    .mutation(({ ctx: { identity }, input }) => ({ stopped: stopAnswer(identity.userId, input.conversationId) })),

  feedback: memberProcedure
    .input(z.object({ messageId: z.uuid(), feedback: z.enum(["up", "down"]).nullable() }))
    .mutation(async ({ ctx: { scope, identity }, input }) => {
      if (await setFeedback(scope, identity.userId, input.messageId, input.feedback)) return;
      throw new AnnealError("NOT_FOUND", "There is no such answer in your conversations.", {
        action: "Reload the page.",
      });
    }),

  /**
   * A cited passage in its document as it is now, for whoever may read that document now: not what was allowed, or
   * there, when the answer was given.
   */
  passage: memberProcedure
    .input(z.object({ documentId: z.uuid(), quote: z.string().min(1).max(20_000), charStart: z.number().int().min(0) }))
    .query(async ({ ctx, input }) => {
      const document = await getReadable(ctx, input.documentId);
      if (document.deletedAt !== null || document.cleanKey === null)
        throw new AnnealError("NOT_FOUND", "This document is no longer there.", {
          action: "It was deleted or left out after this answer was given. Ask again for an answer without it.",
        });
      const bytes = await objects().get(document.cleanKey);
      const { elements } = parsedDocumentSchema.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
      const spans = elementSpans(elements);
      const place = locateQuote(documentText(elements), input.quote, input.charStart);
      const centre = place.kind === "gone" ? { start: input.charStart, end: input.charStart } : place;
      const near = (index: number) =>
        spans[index]!.end >= centre.start - aroundChars && spans[index]!.start <= centre.end + aroundChars;
      const shown = elements.flatMap((element, index) =>
        near(index) ? [{ ...element, ...spans[index]!, duplicated: false }] : [],
      );
      return {
        title: document.title,
        uri: document.uri,
        changedAt: document.changedAt,
        place,
        elements: shown,
        cutBefore: shown.length > 0 && !near(0),
        cutAfter: shown.length > 0 && !near(elements.length - 1),
      };
    }),
});
