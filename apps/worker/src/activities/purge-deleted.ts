import type { Database, Scope } from "@anneal/db/database";
import { listWorkspaces } from "@anneal/db/queries/access";
import { dropOldDrafts } from "@anneal/db/queries/source-drafts";
import { forgetRemovedCursors, listExpired, purgeDocument, type Remains } from "@anneal/db/queries/tombstones";
import type { VectorIndex } from "@anneal/engines/vector-index";
import type { ObjectStore } from "@anneal/objects/object-store";
import { cancellationSignal, heartbeat } from "@temporalio/activity";

export type PurgeActivities = ReturnType<typeof createPurgeActivities>;

const dayMs = 24 * 60 * 60_000;
const batchSize = 500;

export function createPurgeActivities(deps: {
  db: Database;
  objects: ObjectStore;
  vectors: VectorIndex;
  /** How long a tombstone can be taken back. */
  tombstoneDays: number;
  now?: () => number;
}) {
  const { db, objects, vectors, now = Date.now } = deps;

  async function removeRemains({ documentId, contentKey, collectionIds }: Remains): Promise<void> {
    for (const collectionId of collectionIds) await vectors.removeDocuments(collectionId, [documentId]);
    for await (const key of objects.list(`clean/${documentId}`)) await objects.remove(key);
    if (contentKey !== null) await objects.remove(contentKey);
  }

  async function purgeWorkspace(scope: Scope, before: Date): Promise<number> {
    let purged = 0;
    for (;;) {
      const expired = await listExpired(scope, before, batchSize);
      for (const documentId of expired) {
        cancellationSignal().throwIfAborted();
        if (await purgeDocument(scope, documentId, before, removeRemains)) purged += 1;
        heartbeat({ purged });
      }
      if (expired.length < batchSize) break;
    }
    await forgetRemovedCursors(scope, before);
    await dropOldDrafts(scope);
    return purged;
  }

  return {
    /** Every workspace's documents that were deleted longer ago than they are kept: content, text, passages and rows. */
    async purgeDeletedDocuments(): Promise<{ purged: number }> {
      const before = new Date(now() - deps.tombstoneDays * dayMs);
      let purged = 0;
      for (const { id: workspaceId } of await listWorkspaces(db))
        purged += await purgeWorkspace({ db, workspaceId }, before);
      return { purged };
    },
  };
}
