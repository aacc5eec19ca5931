import { z } from "zod";

/** What is kept of the trainer's `finished` event, for the report, the lineage and the table of runs. */
export const trainingResultSchema = z.object({
  steps: z.number(),
  lossFirst: z.number(),
  lossLast: z.number(),
  evalLossFirst: z.number().nullable(),
  evalLossBest: z.number().nullable(),
  bestStep: z.number(),
  tokensPerSecond: z.number(),
  tokensTotal: z.number(),
  durationMs: z.number(),
  stoppedEarly: z.boolean(),
});
export type TrainingResult = z.infer<typeof trainingResultSchema>;
