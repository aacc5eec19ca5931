import { z } from "zod";
import type { Gpu } from "../gpus/gpu.ts";
import { countActiveParameters, listTensors, type Model } from "../models/model.ts";
import { countTrainableParameters } from "./estimate-training.ts";
import { sizeFrozenWeights } from "./frozen-weights.ts";
import { parseModelRequest, parseTrainingRequest, type TrainingRequest, type TrainingRun } from "./training-request.ts";
import { computeBytesOf } from "./working-set.ts";

export type TrainingSpeedRequest = TrainingRequest & {
  /** Tokens of the dataset; without it no hours are told. */
  datasetTokens?: number | undefined;
  epochs?: number | undefined;
  /** Tokens of an example in the mean, `maxLength` if absent: short passes use a GPU badly. */
  meanLength?: number | undefined;
};

export type TrainingSpeed = {
  /** Of all GPUs together, without padding. */
  tokensPerSecond: number;
  tokensPerSecondPerGpu: number;
  flopsPerToken: number;
  /** Of the GPU's dense peak: what is computed, recomputation included, over what could be. */
  hardwareUtilisation: number;
  /** What a longer pass, or a faster link, would not change: which of them sets the pace. */
  boundBy: "compute" | "communication";
  hours: number | null;
};

const extraSchema = z.object({
  model: z.unknown(),
  maxLength: z.number().int().positive(),
  datasetTokens: z.number().int().positive().optional(),
  epochs: z.number().positive().max(10_000).default(1),
  meanLength: z.number().positive().optional(),
});

/**
 * Share of the dense peak that transformers reaches with fused attention, and the tokens of a pass that use half of it.
 * From the seconds an iteration that Qwen's README tells for LoRA on Qwen-7B (A100, gradient checkpointing, 8 passes an
 * iteration): 0.26 at 256 tokens to 0.5 at 8,192. torchtune's README has 0.5 for Llama 3.2 3B, fully trained without
 * checkpointing, before compilation (8,192 tokens a pass); torch.compile gave it 27% more.
 */
const peakUtilisation = 0.5;
const halfUtilisedTokens = 256;

/** Dequantisation, in bytes of memory traffic a weight and pass: the same README, Q-LoRA beside LoRA (six lengths). */
const dequantisationBytes = 60;

/** Assumed: of a link's peak, what collectives of large buffers reach. */
const linkEfficiency = 0.7;
/** One 400 Gb/s adapter a GPU, as DGX and HGX nodes are built, where a job spans several NVLink domains. */
const networkBandwidth = 50e9;

/**
 * Tokens a second and hours of a training run: floating-point operations over the GPU's peak times a measured
 * utilisation, and what the GPUs exchange, of which the longer sets the pace (both overlap).
 * @throws SizingError as `estimateTraining` does.
 */
export function estimateTrainingSpeed(request: TrainingSpeedRequest): TrainingSpeed {
  const run = parseTrainingRequest(request);
  const { data } = parseModelRequest(extraSchema, request);
  const meanLength = Math.min(data.meanLength ?? run.maxLength, run.maxLength);
  const tokens = run.batch * meanLength;
  const flopsPerToken = countFlopsPerToken(run, meanLength);

  const peak = run.gpu.flops.bf16 * (run.dtype === "float32" ? 1 / 16 : 1);
  const utilisation = (peakUtilisation * tokens) / (tokens + halfUtilisedTokens);
  const quantised = run.quantization === null ? 0 : countQuantised(run.model);
  const compute =
    (tokens * flopsPerToken) / (peak * utilisation) + (quantised * dequantisationBytes) / run.gpu.bandwidth;
  const exchange = sizeExchange(run) / (linkBandwidth(run.gpu, run.gpus) * linkEfficiency);
  const seconds = Math.max(compute, exchange);
  // Layers spread over GPUs without sharding wait for each other: together they are as fast as one.
  const workers = run.sharding === null ? 1 : run.gpus;
  const tokensPerSecond = (workers * tokens) / seconds;
  return {
    tokensPerSecond,
    tokensPerSecondPerGpu: tokensPerSecond / run.gpus,
    flopsPerToken,
    hardwareUtilisation: (tokens * flopsPerToken) / seconds / peak,
    boundBy: exchange > compute ? "communication" : "compute",
    hours: data.datasetTokens === undefined ? null : (data.datasetTokens * data.epochs) / tokensPerSecond / 3600,
  };
}

/**
 * Per token: 2 operations a parameter forward (Kaplan et al. 2020, section 2.1), as many backward for the gradient of
 * the input, and again for that of a trained weight; checkpointing computes the layers forward once more. So 6N for full
 * fine-tuning, 4N for an adapter, 8N and 6N with checkpointing. Attention: queries x keys and scores x values, forward,
 * twice backward; a fused causal kernel skips the half that is masked.
 */
export function countFlopsPerToken(run: TrainingRun, length: number): number {
  const { model } = run;
  const parameters = countActiveParameters(model);
  const head = model.vocabularySize * model.hiddenSize;
  const attention = model.groups.reduce((sum, { count, mixer }) => {
    if (mixer.kind === "recurrent") return sum;
    const width = mixer.kind === "mla" ? mixer.nopeHeadSize + mixer.ropeHeadSize : mixer.headSize;
    const seen = mixer.kind === "attention" ? Math.min(length, spanOf(mixer.span)) : length;
    return sum + count * 2 * mixer.heads * (width + mixer.valueHeadSize) * seen * (run.flashAttention ? 0.5 : 1);
  }, 0);
  const recomputed = run.gradientCheckpointing ? 2 * (parameters - head) + attention : 0;
  const trained = run.adapted === null ? 2 * parameters : 6 * countTrainableParameters(run);
  return 4 * parameters + trained + 3 * attention + recomputed;
}

function spanOf(
  span: { kind: "full" } | { kind: "sliding"; window: number } | { kind: "chunked"; chunk: number },
): number {
  switch (span.kind) {
    case "full":
      return Infinity;
    case "sliding":
      return span.window;
    case "chunked":
      return span.chunk;
  }
}

function countQuantised(model: Model): number {
  return listTensors(model).reduce(
    (sum, each) => sum + (each.quantizable ? each.count * each.copies * each.in * each.out : 0),
    0,
  );
}

/** Bytes that a GPU sends for one pass: an all-reduce of the gradients is twice their size, a gather or scatter once. */
function sizeExchange(run: TrainingRun): number {
  if (run.sharding === null) return 0;
  const others = (run.gpus - 1) / run.gpus;
  const width = computeBytesOf(run);
  const gradients = countTrainableParameters(run) * width;
  if (run.sharding !== "zero3" && run.sharding !== "fsdp") return 2 * gradients * others;
  const weights = sizeFrozenWeights(run.model, run.quantization, width).bytes;
  return (2 * weights + gradients) * others;
}

function linkBandwidth(gpu: Gpu, gpus: number): number {
  return gpus <= gpu.link.domain ? gpu.link.bandwidth : Math.min(networkBandwidth, gpu.link.bandwidth);
}
