import { z } from "zod";
import type { Gpu } from "../gpus/gpu.ts";
import { findGpu } from "../gpus/catalogue.ts";
import { countLayers, type Model } from "../models/model.ts";
import { readModel } from "../models/read-model.ts";
import { SizingError } from "../sizing-error.ts";
import { type AdaptedModules, selectAdaptedModules } from "./adapted-modules.ts";

const count = z.number().int().positive();

/** One training run as `anneal size` and the planner describe it. What an engineer usually means is the default. */
const requestSchema = z.object({
  /** A Hugging Face config.json as it is. */
  model: z.unknown(),
  /** A catalogue id, or an object of the catalogue's fields. */
  gpu: z.unknown(),
  method: z.enum(["lora", "rslora", "dora", "qlora", "full"]),
  /** Of the frozen weights. "int4" and "int8" are GPTQ's, "bnb-int8" is LLM.int8(). */
  quantization: z
    .enum(["nf4", "fp4", "int4", "gptq-int4", "awq-int4", "int8", "gptq-int8", "bnb-int8", "fp8", "nvfp4", "mxfp4"])
    .nullable()
    .default(null),
  /** Tokens of the longest example; longer ones are cut or left out. */
  maxLength: count.max(16_777_216),
  /** Examples of one forward and backward pass on one GPU (gradient accumulation does not enter the memory). */
  batch: count.max(65_536).default(1),
  gradientCheckpointing: z.boolean().default(true),
  /** A fused kernel (FlashAttention, scaled_dot_product_attention); false: the scores are written to memory. */
  flashAttention: z.boolean().default(true),
  loraRank: count.max(65_536).nullish(),
  loraTargets: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).nullish(),
  gpus: count.max(65_536).default(1),
  /** null on several GPUs: the layers are spread over them (`device_map="auto"`), and they work in turn. */
  sharding: z.enum(["ddp", "zero1", "zero2", "zero3", "fsdp"]).nullable().default(null),
  /** Of the weights and of the computation. */
  dtype: z.enum(["bfloat16", "float16", "float32"]).default("bfloat16"),
  optimizer: z.enum(["adamw", "adamw8bit", "adafactor", "sgd"]).default("adamw"),
  /** Every batch is filled to the same length: packed or padded. False: lengths vary from batch to batch. */
  packing: z.boolean().default(false),
  /**
   * Full fine-tuning only: weights and gradients in float32 under autocast. DeepSpeed and FSDP keep such masters in any
   * case; without sharding the default is what ms-swift and torchtune do, everything in `dtype`.
   */
  masterWeights: z.boolean().optional(),
});

export type TrainingRequest = z.input<typeof requestSchema>;

/** A request that can be run: its model read, its GPU found, its adapter's modules chosen. */
export type TrainingRun = Omit<z.output<typeof requestSchema>, "model" | "gpu"> & {
  model: Model;
  gpu: Gpu;
  adapted: AdaptedModules | null;
};

/** @throws SizingError INVALID_REQUEST or DOES_NOT_DIVIDE that names the field; UNKNOWN_GPU; UNKNOWN_ARCHITECTURE. */
export function parseTrainingRequest(request: unknown): TrainingRun {
  const { data, model } = parseModelRequest(requestSchema, request);
  const run = { ...data, quantization: chooseQuantization(data.method, data.quantization, model) };
  if (run.method === "full" && run.quantization !== null) {
    throw invalid(
      "quantization",
      run.quantization,
      'null: quantised weights cannot be trained themselves. Use method "qlora", which trains an adapter on them',
    );
  }
  const layers = countLayers(model);
  if (run.sharding === null && run.gpus > layers) {
    throw new SizingError(
      "DOES_NOT_DIVIDE",
      `The field gpus is ${run.gpus}; without sharding each GPU holds whole layers, and this model has ${layers}. ` +
        'Use at most that many, or sharding "zero3" or "fsdp".',
      { field: "gpus", value: run.gpus, layers },
    );
  }
  return { ...run, model, gpu: findGpu(data.gpu), adapted: run.method === "full" ? null : readAdapter(model, run) };
}

/** As asked for, else as the checkpoint is, else what QLoRA means; full fine-tuning loads any checkpoint in 16 bits. */
function chooseQuantization(
  method: TrainingRun["method"],
  asked: TrainingRun["quantization"],
  model: Model,
): TrainingRun["quantization"] {
  if (method === "full") return asked;
  return asked ?? model.quantization ?? (method === "qlora" ? "nf4" : null);
}

/** Shared with the request of training on a CPU: the fields by their schema, the model by its config, its length held. */
export function parseModelRequest<Schema extends z.ZodType<{ model?: unknown; maxLength: number }>>(
  schema: Schema,
  request: unknown,
): { data: z.output<Schema>; model: Model } {
  const parsed = schema.safeParse(request);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path.join(".") ?? "";
    throw new SizingError(
      "INVALID_REQUEST",
      path === "" ? `The request is wrong: ${issue?.message}.` : `The field ${path} is wrong: ${issue?.message}.`,
      {
        field: path,
        issues: parsed.error.issues.map((each) => ({ path: each.path.join("."), message: each.message })),
      },
    );
  }
  const model = readModel(parsed.data.model);
  if (parsed.data.maxLength > model.maxPositions) {
    throw invalid(
      "maxLength",
      parsed.data.maxLength,
      `at most ${model.maxPositions}, the positions that the model's config.json allows`,
    );
  }
  return { data: parsed.data, model };
}

export function readAdapter(
  model: Model,
  fields: { loraRank?: number | null | undefined; loraTargets?: string | string[] | null | undefined },
): AdaptedModules {
  if (!fields.loraRank) {
    throw invalid("loraRank", fields.loraRank ?? null, "a positive whole number for this method, 8 to 64 as a rule");
  }
  return selectAdaptedModules(model, fields.loraTargets ?? "all-linear", fields.loraRank);
}

export function invalid(field: string, value: unknown, expected: string): SizingError {
  return new SizingError("INVALID_REQUEST", `The field ${field} is ${JSON.stringify(value)}; it must be ${expected}.`, {
    field,
    value,
  });
}
