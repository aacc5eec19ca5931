import type { ErrorReport } from "@anneal/core/errors";
import type { Drop, LoopInput, Stage, StageInput } from "@anneal/core/loop/contract";
import { loopSettingsSchema, type LoopSettings } from "@anneal/core/loop/settings";
import type { Database } from "@anneal/db/database";
import { beginStage, createRun, endStage, setRunStatus } from "@anneal/db/queries/loop";
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
    /** Makes the run's row when a schedule started it; marks it as running. */
    async openRun(input: LoopInput & { workflowId: string }): Promise<{ runId: string; settings: LoopSettings }> {
      const scope = { db, workspaceId: input.workspaceId };
      const runId = input.runId === "" ? stableRunId(input.workflowId) : input.runId;
      const settings = loopSettingsSchema.parse(input.settings);
      await createRun(scope, { id: runId, workflowId: input.workflowId, startedBy: input.startedBy, settings });
      await setRunStatus(scope, runId, { status: "running" });
      return { runId, settings };
    },
    async closeRun(input: StageInput & { end: RunEnd }): Promise<void> {
      const scope = { db, workspaceId: input.workspaceId };
      if (input.end.status !== "done") return setRunStatus(scope, input.runId, input.end);
      await setRunStatus(scope, input.runId, { status: "done", report: await buildReport(scope, input.runId) });
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
