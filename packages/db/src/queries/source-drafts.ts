import { and, eq, lt, not, sql } from "drizzle-orm";
import { inWorkspace, requireRow, type Scope } from "../database.ts";
import { sourceDrafts } from "../schema.ts";

export type SourceDraft = typeof sourceDrafts.$inferSelect;

const isOver = lt(sourceDrafts.createdAt, sql`now() - interval '1 hour'`);
const isDraft = (scope: Scope, draftId: string) =>
  and(eq(sourceDrafts.id, draftId), eq(sourceDrafts.workspaceId, scope.workspaceId), not(isOver));

/** Those that nobody came for: their check never began, or whoever signed in did not save the source. */
export async function dropOldDrafts(scope: Scope): Promise<void> {
  await inWorkspace(scope, (tx) => tx.delete(sourceDrafts).where(isOver));
}

/** What is older than an hour is dropped, and not handed out any more: it may hold credentials. */
export async function saveDraft(
  scope: Scope,
  draft: Pick<SourceDraft, "id" | "kind" | "config" | "sealedSecrets" | "sealedFor">,
): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    await tx.delete(sourceDrafts).where(isOver);
    await tx.insert(sourceDrafts).values({ ...draft, workspaceId: scope.workspaceId });
  });
}

/** One that stays: a sign-in, which lends its credentials until the source is saved with them. */
export async function getDraft(scope: Scope, draftId: string): Promise<SourceDraft> {
  const [row] = await inWorkspace(scope, (tx) => tx.select().from(sourceDrafts).where(isDraft(scope, draftId)));
  return requireRow(row, "draft of a source", draftId);
}

/** Hands the draft out once. */
export async function takeDraft(scope: Scope, draftId: string): Promise<SourceDraft> {
  const [row] = await inWorkspace(scope, (tx) => tx.delete(sourceDrafts).where(isDraft(scope, draftId)).returning());
  return requireRow(row, "draft of a source", draftId);
}
