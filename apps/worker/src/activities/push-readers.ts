import type { PushReadersInput } from "@anneal/core/indexing/contract";
import { planReaderPushes, type ReaderPush } from "@anneal/core/indexing/plan-reader-pushes";
import type { Database, Scope } from "@anneal/db/database";
import { takeReaderChanges } from "@anneal/db/queries/reader-changes";
import type { VectorIndex } from "@anneal/engines/vector-index";
import { cancellationSignal, heartbeat } from "@temporalio/activity";

export type PushActivities = ReturnType<typeof createPushActivities>;

/** Changes of one transaction: all that is in memory, and all that is repeated after a kill. */
const defaultBatchSize = 500;
/** Documents of one request. */
const requestSize = 100;
/** An index on another machine answers several at once; more would be in the way of those who search. */
const requestsAtOnce = 4;
const pulseMs = 10_000;

/** @returns the documents that an index was told of */
export async function pushReaderChanges(
  scope: Scope,
  vectors: VectorIndex,
  options: { signal: AbortSignal; onPushed: (documents: number) => void; batchSize?: number },
): Promise<number> {
  const { signal, onPushed, batchSize = defaultBatchSize } = options;
  let documents = 0;
  for (;;) {
    signal.throwIfAborted();
    const { more } = await takeReaderChanges(scope, batchSize, async (changes) => {
      const pushes = planReaderPushes(changes, requestSize);
      await carryOut(pushes, vectors, signal);
      documents += pushes.reduce((sum, push) => sum + push.documentIds.length, 0);
      return pushes;
    });
    onPushed(documents);
    if (!more) return documents;
  }
}

async function carryOut(pushes: readonly ReaderPush[], vectors: VectorIndex, signal: AbortSignal): Promise<void> {
  const waiting = pushes.values();
  const lane = async () => {
    for (const { collectionId, documentIds, payload } of waiting) {
      signal.throwIfAborted();
      await vectors.setDocumentsPayload(collectionId, documentIds, payload);
    }
  };
  // All have ended before the lock is given back that keeps an older word from following a newer one.
  const lanes = await Promise.allSettled(Array.from({ length: requestsAtOnce }, lane));
  const failed = lanes.find((each) => each.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

export function createPushActivities(deps: { db: Database; vectors: VectorIndex; batchSize?: number }) {
  const { db, vectors, ...sizes } = deps;
  return {
    /** Tells the workspace's indexes of all whose readers they may not know. */
    async pushReaders({ workspaceId }: PushReadersInput): Promise<{ documents: number }> {
      let documents = 0;
      // Somebody else may tell them now, or the index may think for longer than a heartbeat may be late.
      const pulse = setInterval(() => heartbeat({ documents }), pulseMs);
      try {
        const onPushed = (done: number) => {
          documents = done;
          heartbeat({ documents });
        };
        const signal = cancellationSignal();
        await pushReaderChanges({ db, workspaceId }, vectors, { ...sizes, signal, onPushed });
        return { documents };
      } finally {
        clearInterval(pulse);
      }
    },
  };
}
