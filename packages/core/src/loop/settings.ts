import { z } from "zod";

/** Names are used in model names (`support@production`), in file names and in URLs. */
export const nameSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    "Use up to 63 lower-case letters, digits, '.', '_' and '-', starting with a letter or digit.",
  );

export const trainingSettingsSchema = z.object({
  method: z.enum(["lora", "rslora", "dora", "qlora", "full"]).default("lora"),
  rank: z.number().int().min(1).max(256).default(16),
  alpha: z.number().positive().default(32),
  dropout: z.number().min(0).lt(1).default(0),
  learningRate: z.number().positive().max(0.1).default(1e-3),
  /** A small model needs to meet a fact this often to answer it alone. */
  epochs: z.number().int().min(1).max(100).default(7),
  maxSteps: z.number().int().min(1).nullable().default(null),
  /** Small: facts are short, and a batch of thirty of them would be one step. */
  batchTokens: z.number().int().min(64).default(512),
  maxLength: z.number().int().min(64).default(512),
  seed: z.number().int().min(0).default(7),
  /**
   * Evaluations in a row without improvement after which training ends with the best weights; null: it goes to its end
   * and keeps the last ones. What is held out shows how passages are answered, which is learned long before the facts.
   */
  earlyStoppingPatience: z.number().int().min(1).nullable().default(null),
});
export type TrainingSettings = z.infer<typeof trainingSettingsSchema>;

/** "everything" trains and serves an adapter too; "search" only makes documents findable. */
export const runPurposes = ["everything", "search"] as const;
export type RunPurpose = (typeof runPurposes)[number];

/** What one trip round the loop is told to do. Everything has a default that suits a first run. */
export const loopSettingsSchema = z.object({
  /** What the run is for: its stages fall out of it. */
  purpose: z.enum(runPurposes).default("everything"),
  /** null: every source of the workspace. */
  sourceIds: z.array(z.uuid()).nullable().default(null),
  datasetName: nameSchema.default("documents"),
  adapterName: nameSchema.default("support"),
  alias: nameSchema.default("production"),
  assistantName: nameSchema.default("assistant"),
  /** Passages a teacher is asked about where the text has no question/answer form; 0 asks none. */
  generatedPassages: z.number().int().min(0).max(100_000).default(24),
  /** Share of the pairs that are also asked with their passages, to teach answering from them with a quote. */
  groundedShare: z.number().min(0).max(1).default(0.2),
  evalShare: z.number().min(0.02).max(0.5).default(0.1),
  training: trainingSettingsSchema.prefault({}),
  /** Train even when an equal run (base, dataset, settings) is done already. */
  retrain: z.boolean().default(false),
  /** A person has seen that a sync would delete many documents, and agrees. */
  confirmDeletions: z.boolean().default(false),
});
export type LoopSettings = z.infer<typeof loopSettingsSchema>;
