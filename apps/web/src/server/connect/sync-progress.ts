import type { Progress } from "@anneal/core/loop/contract";
import type { SourceSync } from "@anneal/db/queries/source-syncs";

/** A sync that reads, in the form that all long work has; how many documents there are, sources tell at most about. */
export function progressOfSync({ scanned, progress }: Pick<SourceSync, "scanned" | "progress">): Progress {
  return {
    done: scanned,
    total: progress?.expected ?? null,
    isEstimate: true,
    unit: "documents",
    ratePerSecond: progress?.documentsPerSecond ?? null,
    etaMs: progress?.etaMs ?? null,
    note: null,
  };
}
