import { loraParameters, type ModelShape } from "./model-shape.ts";

export type TrainingMemoryRequest = {
  model: ModelShape;
  method: "lora" | "rslora" | "dora" | "qlora" | "full";
  rank: number;
  /** The base's weights as they are held, in bytes. */
  weightBytes: number;
  /** Tokens of one forward and backward pass, padding included. */
  tokensPerPass: number;
  /** Positions whose logits are computed; fewer than `tokensPerPass` when only completions are learned. */
  logitsPerPass: number;
};

export type TrainingMemory = {
  totalBytes: number;
  breakdown: {
    weightsBytes: number;
    optimizerBytes: number;
    activationsBytes: number;
    logitsBytes: number;
    processBytes: number;
  };
  trainableParameters: number;
};

/** Python, torch, transformers and their allocator caches, measured as the resident set of an idle trainer. */
const processBytes = 900 * 1024 * 1024;

/** An upper bound: with padding or short prompts every position may be a completion's. */
export function trainingLogitsPerPass(tokensPerPass: number): number {
  return tokensPerPass;
}

/**
 * Peak memory of a run without gradient checkpointing, in bytes.
 * - Trained parameters: weight and gradient in fp32, AdamW's two moments in fp32 (Loshchilov & Hutter 2019): 16 bytes each;
 *   for LoRA only the adapter's, for full fine-tuning all.
 * - Activations of a decoder block in 2-byte numbers: 34 x hidden a token (Korthikanti et al. 2022, eq. 1, which counts
 *   attention scores apart; with a fused attention kernel they are not kept) plus what the MLP keeps beyond 4 x hidden.
 * - Logits: bfloat16, their fp32 copy and its gradient: 10 bytes x vocabulary a position.
 */
export function estimateTrainingMemory(request: TrainingMemoryRequest): TrainingMemory {
  const { model, tokensPerPass, logitsPerPass } = request;
  const trainableParameters =
    request.method === "full" ? Math.round(request.weightBytes / 2) : loraParameters(model, request.rank);
  const mlpExtra = Math.max(0, model.intermediateSize / model.hiddenSize - 4) * 6;
  const breakdown = {
    weightsBytes: request.weightBytes,
    optimizerBytes: trainableParameters * 16,
    activationsBytes: Math.round(model.layers * tokensPerPass * model.hiddenSize * (34 + mlpExtra)),
    logitsBytes: logitsPerPass * model.vocabularySize * 10,
    processBytes,
  };
  return {
    totalBytes: Object.values(breakdown).reduce((sum, bytes) => sum + bytes, 0),
    breakdown,
    trainableParameters,
  };
}
