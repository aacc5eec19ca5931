import { countLayers } from "../models/model.ts";
import { castsRestToFloat32 } from "./frozen-weights.ts";
import { sizeLayerActivations } from "./layer-activations.ts";
import type { TrainingRun } from "./training-request.ts";

/** The largest moment of a forward and backward pass on one GPU, in bytes. */
export type WorkingSet = {
  activations: number;
  logits: number;
  /** Of the moment of the loss, also where another one is the largest: what the allocator's slack follows. */
  lossLogits: number;
};

type Pass = Pick<
  TrainingRun,
  "model" | "method" | "adapted" | "dtype" | "maxLength" | "gradientCheckpointing" | "flashAttention"
> & {
  /** Of all sequences of the pass, padding included. */
  tokens: number;
  sequences: number;
  /** Positions whose logits are computed. */
  logitTokens: number;
  /** Bytes of a number in the residual stream. */
  streamBytes: number;
  /** GPUs over which the layers are spread. */
  share?: number;
};

/**
 * Logits as the head makes them, the log-probabilities in float32, and two float32 gradients while the loss runs
 * backwards (torch: autocast's log_softmax and nll_loss, each with its gradient): 14 bytes a word and token in 16 bits.
 */
export function logitBytes(computeBytes: number): number {
  return computeBytes + 12;
}

export function computeBytesOf({ dtype }: Pick<TrainingRun, "dtype">): number {
  return dtype === "float32" ? 4 : 2;
}

/** The pass of a run on one GPU. */
export function sizeWorkingSet(run: TrainingRun): WorkingSet {
  const tokens = run.batch * run.maxLength;
  return sizePass({
    ...run,
    tokens,
    sequences: run.batch,
    logitTokens: tokens,
    streamBytes: castsRestToFloat32(run.quantization) ? 4 : computeBytesOf(run),
    share: run.sharding === null ? run.gpus : 1,
  });
}

/**
 * The larger of two moments: the loss (all that is kept for the backward pass, and the logits), and the backward pass of
 * one layer (the logits gone, its gradients beside what is kept). With checkpointing only the input of each layer is kept,
 * and the layer that runs backwards is recomputed (Chen et al. 2016, arXiv 1604.06174).
 */
export function sizePass(pass: Pass): WorkingSet {
  const { model, tokens, gradientCheckpointing, share = 1 } = pass;
  const computeBytes = computeBytesOf(pass);
  const layers = model.groups.map((group) => {
    const { keptPerToken, gradientsPerToken, scoresPerSquare } = sizeLayerActivations(group, model, {
      computeBytes,
      flashAttention: pass.flashAttention,
      adapted: pass.adapted,
      dora: pass.method === "dora",
    });
    const scores = scoresPerSquare * pass.sequences * pass.maxLength ** 2;
    return {
      count: group.count,
      kept: keptPerToken * tokens + scores,
      gradients: gradientsPerToken * tokens + scores,
    };
  });
  const inputs = countLayers(model) * model.hiddenSize * pass.streamBytes * tokens;
  const all = layers.reduce((sum, layer) => sum + layer.count * layer.kept, 0);
  const kept = (gradientCheckpointing ? inputs : all) / share;
  const backward = Math.max(...layers.map((layer) => layer.gradients + (gradientCheckpointing ? layer.kept : 0)));
  const lossLogits = pass.logitTokens * model.vocabularySize * logitBytes(computeBytes);
  return lossLogits >= backward
    ? { activations: kept, logits: lossLogits, lossLogits }
    : { activations: kept + backward, logits: 0, lossLogits };
}
