import { isHeldBack } from "@anneal/core/connect/deletion-policy";
import { countUnindexed, type UnindexedFacts } from "@anneal/core/connect/source-status";
import type { ErrorReport } from "@anneal/core/errors";
import { holdsDocuments, purposeOf, type RunState } from "@anneal/core/loop/turns";
import type { RunStatus } from "@anneal/db/schema";

export type Attention = {
  kind: "failed" | "waiting";
  title: string;
  /** Why, and what helps. */
  detail: string;
  /** Where to deal with it, inside the workspace. */
  path: string;
};

type Facts = {
  /** At most one for each purpose. */
  latestRuns: (RunState & {
    id: string;
    status: RunStatus;
    error: (ErrorReport & { stage: string }) | null;
  })[];
  sources: (UnindexedFacts & {
    id: string;
    name: string;
    syncing: boolean;
    lastSyncError: ErrorReport | null;
    directoryError: ErrorReport | null;
  })[];
  quarantinedCount: number;
};

const whatFor = { everything: "everything", search: "making documents findable" } as const;

/** What a person should look at, the worst first; nothing when all is well. */
export function findAttention({ latestRuns, sources, quarantinedCount }: Facts): Attention[] {
  const found: Attention[] = [];
  for (const run of latestRuns)
    if (run.status === "failed")
      found.push({
        kind: "failed",
        title: `The last run for ${whatFor[purposeOf(run.settings)]} failed in “${run.error?.stage ?? "an unknown stage"}”`,
        detail: run.error ? `${run.error.message} ${run.error.action}` : "Open it to see why.",
        path: `/runs/${run.id}`,
      });
  for (const source of sources) {
    const error = source.lastSyncError ?? source.directoryError;
    if (!error) continue;
    const ofPeople =
      error.details?.["partial"] === true ? "Some people or groups of the" : "The people and groups of the";
    const what = source.lastSyncError ? "The" : ofPeople;
    const held = isHeldBack(error);
    found.push({
      kind: held ? "waiting" : "failed",
      title: held
        ? `Deletions of the source “${source.name}” wait for your word`
        : `${what} source “${source.name}” could not be read`,
      detail: `${error.message} ${error.action}`,
      path: `/sources/${source.id}`,
    });
  }
  // While a source is read or a run is at the documents, what is not findable yet is being dealt with.
  const isDealtWith = latestRuns.some(
    (run) => run.status === "waiting" || (run.status === "running" && holdsDocuments(run)),
  );
  const behind = isDealtWith ? [] : sources.filter((source) => !source.syncing && countUnindexed(source) > 0);
  const count = behind.reduce((sum, source) => sum + countUnindexed(source), 0);
  const [first, second] = behind;
  if (first !== undefined)
    found.push({
      kind: "waiting",
      title: count === 1 ? "1 document is not findable yet" : `${count} documents are not findable yet`,
      detail: `${second === undefined ? `“${first.name}” was` : `${behind.length} sources were`} read, and no run has parsed and indexed all of that. One that only makes documents findable trains nothing.`,
      path: second === undefined ? `/sources/${first.id}` : "/sources",
    });
  if (quarantinedCount > 0)
    found.push({
      kind: "waiting",
      title: quarantinedCount === 1 ? "1 document is in quarantine" : `${quarantinedCount} documents are in quarantine`,
      detail: "They could not be read safely, and are in no index and no dataset. Each says why.",
      path: "/documents?status=quarantined",
    });
  return found;
}
