import { z } from "zod";

/** What is kept of the trainer's `finished` event, for the report, the lineage and the table of runs. */
export const trainingResultSchema = z.object({
  steps: z.number(),
  /** Means over the first and the last `lossWindow` steps; 1 in what was stored before they were averaged. */
  lossFirst: z.number(),
  lossLast: z.number(),
  lossWindow: z.number().default(1),
  evalLossFirst: z.number().nullable(),
  /** Of the weights that are kept: those after `keptStep`. */
  evalLoss: z.number().nullable(),
  keptStep: z.number(),
  tokensPerSecond: z.number(),
  tokensTotal: z.number(),
  durationMs: z.number(),
  stoppedEarly: z.boolean(),
});
export type TrainingResult = z.infer<typeof trainingResultSchema>;
