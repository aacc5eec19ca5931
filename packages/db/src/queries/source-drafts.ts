import { and, eq, lt, sql } from "drizzle-orm";
import { inWorkspace, requireRow, type Scope } from "../database.ts";
import { sourceDrafts } from "../schema.ts";

export type SourceDraft = typeof sourceDrafts.$inferSelect;

/** Also drops those that nobody came for: their check never began. */
export async function saveDraft(
  scope: Scope,
  draft: Pick<SourceDraft, "id" | "kind" | "config" | "sealedSecrets" | "sealedFor">,
): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    await tx.delete(sourceDrafts).where(lt(sourceDrafts.createdAt, sql`now() - interval '10 minutes'`));
    await tx.insert(sourceDrafts).values({ ...draft, workspaceId: scope.workspaceId });
  });
}

/** Hands the draft out once. */
export async function takeDraft(scope: Scope, draftId: string): Promise<SourceDraft> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .delete(sourceDrafts)
      .where(and(eq(sourceDrafts.id, draftId), eq(sourceDrafts.workspaceId, scope.workspaceId)))
      .returning(),
  );
  return requireRow(row, "draft of a source", draftId);
}
