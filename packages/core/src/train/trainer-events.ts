import { z } from "zod";

import { dropSchema } from "../loop/contract.ts";

/**
 * What `apps/trainer` writes, one JSON object a line, on stdout and in `outputDir/events.ndjson`: the mirror of
 * `trainer/events.py`. `trainer-events.sample.ndjson` is a recorded run that the tests of both sides parse.
 *
 * A resumed attempt appends to the file. Its `started.resumedFromStep` says after which step it repeats what the attempt
 * before it may already have reported; a repeated step has the same loss, so the last word on a step number is the one
 * to keep.
 */
const at = z.iso.datetime();
const step = z.int().min(0);

export const trainerFailureCodes = [
  "DATASET_EMPTY",
  "MODEL_UNKNOWN",
  "INVALID_INPUT",
  "DISK_FULL",
  "TRAINING_FAILED",
] as const;

export const trainingSampleSchema = z.strictObject({
  /** The conversation's last words before the answer: with passages, where the example has them. */
  question: z.string(),
  expected: z.string(),
  answer: z.string(),
  /** False when sampleTokens cut it off. */
  complete: z.boolean(),
});
export type TrainingSample = z.infer<typeof trainingSampleSchema>;

export const trainerEventSchema = z.discriminatedUnion("type", [
  z.strictObject({
    at,
    type: z.literal("started"),
    baseModel: z.string(),
    parameters: z.int(),
    trainableParameters: z.int(),
    trainExamples: z.int(),
    evalExamples: z.int(),
    /** The first 1,000; `droppedTotal` counts all. `ref` is `train:12` or `eval:3`: the split and the line, from 1. */
    dropped: z.array(dropSchema),
    droppedTotal: z.int(),
    totalSteps: z.int(),
    /** 0 for a fresh run. */
    resumedFromStep: step,
    tokensPerEpoch: z.int(),
  }),
  z.strictObject({
    at,
    type: z.literal("step"),
    step,
    totalSteps: z.int(),
    /** Epochs completed, with a fraction. */
    epoch: z.number(),
    /** The mean over the learned tokens of this step. */
    loss: z.number(),
    learningRate: z.number(),
    gradNorm: z.number(),
    /** Of this step, padding not counted. */
    tokens: z.int(),
    tokensPerSecond: z.number(),
    /** Peak CUDA memory of the process, or its resident set on a CPU. */
    memoryBytes: z.int(),
    etaMs: z.int(),
  }),
  z.strictObject({ at, type: z.literal("eval"), step, evalLoss: z.number() }),
  /** Before each evaluation: what the weights of that moment answer to a few held-out questions, always the same ones. */
  z.strictObject({ at, type: z.literal("samples"), step, samples: z.array(trainingSampleSchema) }),
  z.strictObject({
    at,
    type: z.literal("checkpoint"),
    step,
    path: z.string(),
    evalLoss: z.number().nullable(),
  }),
  z.strictObject({
    at,
    type: z.literal("log"),
    level: z.enum(["info", "warning"]),
    message: z.string(),
  }),
  z.strictObject({
    at,
    type: z.literal("finished"),
    steps: step,
    /** Means over the learned tokens of the first and of the last `lossWindow` steps: batches differ in kind. */
    lossFirst: z.number(),
    lossLast: z.number(),
    lossWindow: z.int().min(1),
    /** Before the first step: the base model's. Null without an evaluation file. */
    evalLossFirst: z.number().nullable(),
    evalLoss: z.number().nullable(),
    /** The step whose weights were exported; the last one when there is no evaluation. */
    keptStep: step,
    /** Over training steps only: loading, evaluation and checkpoints are not counted. */
    tokensPerSecond: z.number(),
    tokensTotal: z.int(),
    /** Of all attempts together. */
    durationMs: z.int(),
    /** outputDir/adapter, or outputDir/model for method full. */
    adapterDir: z.string(),
    stoppedEarly: z.boolean(),
  }),
  /** Asked to stop: a checkpoint is saved and the exit code is 0. The same config resumes. */
  z.strictObject({ at, type: z.literal("stopped"), step }),
  /** The one event of a failure; the exit code is 1. */
  z.strictObject({
    at,
    type: z.literal("failed"),
    code: z.enum(trainerFailureCodes),
    message: z.string(),
    action: z.string(),
  }),
]);

export type TrainerEvent = z.infer<typeof trainerEventSchema>;
