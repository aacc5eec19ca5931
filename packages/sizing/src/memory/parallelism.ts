import type { Model } from "../models/model.ts";
import { SizingError } from "../sizing-error.ts";

/** How one replica is cut over GPUs: `tensorParallel` x `pipelineParallel` of them; experts over a part of the former. */
export type Parallelism = {
  tensorParallel: number;
  pipelineParallel: number;
  /** GPUs over which whole experts are spread; the rest of the tensor-parallel group cuts each expert. 1 is off. */
  expertParallel: number;
};

/** vLLM pads the vocabulary to a multiple of this (`vocab_parallel_embedding.py`). */
const vocabularyPadding = 64;

export function padVocabulary(rows: number): number {
  return Math.ceil(rows / vocabularyPadding) * vocabularyPadding;
}

/** Key-value heads that one GPU keeps: at least one, so they are replicated when there are more GPUs than heads. */
export function countKvHeadsPerGpu(kvHeads: number, tensorParallel: number): number {
  return Math.max(1, kvHeads / tensorParallel);
}

/**
 * The layers of each pipeline stage as vLLM splits them (`get_pp_indices`): what is left over goes one each to the
 * stages before the last.
 */
export function splitLayers(layers: number, pipelineParallel: number): { start: number; end: number }[] {
  const sizes = Array.from({ length: pipelineParallel }, () => Math.floor(layers / pipelineParallel));
  for (let left = layers % pipelineParallel, stage = pipelineParallel - 2; left > 0; left -= 1, stage -= 1) {
    sizes[stage] = (sizes[stage] ?? 0) + 1;
  }
  let start = 0;
  return sizes.map((size) => ({ start, end: (start += size) }));
}

/**
 * The engine's own rules of what divides.
 * @throws SizingError DOES_NOT_DIVIDE that names the field, both numbers and what would be right.
 */
export function checkParallelism(model: Model, parallelism: Parallelism): void {
  const { tensorParallel: gpus, pipelineParallel, expertParallel } = parallelism;
  if (pipelineParallel > model.layerOrder.length) {
    fail("pipelineParallel", pipelineParallel, `the model has only ${model.layerOrder.length} layers`);
  }
  if (gpus % expertParallel !== 0) {
    fail("expertParallel", expertParallel, `it must divide tensorParallel (${gpus})`);
  }
  const vocabulary = padVocabulary(model.vocabularySize);
  if (vocabulary % gpus !== 0) {
    fail("tensorParallel", gpus, `it must divide the padded vocabulary (${vocabulary})`);
  }
  for (const { mixer, mlp, tensors } of model.groups) {
    if (mixer.kind !== "recurrent" || mixer.stateElements > 0) {
      requireDivisor(gpus, mixer.heads, "attention heads");
    }
    if (mixer.kind === "attention" && mixer.kvHeads % gpus !== 0 && gpus % mixer.kvHeads !== 0) {
      fail("tensorParallel", gpus, `it must divide the ${mixer.kvHeads} key-value heads, or be a multiple of them`);
    }
    if (mlp.kind === "dense") requireDivisor(gpus, mlp.intermediateSize, "intermediate_size");
    if (mlp.kind === "moe") {
      requireDivisor(gpus / expertParallel, mlp.intermediateSize, "intermediate size of an expert");
      requireDivisor(gpus, mlp.sharedIntermediateSize, "intermediate size of the shared experts");
      if (expertParallel > mlp.experts) fail("expertParallel", expertParallel, `there are only ${mlp.experts} experts`);
    }
    const scheme = model.quantizationScheme;
    if (scheme?.group.kind === "block" && mlp.kind === "moe") {
      const width = mlp.intermediateSize / (gpus / expertParallel);
      const isQuantized = tensors.some((tensor) => tensor.role === "expert" && tensor.quantizable);
      if (isQuantized && width % scheme.group.in !== 0) {
        const size = scheme.group.in;
        fail("tensorParallel", gpus, `each GPU's part of an expert (${width}) must be whole blocks of ${size} weights`);
      }
    }
  }
}

function requireDivisor(gpus: number, size: number, what: string): void {
  if (size % gpus !== 0) fail("tensorParallel", gpus, `it must divide the ${size} of the model's ${what}`);
}

function fail(field: string, value: number, rule: string): never {
  throw new SizingError("DOES_NOT_DIVIDE", `The field ${field} is ${value}, but ${rule}.`, { field, value });
}
