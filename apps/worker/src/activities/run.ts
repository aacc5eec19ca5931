import { AnnealError, type ErrorReport } from "@anneal/core/errors";
import type { Drop, LoopInput, Stage, StageInput } from "@anneal/core/loop/contract";
import { loopSettingsSchema, type LoopSettings } from "@anneal/core/loop/settings";
import type { Database } from "@anneal/db/database";
import { beginStage, claimRunning, createRun, endRun, endStage } from "@anneal/db/queries/loop";
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
     * Makes the run's row when a schedule started it; marks it as running. While another run of the workspace does,
     * this fails and is tried again: two would fetch, train and deploy the same things against each other.
     */
    async openRun(input: LoopInput & { workflowId: string }): Promise<{ runId: string; settings: LoopSettings }> {
      const scope = { db, workspaceId: input.workspaceId };
      const runId = input.runId === "" ? stableRunId(input.workflowId) : input.runId;
      const settings = loopSettingsSchema.parse(input.settings);
      await createRun(scope, { id: runId, workflowId: input.workflowId, startedBy: input.startedBy, settings });
      const other = await claimRunning(scope, runId);
      if (other !== null)
        throw new AnnealError("ALREADY_RUNNING", `The run ${other.id} of this workspace has not ended.`, {
          action: "Wait until it ends, or stop it: then this one begins by itself.",
          retryable: true,
        });
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
    async beginStage({ workspaceId, runId, stage }: StageInput & { stage: Stage }): Promise<void> {
      await beginStage({ db, workspaceId }, runId, stage);
    },
    async endStage({ workspaceId, runId, stage, end }: StageInput & { stage: Stage; end: StageEnd }): Promise<void> {
      await endStage({ db, workspaceId }, runId, stage, end);
    },
  };
}

/** A UUID from the workflow's id, which is unique to each firing of a schedule: a retry finds the same run. */
function stableRunId(workflowId: string): string {
  return stableUuid([workflowId], (text) => createHash("sha256").update(text).digest("hex"));
}
