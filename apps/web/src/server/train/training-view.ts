import { z } from "zod";
import { lossWindow } from "@anneal/core/train/loss-window";
import { trainingResultSchema } from "@anneal/core/train/training-result";
import type { LatestMetrics, TrainingRun } from "@anneal/db/queries/train";

const configSchema = z.looseObject({
  method: z.string().nullable().catch(null),
  rank: z.number().nullable().catch(null),
  epochs: z.number().nullable().catch(null),
  learningRate: z.number().nullable().catch(null),
});

const admissionSchema = z.object({
  status: z.enum(["queued", "admitted", "refused"]),
  node: z.string().nullable().default(null),
  reason: z.string(),
  action: z.string().nullable().default(null),
  estimate: z.object({
    totalBytes: z.number(),
    breakdown: z.record(z.string(), z.number()),
    trainableParameters: z.number(),
  }),
});

const startedSchema = z.object({
  parameters: z.number(),
  trainableParameters: z.number(),
  trainExamples: z.number(),
  evalExamples: z.number(),
  totalSteps: z.number(),
  tokensPerEpoch: z.number(),
  droppedTotal: z.number(),
  resumedFromStep: z.number(),
});

type Listed = TrainingRun & { datasetName: string; datasetVersion: number };

/** A training as the portal shows it. What the worker wrote as JSON is parsed: an older shape shows as not known. */
export function toTrainingView(run: Listed, live: LatestMetrics | undefined) {
  const config = configSchema.parse(run.config);
  const started = startedSchema.safeParse(run.started).data ?? null;
  const result = trainingResultSchema.safeParse(run.result).data ?? null;
  const wallMs = run.startedAt && run.endedAt ? run.endedAt.getTime() - run.startedAt.getTime() : null;
  const { id, runId, status, baseModel, createdAt, startedAt, endedAt, error } = run;
  return {
    id,
    runId,
    status,
    baseModel,
    createdAt,
    startedAt,
    endedAt,
    error,
    dataset: { id: run.datasetVersionId, name: run.datasetName, version: run.datasetVersion },
    config,
    started,
    steps: { done: result?.steps ?? live?.step ?? 0, total: started?.totalSteps ?? null },
    loss: result
      ? { first: result.lossFirst, last: result.lossLast, window: result.lossWindow }
      : liveLoss(live, started?.totalSteps ?? 1),
    evalLoss: { first: result?.evalLossFirst ?? null, kept: result?.evalLoss ?? live?.evalLoss ?? null },
    keptStep: result?.keptStep ?? null,
    stoppedEarly: result?.stoppedEarly ?? false,
    tokensPerSecond: result?.tokensPerSecond ?? live?.tokensPerSecond ?? null,
    tokensTotal: result?.tokensTotal ?? null,
    etaMs: status === "running" ? (live?.etaMs ?? null) : null,
    durationMs: result?.durationMs ?? wallMs,
  };
}

/** As the trainer will report them: means over a window at either end. The first one needs its window full. */
function liveLoss(live: LatestMetrics | undefined, totalSteps: number) {
  const window = lossWindow(totalSteps);
  const { firstLosses = [], newestLosses = [] } = live ?? {};
  return {
    first: firstLosses.length < window ? null : meanOf(firstLosses.slice(0, window)),
    last: newestLosses.length === 0 ? null : meanOf(newestLosses.slice(-window)),
    window,
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function parseAdmission(admission: TrainingRun["admission"]): z.infer<typeof admissionSchema> | null {
  return admissionSchema.safeParse(admission).data ?? null;
}
