import type { ScalingProfile } from "./activities/scale-serving.ts";

/**
 * The default model on vLLM's CPU build. Measured on two cores (x86-64 with AVX-512 BF16): 30 tokens/s alone and 234 with
 * 16 in flight, so a step takes 33 ms and 2.3 ms more for each sequence; prompts at about 600 tokens/s. A new engine answers
 * after some 40 seconds on a quiet machine, and twice that on a busy one.
 */
export const cpuScaling: ScalingProfile = {
  profile: {
    name: "SmolLM2-135M-Instruct on two CPU cores",
    gpus: 1,
    prefillTokensPerSecond: 600,
    decodeBaseMs: 31,
    decodePerSequenceMs: 2.3,
    maxBatch: 256,
    stepTokens: 2048,
    kvTokens: 46_592,
  },
  limits: { ttftMs: 5000, tpotMs: 500 },
  coldStartSeconds: 80,
};
