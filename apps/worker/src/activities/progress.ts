import type { Progress, Stage } from "@anneal/core/loop/contract";
import type { Scope } from "@anneal/db/database";
import { setStageProgress } from "@anneal/db/queries/loop";
import { heartbeat } from "@temporalio/activity";

export type ProgressReporter = {
  /** Cheap to call for every item: heartbeats each time, writes at most once a second. */
  report(done: number, total: number | null, note?: string): Promise<void>;
};

/** @param runId null outside a run: the activity still heartbeats, which is how it learns of a cancellation. */
export function createProgressReporter(
  place: { scope: Scope; runId: string | null; stage: Stage; unit: string },
  now: () => number = Date.now,
): ProgressReporter {
  const startedAt = now();
  let firstDone: number | null = null;
  let writtenAt = 0;
  return {
    async report(done, total, note) {
      heartbeat({ done, total });
      firstDone ??= done;
      const elapsedMs = now() - startedAt;
      if (place.runId === null || (now() - writtenAt < 1000 && done !== total)) return;
      writtenAt = now();
      const ratePerSecond = elapsedMs > 500 && done > firstDone ? ((done - firstDone) / elapsedMs) * 1000 : null;
      const progress: Progress = {
        done,
        total,
        unit: place.unit,
        ratePerSecond,
        etaMs: ratePerSecond === null || total === null ? null : Math.round(((total - done) / ratePerSecond) * 1000),
        note: note ?? null,
      };
      await setStageProgress(place.scope, place.runId, place.stage, progress);
    },
  };
}
