import { z } from "zod";
import {
  loopWorkflowName,
  runSummarySchema,
  stages,
  type LoopInput,
  type RunReport,
  type Stage,
} from "@anneal/core/loop/contract";
import { loopSettingsSchema, runPurposes } from "@anneal/core/loop/settings";
import { recordAudit } from "@anneal/db/queries/audit";
import { listSources } from "@anneal/db/queries/sources";
import { countDocumentFacets } from "@anneal/db/queries/documents";
import {
  findRunAwaited,
  getRun,
  listDrops,
  listLatestRuns,
  listRuns,
  type RunWithStages,
} from "@anneal/db/queries/loop";
import type { MemberContext } from "#server/context.ts";
import { countedFor, directoryErrorFor, sourceErrorFor } from "#server/connect/source-figures.ts";
import { findAttention } from "#server/loop/find-attention.ts";
import { toRunView, toSummaryView } from "#server/loop/run-view.ts";
import { cancelRun, retryRun, startRun } from "#server/loop/start-run.ts";
import { cronSchema, readSchedule, setSchedule } from "#server/schedule.ts";
import { memberProcedure, operatorProcedure, router } from "#server/trpc.ts";

const maxPage = 1_000;
const recentRuns = 12;
/** A report is one answer; what is beyond it stands on the run's page. */
const maxReported = 100_000;

export const loopRouter = router({
  /** The whole loop at a glance. */
  overview: memberProcedure.query(async ({ ctx: { scope, identity } }) => {
    const [runs, latestRuns, sources, facets] = await Promise.all([
      listRuns(scope, recentRuns),
      listLatestRuns(scope),
      listSources(scope, countedFor(identity)),
      countDocumentFacets(scope, countedFor(identity)),
    ]);
    const documents = Object.fromEntries(facets.status.map(({ value, count }) => [value, count]));
    const viewOf = (run: RunWithStages) => toRunView(identity, run, sources);
    const latestViews = latestRuns.map(viewOf);
    return {
      runs: runs.map(viewOf),
      /** For each purpose the run that goes on, else the last one. */
      latestRuns: latestViews,
      /** What a run does when nothing else is said. */
      defaults: loopSettingsSchema.parse({}),
      sourceCount: sources.length,
      documentCount: facets.status.reduce((sum, { count }) => sum + count, 0),
      attention: findAttention({
        latestRuns: latestViews,
        sources: sources.map((source) => ({
          ...source,
          lastSyncError: sourceErrorFor(identity, source.lastSyncError),
          directoryError: directoryErrorFor(identity, source.directoryError),
        })),
        quarantinedCount: documents.quarantined ?? 0,
      }),
    };
  }),

  get: memberProcedure.input(z.object({ runId: z.uuid() })).query(async ({ ctx: { scope, identity }, input }) => {
    const [run, sources] = await Promise.all([getRun(scope, input.runId), listSources(scope)]);
    const awaited = await findRunAwaited(scope, run);
    return {
      ...toRunView(identity, run, sources),
      report: run.report === null ? null : toSummaryView(identity, runSummarySchema.parse(run.report)),
      /** Another run, which this one begins or indexes after. */
      waitsFor: awaited?.id ?? null,
    };
  }),

  /** What a run did and all that it left out, of documents that this person may know of; null until it is done. */
  report: operatorProcedure
    .input(z.object({ runId: z.uuid() }))
    .query(async ({ ctx, input }): Promise<RunReport | null> => {
      const { report } = await getRun(ctx.scope, input.runId);
      if (report === null) return null;
      const dropped = async (stage: Stage) => {
        const page = { stage, limit: maxReported, offset: 0, reader: readerOf(ctx) };
        const { rows } = await listDrops(ctx.scope, input.runId, page);
        return rows.map(({ ref, code, reason }) => ({ ref, code, reason }));
      };
      const { stages: summary, ...facts } = runSummarySchema.parse(report);
      return {
        ...facts,
        stages: await Promise.all(summary.map(async (each) => ({ ...each, dropped: await dropped(each.stage) }))),
      };
    }),

  /** What a run left out, each with its reason, of documents that this person may know of. */
  drops: operatorProcedure
    .input(
      z.object({
        runId: z.uuid(),
        stage: z.enum(stages).optional(),
        limit: z.number().int().min(1).max(maxPage),
        offset: z.number().int().min(0),
      }),
    )
    .query(async ({ ctx, input: { runId, ...options } }) =>
      listDrops(ctx.scope, runId, { ...options, reader: readerOf(ctx) }),
    ),

  start: operatorProcedure
    .input(
      loopSettingsSchema.partial().extend({
        /** "clean" leaves the sources alone, and takes what was fetched of them. */
        fromStage: z.enum(["connect", "clean"]).default("connect"),
      }),
    )
    .mutation(async ({ ctx, input: { fromStage, ...settings } }) =>
      startRun(ctx, loopSettingsSchema.parse(settings), { fromStage, outputs: {} }),
    ),

  retry: operatorProcedure
    .input(z.object({ runId: z.uuid(), fromStage: z.enum(stages) }))
    .mutation(async ({ ctx, input }) => retryRun(ctx, input.runId, input.fromStage)),

  schedule: memberProcedure.query(async ({ ctx: { scope } }) => {
    const schedule = await readSchedule(scheduleIdOf(scope.workspaceId));
    if (schedule === null) return null;
    const { input, ...times } = schedule;
    // One of an earlier release does not say what its runs are for.
    const { data } = z.object({ settings: loopSettingsSchema }).safeParse(input);
    return { ...times, purpose: data?.settings.purpose ?? "everything" };
  }),

  setSchedule: operatorProcedure
    .input(z.object({ cron: cronSchema.nullable(), purpose: z.enum(runPurposes).default("everything") }))
    .mutation(async ({ ctx: { scope, identity }, input }) => {
      await recordAudit(scope, {
        actor: identity.email,
        action: "loop.schedule",
        subject: `workspace:${scope.workspaceId}`,
        details: { ...input },
      });
      const settings = loopSettingsSchema.parse({ purpose: input.purpose });
      // A firing has no run yet: the workflow makes its row.
      const workflowInput: LoopInput = {
        workspaceId: scope.workspaceId,
        runId: "",
        startedBy: "schedule",
        settings,
        fromStage: "connect",
      };
      const scheduleId = scheduleIdOf(scope.workspaceId);
      await setSchedule(
        { scheduleId, workflowName: loopWorkflowName, workflowId: scheduleId, input: workflowInput },
        input.cron,
      );
    }),

  cancel: operatorProcedure
    .input(z.object({ runId: z.uuid() }))
    .mutation(async ({ ctx, input }) => cancelRun(ctx, input.runId)),
});

function readerOf({ identity }: MemberContext) {
  return { principals: identity.principals, administrator: identity.role === "admin" };
}

function scheduleIdOf(workspaceId: string): string {
  return `loop-schedule-${workspaceId}`;
}
