import type { CheckOutcome } from "@anneal/core/connect/check-outcome";
import type {
  CheckInput,
  SyncInput,
  SyncOutcome,
  SyncResult,
  UnreadSource,
  WaitedSync,
} from "@anneal/core/connect/contract";
import type { ErrorReport } from "@anneal/core/errors";
import type { StageInput } from "@anneal/core/loop/contract";
import {
  CancellationScope,
  continueAsNew,
  executeChild,
  isCancellation,
  patched,
  proxyActivities,
  sleep,
  workflowInfo,
} from "@temporalio/workflow";
import type { CheckActivities } from "../activities/check-source.ts";
import type { ConnectActivities } from "../activities/connect.ts";
import { failWith, reportOf } from "./failure.ts";
import { runStage } from "./run-stage.ts";

const { listSourcesToSync, summariseConnect, endWaiting } = proxyActivities<ConnectActivities>({
  startToCloseTimeout: "1 minute",
  retry: { maximumInterval: "10 seconds" },
});
const reading = { startToCloseTimeout: "24 hours", heartbeatTimeout: "60 seconds" } as const;
const retries = { maximumAttempts: 4, maximumInterval: "1 minute" } as const;
const { syncSource } = proxyActivities<ConnectActivities>({ ...reading, retry: retries });
// A source that asks for a wait is left to the workflow, which waits as often as the sync gets on between.
const { readSource } = proxyActivities<ConnectActivities>({
  ...reading,
  retry: { ...retries, nonRetryableErrorTypes: ["RATE_LIMITED"] },
});
// Once: a person waits for it, and its draft is handed out once. Its heartbeat is how it hears that nobody does any more.
const { checkSource: check } = proxyActivities<CheckActivities>({
  startToCloseTimeout: "1 minute",
  heartbeatTimeout: "5 seconds",
  retry: { maximumAttempts: 1 },
});

/** In runs of an earlier release the first source that could not be read ended all of it. */
const goesOnWithoutSource = "a run goes on without a source that cannot be read";

/** Workflows that began before waited by Temporal's retries, four of them. */
const waitsByTimer = "a sync waits for its source by a timer";

export async function connect(input: StageInput): Promise<void> {
  await runStage(input, "connect", async () => {
    const { sourceIds } = await listSourcesToSync(input);
    const results: SyncResult[] = [];
    const unread: UnreadSource[] = [];
    for (const sourceId of sourceIds) {
      try {
        results.push(await readInRun(input, sourceId));
      } catch (failure) {
        const error = reportOf(failure);
        if (isCancellation(failure) || !isAboutSource(error) || !patched(goesOnWithoutSource)) throw failure;
        unread.push({ sourceId, error });
      }
    }
    if (results.length === 0 && unread[0] !== undefined) throw failWith(unread[0].error);
    return summariseConnect({ ...input, results, unread });
  });
}

/** What is wrong is where the documents are, and not with this platform, which would meet it at every other source. */
function isAboutSource({ code }: ErrorReport): boolean {
  return code.startsWith("SOURCE_") || code === "RATE_LIMITED";
}

/** In a workflow of its own, whose history can begin anew while the source makes it wait. */
async function readInRun({ workspaceId, runId, settings }: StageInput, sourceId: string): Promise<SyncResult> {
  const input = { workspaceId, runId, sourceId, confirmDeletions: settings.confirmDeletions };
  if (!patched(waitsByTimer)) return syncSource(input);
  const workflowId = `${workflowInfo().workflowId}-${sourceId}`;
  return executeChild(sync, { workflowId, args: [{ ...input, startedBy: "run" }] });
}

/**
 * One source: "sync now", its schedule, or a part of a run. What a sync outside of runs fetched is cleaned and indexed by
 * the next run; of a new audience the index hears at once, in a workflow of its own (push-readers.ts).
 */
export async function sync(input: SyncInput): Promise<SyncResult> {
  if (!patched(waitsByTimer)) return syncSource({ ...input, runId: null });
  let { waited } = input;
  for (;;) {
    const outcome = await (waited === undefined ? readSource(input) : readAfterWait({ ...input, waited }));
    if (outcome.status === "read") return outcome.result;
    const { syncId, waitMs, idleWaits } = outcome;
    waited = { syncId, idleWaits };
    await waitForSource(input.workspaceId, syncId, waitMs);
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof sync>({ ...input, waited });
  }
}

/** Its row says that it waits until the attempt has begun, which it may never do: a full disk, a lost database. */
async function readAfterWait(input: SyncInput & { waited: WaitedSync }): Promise<SyncOutcome> {
  try {
    return await readSource(input);
  } catch (failure) {
    const { workspaceId, waited } = input;
    const end = {
      workspaceId,
      syncId: waited.syncId,
      ...(isCancellation(failure) ? {} : { error: reportOf(failure) }),
    };
    await CancellationScope.nonCancellable(() => endWaiting(end));
    throw failure;
  }
}

async function waitForSource(workspaceId: string, syncId: string, waitMs: number): Promise<void> {
  try {
    await sleep(waitMs);
  } catch (cancellation) {
    // Nobody reads, so nobody else would say so in its row.
    await CancellationScope.nonCancellable(() => endWaiting({ workspaceId, syncId }));
    throw cancellation;
  }
}

/** Says whether a source can be read, and a little of what would be; reads none of it into the workspace. */
export async function checkSource(input: CheckInput): Promise<CheckOutcome> {
  return check(input);
}
