import type { Gpu } from "../gpus/gpu.ts";
import type { ComputeKind } from "./compute-unit.ts";

export type EngineFamily = "vllm" | "trtllm" | "sglang";

/** What an engine adds to the work of the GPU. */
export type EngineConstants = {
  /** Launches and small kernels of one layer in one step, in microseconds, under CUDA graphs. */
  layerUs: number;
  /** More of it where the layer routes tokens to experts: sort, gather, two grouped products, scatter. */
  expertLayerUs: number;
  /** Scheduler and sampling, once a step, and more for each sequence. */
  stepUs: number;
  sequenceUs: number;
  /** More for each layer in a step that carries a prompt: such steps run without CUDA graphs. */
  promptLayerUs: number;
  /** What a layer of experts adds to the time to the first token beyond its work. */
  firstTokenExpertLayerUs: number;
  /** Oldest first; the one named `fallback` also stands for versions that cannot be read, or none. */
  releases: readonly ReleaseConstants[];
};

export type ReleaseConstants = {
  /** First version it holds for; it ends where the next one begins. */
  from: string;
  fallback: boolean;
  /** Prompts that a new one waits for at a large batch: requests of equal lengths travel in waves, others hardly do. */
  waveDepth: number;
  /** Prompts ahead for each request in flight: a run begins with all of them at once, and its mean remembers that. */
  burstShare: number;
  /**
   * Bytes of memory traffic for each element that goes into an FP8 product, where its activations are quantised by
   * kernels of their own; 0 where that is part of the kernel before.
   */
  quantizeBytes: number;
  /** Times `expertLayerUs` and `firstTokenExpertLayerUs`. */
  expertFactor: number;
  /** FP8 experts are all read in each step, also those that no token chose. */
  readsAllExperts: boolean;
};

/** NVLink 5 is told from older ones by its bandwidth: more than 600 GB/s in one direction. */
export type LinkKind = Gpu["link"]["kind"] | "nvlink5";

export type SpeedConstants = {
  /** Share of the peak bandwidth at which weights of 8 and 16 bits, and of 4 bits, are read. */
  weightBandwidthShare: { wide: number; fourBit: number };
  /** Share of the peak FLOP/s that large matrix products reach, and where an architecture is known to differ. */
  computeShare: Record<ComputeKind, number>;
  computeShareOf: Partial<Record<Gpu["architecture"], Partial<Record<ComputeKind, number>>>>;
  /** Memory and compute time are blended as (m^r + c^r)^(1/r): where both matter, neither hides the other wholly. */
  roughness: number;
  expertBandwidthShare: { native: number; weightOnly: number };
  /** Of what a dense product reaches. */
  expertComputeShare: number;
  /** More time for an expert layer whose weights are unpacked first. */
  weightOnlyExpertUs: number;
  /** Tokens of one batch choose experts less differently than by chance: n tokens choose as n^x independent ones. */
  routingVariety: number;
  /** How far the GPU with most tokens is above the mean, in units of what chance alone gives. */
  imbalance: number;
  cacheBandwidthShare: number;
  /** More time for a layer of latent attention: two absorbed projections, two more small products, a slower kernel. */
  latentLayerUs: number;
  attentionComputeShare: number;
  /** Times that a hidden state is read or written between the products of one layer, and at which share of bandwidth. */
  hiddenPasses: number;
  /** The same for the copies that go to chosen experts: gathered and scattered, each a read and a write. */
  expertPasses: number;
  trafficBandwidthShare: number;
  /** Latency of an all-reduce. */
  allReduceUs: number;
  allReduceUsPerGpu: Record<Gpu["link"]["kind"], number>;
  /** Share of the link's bandwidth that an all-reduce of two GPUs keeps; times (n / 2)^growth for n of them. */
  linkShare: Record<LinkKind, number>;
  linkGrowth: Record<LinkKind, number>;
  /** To the first token, whatever the load: handling, tokenising, first launches of each layer, the way back. */
  firstTokenMs: number;
  firstTokenLayerUs: number;
  engines: Record<EngineFamily, EngineConstants>;
};

const usual = { fallback: false, burstShare: 0.053, expertFactor: 1, quantizeBytes: 0, readsAllExperts: false };

/**
 * Fitted by `bench/sizing-speed-fit.ts` on 1,534 measured runs below the knee (Llama 3.1 8B and 70B, Qwen3 32B and 235B,
 * gpt-oss-120b on H100, H200 and B200 under vLLM, TensorRT-LLM and SGLang; ai-dynamo/aiconfigurator, silicon_sample.csv,
 * Apache-2.0), each held near what is known of it from elsewhere: mostly that project's kernel tables (matrix products,
 * attention, experts and all-reduce measured alone). What is marked "tables" is taken from those as it is.
 */
export const speedConstants: SpeedConstants = {
  weightBandwidthShare: { wide: 0.829, fourBit: 0.593 },
  // INT8 is not among the runs and taken to be as FP8.
  computeShare: { bf16: 0.727, fp8: 0.642, int8: 0.642, fp4: 0.501, weightOnly: 0.366 },
  computeShareOf: {
    // L40S, tables (vLLM 0.14): FP8 is held back by its power limit.
    ada: { fp8: 0.29, int8: 0.29 },
    // B200, tables: 0.62 to 0.71 in all three engines.
    blackwell: { bf16: 0.66 },
    // MI300X reached 620 TFLOP/s in BF16 and 990 in FP8 (SemiAnalysis, December 2024); its successor is taken to be alike.
    cdna3: { bf16: 0.47, fp8: 0.38 },
    cdna4: { bf16: 0.47, fp8: 0.38 },
  },
  roughness: 2,
  // Left to the fit, the first would be above the peak.
  expertBandwidthShare: { native: 0.9, weightOnly: 0.659 },
  expertComputeShare: 0.643,
  weightOnlyExpertUs: 17.4,
  routingVariety: 0.833,
  imbalance: 0.743,
  cacheBandwidthShare: 0.789,
  // No such model is among the runs. Tables (H200, one sequence): 17 to 28 µs for the kernel where others take 10, 4 to 8
  // for each absorbed projection.
  latentLayerUs: 35,
  attentionComputeShare: 0.542,
  hiddenPasses: 7.51,
  // Counted, not fitted.
  expertPasses: 4,
  trafficBandwidthShare: 0.8,
  allReduceUs: 5.14,
  // Tables: 5 µs on 2 and 8 GPUs over NVLink; 7, 14 and 26 µs on 2, 4 and 8 over PCIe (NCCL). Infinity Fabric: assumed.
  allReduceUsPerGpu: { nvlink: 0.3, pcie: 2.5, "infinity-fabric": 0.5 },
  // Tables: messages of 16 to 134 MB over NVLink (the switches of 8 GPUs add up themselves), PCIe (RTX PRO 6000, NCCL).
  // Infinity Fabric: assumed.
  linkShare: { nvlink: 0.62, nvlink5: 0.5, pcie: 0.28, "infinity-fabric": 0.4 },
  linkGrowth: { nvlink: 0.18, nvlink5: 0.15, pcie: -0.3, "infinity-fabric": 0.17 },
  firstTokenMs: 7.68,
  firstTokenLayerUs: 218,
  engines: {
    vllm: {
      layerUs: 49.6,
      expertLayerUs: 32.5,
      stepUs: 230,
      sequenceUs: 16.5,
      promptLayerUs: 138,
      firstTokenExpertLayerUs: 130,
      releases: [
        // No runs of its own: as the newest, with the expert kernels of its day.
        { ...usual, from: "0", waveDepth: 0.186 },
        { ...usual, from: "0.11", waveDepth: 1.21, burstShare: 0.0581, expertFactor: 3.71, readsAllExperts: true },
        { ...usual, from: "0.13", fallback: true, waveDepth: 0.186, burstShare: 0.0592, expertFactor: 0.242 },
      ],
    },
    trtllm: {
      layerUs: 35.8,
      expertLayerUs: 31.4,
      stepUs: 334,
      sequenceUs: 6.07,
      promptLayerUs: 131,
      firstTokenExpertLayerUs: 727,
      releases: [
        // Tables (Hopper, release 1.2): 11 to 13 B. The runs of later releases are of checkpoints with fixed scales.
        { ...usual, from: "0", waveDepth: 1.92, burstShare: 0.0599, quantizeBytes: 11 },
        { ...usual, from: "1.1", fallback: true, waveDepth: 0.167, burstShare: 0.0502 },
        { ...usual, from: "1.2", waveDepth: 0.203, burstShare: 0.0533, expertFactor: 0.27 },
      ],
    },
    sglang: {
      layerUs: 44.3,
      expertLayerUs: 57.7,
      stepUs: 416,
      sequenceUs: 11.2,
      promptLayerUs: 178,
      firstTokenExpertLayerUs: 321,
      releases: [
        // All prompts that wait are computed before anything decodes.
        { ...usual, from: "0", waveDepth: 3.66, burstShare: 0.433 },
        { ...usual, from: "0.5.5", fallback: true, waveDepth: 4.13, burstShare: 0.0851 },
      ],
    },
  },
};
