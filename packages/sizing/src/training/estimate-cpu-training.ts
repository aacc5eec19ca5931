import { z } from "zod";
import { countParameters } from "../models/model.ts";
import { countAdapterParameters } from "./adapted-modules.ts";
import { sizeFrozenWeights } from "./frozen-weights.ts";
import { invalid, parseModelRequest, readAdapter } from "./training-request.ts";
import { computeBytesOf, sizePass } from "./working-set.ts";

const count = z.number().int().positive();

const requestSchema = z.object({
  /** A Hugging Face config.json as it is. */
  model: z.unknown(),
  method: z.enum(["lora", "rslora", "dora", "qlora", "full"]),
  loraRank: count.max(65_536).nullish(),
  loraTargets: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).nullish(),
  /** Tokens of the longest example. */
  maxLength: count.max(16_777_216),
  /** Tokens of one forward and backward pass, padding included; at least `maxLength`, which is the default. */
  batchTokens: count.max(1_000_000_000).optional(),
  /** Of the frozen weights and of the computation; trained weights are float32. */
  dtype: z.enum(["bfloat16", "float32"]).default("bfloat16"),
  gradientCheckpointing: z.boolean().default(false),
  /** Share of a pass's tokens whose logits are computed: those of answers. 1, the default, holds for any data. */
  learnedShare: z.number().positive().max(1).default(1),
  /** Of the checkpoint as it is held, in bytes, where the files are known; else counted from the config. */
  weightBytes: count.optional(),
  /** The trainer runs with ONEDNN_PRIMITIVE_CACHE_CAPACITY and LRU_CACHE_CAPACITY at 64 or less. */
  boundedKernelCaches: z.boolean().default(false),
});

export type CpuTrainingRequest = z.input<typeof requestSchema>;

/** Parts of the resident set at its peak, in bytes. */
export type CpuTrainingBreakdown = {
  processBytes: number;
  weightsBytes: number;
  adapterBytes: number;
  gradientsBytes: number;
  optimizerBytes: number;
  activationsBytes: number;
  logitsBytes: number;
  kernelCachesBytes: number;
};

export type CpuTrainingEstimate = {
  totalBytes: number;
  breakdown: CpuTrainingBreakdown;
  trainableParameters: number;
};

const mib = 1024 ** 2;

/** Python, torch 2.13, transformers, PEFT and the tokenizer before any weights, with the libraries that come in later. */
const processBytes = 560 * mib;

/**
 * Compiled kernels and what they leave unusable. oneDNN generates code for every new shape of a matrix product, so for
 * every new number of tokens in a batch, and keeps 1,024 of them (ONEDNN_PRIMITIVE_CACHE_CAPACITY); torch's ideep keeps as
 * many of its own around them (LRU_CACHE_CAPACITY). Both lie in glibc's heap between the tensors, so freed tensors leave
 * holes that stay resident. A model of one layer with 60 MiB of live tensors grew from 600 to 1,942 MiB over 105 batches
 * of 40 to 512 tokens (606 MiB in the caches, full after 40 batches, 590 MiB of holes, by then growing slowly); with both
 * limits at 64 one of four layers stayed within 230 MiB of its live memory and SmolLM2-135M within 260, no slower. Both
 * figures are rounded up to be bounds.
 */
const kernelCachesBytes = 1400 * mib;
const boundedKernelCachesBytes = 320 * mib;

/**
 * Peak resident set of `apps/trainer` on a CPU, in bytes. Trained weights, gradients and both moments of AdamW are float32
 * (the fused step needs no copies); autocast adds 16-bit copies of what is trained; what a pass keeps is counted as on a
 * GPU, all of it beside the logits.
 * @throws SizingError INVALID_REQUEST, UNKNOWN_ARCHITECTURE.
 */
export function estimateCpuTraining(request: CpuTrainingRequest): CpuTrainingEstimate {
  const { data, model } = parseModelRequest(requestSchema, request);
  if (data.method === "qlora") {
    throw invalid("method", data.method, '"lora" on a CPU: quantised weights need an NVIDIA GPU and bitsandbytes');
  }
  const tokens = data.batchTokens ?? data.maxLength;
  if (tokens < data.maxLength) {
    throw invalid(
      "batchTokens",
      tokens,
      `at least maxLength (${data.maxLength}), or the longest example fits no batch`,
    );
  }
  const adapted = data.method === "full" ? null : readAdapter(model, data);
  const trainable =
    adapted === null
      ? countParameters(model)
      : countAdapterParameters(model, adapted, { dora: data.method === "dora" });
  const computeBytes = computeBytesOf(data);
  const held = data.weightBytes ?? sizeFrozenWeights(model, null, computeBytes).bytes;
  const pass = sizePass({
    ...data,
    model,
    adapted,
    tokens,
    sequences: Math.ceil(tokens / data.maxLength),
    logitTokens: Math.ceil(tokens * data.learnedShare),
    flashAttention: true,
    streamBytes: computeBytes,
  });
  const copies = data.dtype === "bfloat16" ? 2 * trainable : 0;
  const breakdown = {
    processBytes,
    weightsBytes: adapted === null ? 4 * trainable + copies : held,
    adapterBytes: adapted === null ? 0 : 4 * trainable + copies,
    gradientsBytes: 4 * trainable,
    optimizerBytes: 8 * trainable,
    activationsBytes: pass.activations,
    logitsBytes: pass.logits,
    kernelCachesBytes: data.boundedKernelCaches ? boundedKernelCachesBytes : kernelCachesBytes,
  };
  const totalBytes = Math.ceil(Object.values(breakdown).reduce((sum, bytes) => sum + bytes, 0));
  return { totalBytes, breakdown, trainableParameters: trainable };
}
