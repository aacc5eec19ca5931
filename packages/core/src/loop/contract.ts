import { z } from "zod";
import { elementBoxSchema } from "../document/element.ts";
import type { LoopSettings, RunPurpose } from "./settings.ts";

/** The loop's stages in order; one word each, the same in every layer of the product. */
export const stages = ["connect", "clean", "dedupe", "dataset", "train", "register", "deploy", "index"] as const;
export type Stage = (typeof stages)[number];

const stagesByPurpose = {
  everything: stages,
  search: ["connect", "clean", "dedupe", "index"],
} as const satisfies Record<RunPurpose, readonly Stage[]>;

/**
 * The stages of a run, in order. Rows and histories of an earlier release do not say what a run is for: it was everything.
 * @param fromStage those before it are left out
 */
export function stagesOf(settings: { purpose?: RunPurpose }, fromStage: Stage = "connect"): Stage[] {
  const first = stages.indexOf(fromStage);
  return stagesByPurpose[settings.purpose ?? "everything"].filter((stage) => stages.indexOf(stage) >= first);
}

/** They go through the documents of a workspace. The others work on what these made: examples, weights, replicas. */
export const stagesOfDocuments: ReadonlySet<Stage> = new Set(["connect", "clean", "dedupe", "dataset", "index"]);

export const loopWorkflowName = "loop";
export const taskQueue = "anneal";

export const stageStatuses = ["waiting", "running", "done", "failed", "cancelled", "skipped"] as const;
export type StageStatus = (typeof stageStatuses)[number];

/** Live progress of one stage. `total` is null while it cannot be known, and with `isEstimate` about so many. */
export const progressSchema = z.object({
  done: z.number(),
  total: z.number().nullable(),
  isEstimate: z.boolean().optional(),
  unit: z.string(),
  /** Units per second over the stage so far. */
  ratePerSecond: z.number().nullable(),
  etaMs: z.number().nullable(),
  note: z.string().nullable(),
});
export type Progress = z.infer<typeof progressSchema>;

/** One thing a stage left out. `ref` names the document or the pair; the reason is a sentence for a person. */
export const dropSchema = z.object({ ref: z.string(), code: z.string(), reason: z.string() });
export type Drop = z.infer<typeof dropSchema>;

export const stageReportSchema = z.object({
  stage: z.enum(stages),
  durationMs: z.number(),
  in: z.number(),
  out: z.number(),
  dropped: z.array(dropSchema),
});
export type StageReport = z.infer<typeof stageReportSchema>;

export const citationSchema = z.object({
  uri: z.string(),
  title: z.string(),
  page: z.number().nullable(),
  /** Where the paragraph, table or picture in which the quote begins stands on that page, where known. */
  box: elementBoxSchema.optional(),
  section: z.string().nullable(),
  quote: z.string(),
});
export type Citation = z.infer<typeof citationSchema>;

/** What `anneal loop --report` writes; null for what a run that only makes documents findable does not make. */
export const loopReportSchema = z.object({
  stages: z.array(stageReportSchema),
  dataset: z.object({ id: z.string(), digest: z.string(), train: z.number(), eval: z.number() }).nullable(),
  run: z
    .object({
      id: z.string(),
      steps: z.number(),
      tokensPerSecond: z.number(),
      /** `first` and `last` are means over that many steps at either end; `eval` is the best on what was held out. */
      loss: z.object({
        first: z.number(),
        last: z.number(),
        eval: z.number().nullable(),
        window: z.number().default(1),
      }),
    })
    .nullable(),
  adapter: z.object({ name: z.string(), digest: z.string(), rank: z.number() }).nullable(),
  deployment: z.object({ servingName: z.string(), swapMs: z.number(), replicas: z.number() }).nullable(),
  index: z.object({ collection: z.string(), documents: z.number(), chunks: z.number() }),
  answers: z.array(
    z.object({
      question: z.string(),
      answer: z.string(),
      refused: z.boolean(),
      citations: z.array(citationSchema),
    }),
  ),
});
export type LoopReport = z.infer<typeof loopReportSchema>;

/** A run's report without its questions. */
export const runReportSchema = loopReportSchema.omit({ answers: true });
export type RunReport = z.infer<typeof runReportSchema>;

/** What everyone in the workspace may know of it: what was left out is of documents, and those have readers. */
export const runSummarySchema = runReportSchema.extend({ stages: z.array(stageReportSchema.omit({ dropped: true })) });
export type RunSummary = z.infer<typeof runSummarySchema>;

/** What every stage's workflow gets. Small: documents, pairs and weights go by reference. */
export type StageInput = { workspaceId: string; runId: string; settings: LoopSettings };

/** The parent workflow's input. A scheduled run has no id yet: the workflow makes its row first. */
export type LoopInput = {
  workspaceId: string;
  runId: string;
  startedBy: string;
  settings: LoopSettings;
  /** Stages before it keep the result of the attempt before. */
  fromStage: Stage;
};

export function loopWorkflowId(runId: string, attempt: number): string {
  return `loop-${runId}-${attempt}`;
}
