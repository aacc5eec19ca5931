import { z } from "zod";

/**
 * The config file of `apps/trainer`: the mirror of `trainer/config.py`, with the same defaults. Tests on both sides hold
 * the two together through `trainer-config.sample.json`.
 */
export const trainerMethods = ["lora", "dora", "rslora", "qlora", "full"] as const;
export type TrainerMethod = (typeof trainerMethods)[number];

const count = z.int().min(1);

const earlyStoppingSchema = z.strictObject({
  /** Evaluations in a row without improvement after which the run ends. */
  patience: count,
  /** An evaluation improves when its loss is lower than the best so far by more than this. */
  minDelta: z.number().min(0).default(0),
});

export const trainerConfigSchema = z
  .strictObject({
    /** A local folder, or a Hugging Face id that is already in the local cache. */
    baseModel: z.string().min(1),
    /** The name the adapter records for its base; null: the id, or the last segment of the folder's path. */
    baseModelId: z.string().min(1).nullable().default(null),
    trainFile: z.string().min(1),
    /** Messages JSONL. Null: no evaluation, and the last step's weights are the result. */
    evalFile: z.string().min(1).nullable(),
    outputDir: z.string().min(1),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(0),

    method: z.enum(trainerMethods).default("lora"),
    rank: count.default(16),
    alpha: z.number().positive().default(32),
    dropout: z.number().min(0).lt(1).default(0),
    targetModules: z.union([z.literal("all-linear"), z.array(z.string()).min(1)]).default("all-linear"),

    learningRate: z.number().positive().default(2e-4),
    schedule: z.enum(["cosine", "linear", "constant"]).default("cosine"),
    warmupRatio: z.number().min(0).lt(1).default(0.03),
    weightDecay: z.number().min(0).default(0),
    maxGradNorm: z.number().positive().nullable().default(1),
    epochs: count.default(3),
    /** A cap: the run ends after this many optimizer steps or after its epochs, whichever comes first. */
    maxSteps: count.nullable().default(null),
    /** Tokens of one forward pass, padding included. Exactly one of batchTokens and batchSize is set. */
    batchTokens: count.nullable().default(null),
    batchSize: count.nullable().default(null),
    gradientAccumulation: count.default(1),
    maxLength: z.int().min(8).default(2048),
    packing: z.enum(["length-grouped", "packed"]).default("length-grouped"),
    precision: z.enum(["bfloat16", "float32"]).default("bfloat16"),
    gradientCheckpointing: z.boolean().default(false),

    evalEverySteps: count.default(50),
    saveEverySteps: count.default(50),
    /** The newest N are kept; the best one is kept as well. */
    keepCheckpoints: count.default(3),
    /** With it the best evaluation's weights are the result, without it the last step's. */
    earlyStopping: earlyStoppingSchema.nullable().default(null),
    /** Held-out questions that are answered at each evaluation, so that a person sees it learn; 0 asks none. */
    sampleCount: z.int().min(0).default(3),
    /** The longest that such an answer gets. */
    sampleTokens: count.default(32),
    /** CPU threads; null leaves torch's choice. The same number is needed for bit-equal results. */
    threads: count.nullable().default(null),
    /** What it may reserve of its GPU, which it may share with others, in bytes; it then fails without a GPU. Null: all. */
    gpuMemoryBytes: count.nullable().default(null),
  })
  .refine((config) => (config.batchTokens === null) !== (config.batchSize === null), {
    path: ["batchTokens"],
    message: "set exactly one of batchTokens and batchSize",
  })
  .refine((config) => config.batchTokens === null || config.batchTokens >= config.maxLength, {
    path: ["batchTokens"],
    message: "batchTokens must be at least maxLength, or the longest example would fit no batch",
  })
  .refine((config) => config.earlyStopping === null || config.evalFile !== null, {
    path: ["earlyStopping"],
    message: "earlyStopping needs an evalFile",
  });

export type TrainerConfig = z.infer<typeof trainerConfigSchema>;
