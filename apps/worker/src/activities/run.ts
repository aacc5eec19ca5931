import { AnnealError, type ErrorReport } from "@anneal/core/errors";
import type { Drop, LoopInput, Stage, StageInput } from "@anneal/core/loop/contract";
import { loopSettingsSchema, type LoopSettings } from "@anneal/core/loop/settings";
import type { Database } from "@anneal/db/database";
import { beginStage, claimRunning, createRun, endRun, endStage, type Run } from "@anneal/db/queries/loop";
import { stableUuid } from "@anneal/core/indexing/point-id";
import { createHash } from "node:crypto";
import { buildReport } from "./build-report.ts";

export type RunActivities = ReturnType<typeof createRunActivities>;

type StageEnd =
  | { status: "done"; inCount: number; outCount: number; note: string | null }
  | { status: "failed"; error: ErrorReport }
  | { status: "cancelled" };

type RunEnd =
  | { status: "done" }
  | { status: "failed"; error: ErrorReport & { stage: string } }
  | { status: "cancelled" };

export type StageDrop = Drop & { documentId?: string };

export function createRunActivities({ db }: { db: Database }) {
  return {
    /**
     * Makes the run's row when a schedule started it; marks it as running. While another one is in its way, this fails
     * and is tried again.
     */
    async openRun(input: LoopInput & { workflowId: string }): Promise<{ runId: string; settings: LoopSettings }> {
      const scope = { db, workspaceId: input.workspaceId };
      const runId = input.runId === "" ? stableRunId(input.workflowId) : input.runId;
      const settings = loopSettingsSchema.parse(input.settings);
      await createRun(scope, { id: runId, workflowId: input.workflowId, startedBy: input.startedBy, settings });
      refuseWhile(await claimRunning(scope, runId));
      return { runId, settings };
    },
    /** Stopped while it waited for another run to end. */
    async dropRun({ workspaceId, runId, workflowId }: LoopInput & { workflowId: string }): Promise<void> {
      await endRun({ db, workspaceId }, runId === "" ? stableRunId(workflowId) : runId, { status: "cancelled" });
    },
    async closeRun(input: StageInput & { end: RunEnd }): Promise<void> {
      const scope = { db, workspaceId: input.workspaceId };
      if (input.end.status !== "done") return endRun(scope, input.runId, input.end);
      await endRun(scope, input.runId, { status: "done", report: await buildReport(scope, input.runId) });
    },
    /** While another run works on the documents, a stage of them cannot begin: this fails and is tried again. */
    async beginStage({ workspaceId, runId, stage }: StageInput & { stage: Stage }): Promise<void> {
      refuseWhile(await beginStage({ db, workspaceId }, runId, stage));
    },
    async endStage({ workspaceId, runId, stage, end }: StageInput & { stage: Stage; end: StageEnd }): Promise<void> {
      await endStage({ db, workspaceId }, runId, stage, end);
    },
  };
}

/** Temporal tries again, as long as another run is in the way. */
function refuseWhile(other: Run | null): void {
  if (other === null) return;
  throw new AnnealError("ALREADY_RUNNING", `The run ${other.id} of this workspace is in progress.`, {
    action: "Wait until it ends, or stop it: then this one goes on by itself.",
    retryable: true,
  });
}

/** A UUID from the workflow's id, which is unique to each firing of a schedule: a retry finds the same run. */
function stableRunId(workflowId: string): string {
  return stableUuid([workflowId], (text) => createHash("sha256").update(text).digest("hex"));
}
