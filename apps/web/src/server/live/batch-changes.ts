import type { ChangeFeed } from "#server/live/change-feed.ts";

const gatherMs = 150;

/**
 * The tables that changed in a workspace since then, a batch at a time: a burst of writes becomes one message, and a slow
 * reader gets one larger batch instead of a queue. `at` is up to when it has all.
 */
export async function* batchChanges(
  feed: ChangeFeed,
  workspaceId: string,
  since: number,
  signal: AbortSignal,
): AsyncGenerator<{ at: number; tables: string[] }> {
  const pending = new Set<string>();
  let wake = () => {};
  const unsubscribe = feed.subscribe(workspaceId, since, (table) => {
    pending.add(table);
    wake();
  });
  signal.addEventListener("abort", () => wake(), { once: true });
  try {
    while (!signal.aborted) {
      if (pending.size === 0) await new Promise<void>((resolve) => (wake = resolve));
      if (signal.aborted) return;
      await new Promise((resolve) => setTimeout(resolve, gatherMs));
      const batch = { at: Date.now(), tables: [...pending] };
      pending.clear();
      yield batch;
    }
  } finally {
    unsubscribe();
  }
}
