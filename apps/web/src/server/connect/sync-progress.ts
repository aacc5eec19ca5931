import type { Progress } from "@anneal/core/loop/contract";
import type { SourceSync } from "@anneal/db/queries/source-syncs";

/** A sync that reads, in the form that all long work has; the total is an estimate where the source tells none. */
export function progressOfSync({ scanned, progress }: Pick<SourceSync, "scanned" | "progress">): Progress {
  return {
    done: scanned,
    total: progress?.expected ?? null,
    unit: "documents",
    ratePerSecond: progress?.documentsPerSecond ?? null,
    etaMs: progress?.etaMs ?? null,
    note: null,
  };
}
