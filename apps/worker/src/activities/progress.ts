import type { Progress, Stage } from "@anneal/core/loop/contract";
import type { Scope } from "@anneal/db/database";
import { setStageProgress } from "@anneal/db/queries/loop";
import { heartbeat } from "@temporalio/activity";

/** A heartbeat is a message; a cancellation, which it brings, need not be known sooner. */
const heartbeatEveryMs = 100;
const writeEveryMs = 1_000;

export type ProgressReporter = {
  /** Cheap to call for every item: heartbeats ten times a second at most, writes once. */
  report(done: number, total: number | null, note?: string): Promise<void>;
  /** What is to be read until the next report, however soon after the last one. */
  announce(done: number, note: string): Promise<void>;
};

/** @param runId null outside a run: the activity still heartbeats, which is how it learns of a cancellation. */
export function createProgressReporter(
  place: { scope: Scope; runId: string | null; stage: Stage; unit: string; isEstimate?: true },
  now: () => number = Date.now,
): ProgressReporter {
  const startedAt = now();
  let firstDone: number | null = null;
  let writtenAt = Number.NEGATIVE_INFINITY;
  let heartbeatAt = Number.NEGATIVE_INFINITY;
  const write = async (progress: Pick<Progress, "done" | "total" | "ratePerSecond" | "etaMs" | "note">) => {
    const { scope, runId, stage, ...told } = place;
    if (runId === null) return;
    writtenAt = now();
    await setStageProgress(scope, runId, stage, { ...progress, ...told });
  };
  return {
    async report(done, total, note) {
      const at = now();
      if (at - heartbeatAt >= heartbeatEveryMs) {
        heartbeatAt = at;
        heartbeat({ done, total });
      }
      firstDone ??= done;
      const elapsedMs = at - startedAt;
      if (place.runId === null || (at - writtenAt < writeEveryMs && done !== total)) return;
      const ratePerSecond = elapsedMs > 500 && done > firstDone ? ((done - firstDone) / elapsedMs) * 1000 : null;
      const etaMs = ratePerSecond === null || total === null ? null : ((total - done) / ratePerSecond) * 1000;
      await write({ done, total, ratePerSecond, etaMs: etaMs && Math.round(etaMs), note: note ?? null });
    },
    async announce(done, note) {
      await write({ done, total: null, ratePerSecond: null, etaMs: null, note });
    },
  };
}
