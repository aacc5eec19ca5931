import type { FrozenWeights } from "./frozen-weights.ts";
import type { TrainingRun } from "./training-request.ts";

/** What stays on one GPU from step to step and what the step itself adds, in bytes. */
export type ResidentStates = {
  weights: number;
  /** LoRA's matrices. */
  adapter: number;
  gradients: number;
  /** Moments of the optimizer and, where they are kept apart, float32 masters of the weights. */
  optimizer: number;
  /** Buffers of the reductions, and parameters gathered from the other GPUs. */
  communication: number;
  /** Made by the optimizer's step and dropped after it. */
  stepTemporary: number;
};

type StatesInput = Pick<TrainingRun, "method" | "sharding" | "gpus" | "optimizer" | "dtype" | "masterWeights"> & {
  trainable: number;
  /** All weights of the base as they are held when nothing is sharded. */
  base: FrozenWeights;
};

/**
 * - AdamW (Loshchilov & Hutter 2019): two moments, in the dtype of the parameter. torch's `foreach` step, the default of
 *   CUDA, makes one more tensor of every parameter's size ("uses ~ sizeof(params) more peak memory", torch.optim.AdamW).
 * - 8-bit moments: 1 byte and a float32 scale each 2048 elements (Dettmers et al., arXiv 2110.02861).
 * - Adafactor (arXiv 1804.04235) keeps a row and a column of each matrix, SGD nothing.
 */
function optimizerCost(optimizer: TrainingRun["optimizer"], width: number): { moments: number; temporary: number } {
  switch (optimizer) {
    case "adamw":
      return { moments: 2 * width, temporary: width };
    case "adamw8bit":
      return { moments: 2 * (1 + 4 / 2048), temporary: 0 };
    case "adafactor":
      return { moments: 0.01 * width, temporary: 0 };
    case "sgd":
      return { moments: 0, temporary: 0 };
  }
}

export function sizeResidentStates(input: StatesInput): ResidentStates {
  return input.sharding === null || input.sharding === "ddp" ? sizeReplicated(input) : sizeSharded(input);
}

/**
 * Adapters are float32 (PEFT, `autocast_adapter_dtype`). Full fine-tuning in 16 bits keeps weights, gradients and moments
 * in 16 bits: 8 bytes a parameter, 10 while the step runs; with float32 masters 16 and 20.
 */
function sizeReplicated({ trainable, base, ...run }: StatesInput): ResidentStates {
  const isFull = run.method === "full";
  const width = isFull && run.dtype !== "float32" && run.masterWeights !== true ? 2 : 4;
  const { moments, temporary } = optimizerCost(run.optimizer, width);
  // Autocast keeps its 16-bit copies of float32 weights until the pass ends.
  const copies = isFull && run.dtype !== "float32" && run.masterWeights === true ? 2 * trainable : 0;
  // Without sharding, several GPUs hold a share of the layers each.
  const share = run.sharding === null ? run.gpus : 1;
  return {
    weights: ((isFull ? trainable * width : base.bytes) + copies) / share,
    adapter: isFull ? 0 : (trainable * width) / share,
    gradients: (trainable * width) / share,
    optimizer: (trainable * moments) / share,
    // DistributedDataParallel copies gradients into its buckets (`gradient_as_bucket_view=False`).
    communication: run.sharding === "ddp" ? trainable * width : 0,
    stepTemporary: (trainable * temporary) / share,
  };
}

/** DeepSpeed's defaults, in elements: `reduce_bucket_size`, `stage3_max_live_parameters`, `sub_group_size`. */
const reduceBucket = 5e8;
const maxLiveParameters = 1e9;
const subGroup = 1e9;

/**
 * ZeRO (Rajbhandari et al. 2020, arXiv 1910.02054, figure 1): weights and gradients in 16 bits, master and two moments in
 * float32; stage 1 divides the latter among the GPUs, stage 2 also the gradients, stage 3 also the weights, which are
 * gathered as they are needed: up to `stage3_max_live_parameters` of them. FSDP is stage 3 with gradients in float32 and
 * two layers (the next one is fetched early) and the root (embeddings, head) gathered.
 */
function sizeSharded({ trainable, base, ...run }: StatesInput): ResidentStates {
  const n = run.gpus;
  const isFull = run.method === "full";
  const shardsWeights = run.sharding === "zero3" || run.sharding === "fsdp";
  const { moments } = optimizerCost(run.optimizer, 4);
  const computeBytes = run.dtype === "float32" ? 4 : 2;
  const masterBytes = run.dtype === "float32" ? 0 : 4;
  const whole = isFull ? trainable * computeBytes : base.bytes;
  const live = run.sharding === "fsdp" ? 2 * base.layerBytes + base.outerBytes : computeBytes * maxLiveParameters;
  const gradientBytes = run.sharding === "fsdp" ? 4 : computeBytes;
  const part = trainable / n;
  return {
    weights: shardsWeights ? whole / n : whole,
    adapter: isFull ? 0 : (shardsWeights ? part : trainable) * computeBytes,
    gradients: run.sharding === "zero1" ? trainable * computeBytes : part * gradientBytes,
    optimizer: part * (masterBytes + moments),
    communication: shardsWeights
      ? Math.min(whole - whole / n, Math.max(live, base.layerBytes))
      : Math.min(trainable, reduceBucket) * computeBytes,
    // The 16-bit gradients of the own part in float32; stage 3 goes through it group by group.
    stepTemporary: run.sharding === "fsdp" ? 0 : 4 * (run.sharding === "zero3" ? Math.min(part, subGroup) : part),
  };
}
