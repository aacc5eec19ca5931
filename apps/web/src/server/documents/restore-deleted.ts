import { AnnealError } from "@anneal/core/errors";
import { recordAudit } from "@anneal/db/queries/audit";
import { restoreDocuments } from "@anneal/db/queries/tombstones";
import type { MemberContext } from "#server/context.ts";
import { listReaders } from "#server/documents/view-as.ts";
import { tellIndexes } from "#server/tell-indexes.ts";

type Which = { sourceId: string; documentIds?: string[]; search?: string; deletedUntil?: Date };

/**
 * Takes back what a source deleted, as far as whoever asks may see it.
 * @param documentIds left out: all that match
 * @param deletedUntil of a list that somebody has seen: what was deleted since is not restored unseen
 * @throws AnnealError CONFLICT where nothing of it is deleted
 */
export async function restoreDeleted(
  ctx: MemberContext,
  { sourceId, documentIds, search, deletedUntil }: Which,
): Promise<{ count: number }> {
  const { scope, identity } = ctx;
  const readers = await listReaders(ctx, undefined);
  // Before anything is restored, so that nothing is without its record; each document says besides who took it back.
  await recordAudit(scope, {
    actor: identity.email,
    action: "document.restore",
    subject: `source:${sourceId}`,
    details: {
      documents: documentIds ?? "all",
      ...(search === undefined ? {} : { search }),
      ...(deletedUntil === undefined ? {} : { deletedUntil: deletedUntil.toISOString() }),
    },
  });
  const restored = await restoreDocuments(
    scope,
    {
      sourceId,
      ...(documentIds === undefined ? {} : { ids: documentIds }),
      ...(search === undefined ? {} : { search }),
      ...(deletedUntil === undefined ? {} : { deletedUntil }),
      ...(readers === undefined ? {} : { readers }),
    },
    identity.email,
  );
  if (restored.length === 0)
    throw new AnnealError("CONFLICT", "Nothing of this is deleted that you may restore.", {
      action: "Look at what is deleted of the source now. If the whole source was removed, restore that.",
    });
  await tellIndexes(scope);
  return { count: restored.length };
}
