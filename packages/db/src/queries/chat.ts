import { and, asc, desc, eq, isNull, sql } from "drizzle-orm";
import { inWorkspace, requireRow, type Scope } from "../database.ts";
import { assistants, conversations, messages, tokenUsage } from "../schema.ts";

export type Assistant = typeof assistants.$inferSelect;
export type Conversation = typeof conversations.$inferSelect;
export type Message = typeof messages.$inferSelect;

export async function saveAssistant(
  scope: Scope,
  assistant: Pick<Assistant, "name" | "model" | "collectionId" | "instructions" | "settings"> & { id?: string },
): Promise<Assistant> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .insert(assistants)
      .values({ ...assistant, workspaceId: scope.workspaceId })
      .onConflictDoUpdate({
        target: assistant.id === undefined ? [assistants.workspaceId, assistants.name] : assistants.id,
        set: {
          name: assistant.name,
          model: assistant.model,
          collectionId: assistant.collectionId,
          instructions: assistant.instructions,
          settings: assistant.settings,
        },
      })
      .returning(),
  );
  return row!;
}

/** Of an assistant that only runs have made; one that a person has saved meanwhile stays as it is. */
export async function saveManagedAssistant(
  scope: Scope,
  assistantId: string,
  changes: Pick<Assistant, "model" | "settings">,
): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .update(assistants)
      .set(changes)
      .where(
        and(
          eq(assistants.id, assistantId),
          eq(assistants.workspaceId, scope.workspaceId),
          sql`${assistants.settings} @> '{"managedByRuns": true}'`,
        ),
      ),
  );
}

export async function listAssistants(scope: Scope): Promise<Assistant[]> {
  return inWorkspace(scope, (tx) =>
    tx.select().from(assistants).where(eq(assistants.workspaceId, scope.workspaceId)).orderBy(asc(assistants.name)),
  );
}

export async function getAssistant(scope: Scope, assistantId: string): Promise<Assistant> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(assistants)
      .where(and(eq(assistants.id, assistantId), eq(assistants.workspaceId, scope.workspaceId))),
  );
  return requireRow(row, "assistant", assistantId);
}

export async function deleteAssistant(scope: Scope, assistantId: string): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx.delete(assistants).where(and(eq(assistants.id, assistantId), eq(assistants.workspaceId, scope.workspaceId))),
  );
}

/** How many conversations would go with each assistant, whoever's they are; those without any are left out. */
export async function countConversations(scope: Scope): Promise<{ assistantId: string; count: number }[]> {
  return inWorkspace(scope, (tx) =>
    tx
      .select({ assistantId: conversations.assistantId, count: sql<number>`count(*)::int` })
      .from(conversations)
      .where(and(eq(conversations.workspaceId, scope.workspaceId), isNull(conversations.deletedAt)))
      .groupBy(conversations.assistantId),
  );
}

const isConversation = (scope: Scope, userId: string, conversationId: string) =>
  and(
    eq(conversations.id, conversationId),
    eq(conversations.workspaceId, scope.workspaceId),
    eq(conversations.userId, userId),
  );

export async function createConversation(
  scope: Scope,
  conversation: { userId: string; assistantId: string; title: string },
): Promise<Conversation> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .insert(conversations)
      .values({ ...conversation, workspaceId: scope.workspaceId })
      .returning(),
  );
  return row!;
}

/** Conversations are private to their user. */
export async function listConversations(scope: Scope, userId: string, limit = 100): Promise<Conversation[]> {
  return inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(conversations)
      .where(
        and(
          eq(conversations.workspaceId, scope.workspaceId),
          eq(conversations.userId, userId),
          isNull(conversations.deletedAt),
        ),
      )
      .orderBy(desc(conversations.updatedAt))
      .limit(limit),
  );
}

export async function getConversation(
  scope: Scope,
  userId: string,
  conversationId: string,
): Promise<Conversation & { messages: Message[] }> {
  return inWorkspace(scope, async (tx) => {
    const [row] = await tx
      .select()
      .from(conversations)
      .where(and(isConversation(scope, userId, conversationId), isNull(conversations.deletedAt)));
    const conversation = requireRow(row, "conversation", conversationId);
    const rows = await tx
      .select()
      .from(messages)
      .where(and(eq(messages.conversationId, conversationId), eq(messages.workspaceId, scope.workspaceId)))
      .orderBy(asc(messages.seq));
    return { ...conversation, messages: rows };
  });
}

export async function renameConversation(scope: Scope, userId: string, conversationId: string, title: string) {
  await inWorkspace(scope, (tx) =>
    tx
      .update(conversations)
      .set({ title })
      .where(isConversation(scope, userId, conversationId)),
  );
}

export async function setConversationDeleted(scope: Scope, userId: string, conversationId: string, deleted: boolean) {
  await inWorkspace(scope, (tx) =>
    tx
      .update(conversations)
      .set({ deletedAt: deleted ? new Date() : null })
      .where(isConversation(scope, userId, conversationId)),
  );
}

export async function addMessage(
  scope: Scope,
  message: Pick<Message, "conversationId" | "role" | "content"> & Partial<Message>,
): Promise<Message> {
  return inWorkspace(scope, async (tx) => {
    const [row] = await tx
      .insert(messages)
      .values({ ...message, workspaceId: scope.workspaceId })
      .returning();
    await tx
      .update(conversations)
      .set({ updatedAt: new Date() })
      .where(and(eq(conversations.id, message.conversationId), eq(conversations.workspaceId, scope.workspaceId)));
    return row!;
  });
}

/** @returns false when the message is not in one of this user's conversations. */
export async function setFeedback(
  scope: Scope,
  userId: string,
  messageId: string,
  feedback: "up" | "down" | null,
): Promise<boolean> {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .update(messages)
      .set({ feedback })
      .where(
        and(
          eq(messages.id, messageId),
          eq(messages.workspaceId, scope.workspaceId),
          sql`${messages.conversationId} in (select id from ${conversations} where ${conversations.userId} = ${userId})`,
        ),
      )
      .returning({ id: messages.id }),
  );
  return rows.length > 0;
}

export async function addTokenUsage(
  scope: Scope,
  usage: {
    userId: string | null;
    apiKeyId: string | null;
    model: string;
    promptTokens: number;
    completionTokens: number;
  },
): Promise<void> {
  await inWorkspace(scope, (tx) => tx.insert(tokenUsage).values({ ...usage, workspaceId: scope.workspaceId }));
}

/** Tokens per model since a moment. */
export async function sumTokenUsage(scope: Scope, since: Date) {
  return inWorkspace(scope, (tx) =>
    tx
      .select({
        model: tokenUsage.model,
        requests: sql<number>`count(*)::int`,
        promptTokens: sql<number>`sum(${tokenUsage.promptTokens})::int`,
        completionTokens: sql<number>`sum(${tokenUsage.completionTokens})::int`,
      })
      .from(tokenUsage)
      .where(and(eq(tokenUsage.workspaceId, scope.workspaceId), sql`${tokenUsage.at} >= ${since}`))
      .groupBy(tokenUsage.model)
      .orderBy(tokenUsage.model),
  );
}
