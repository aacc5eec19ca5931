import type { Gpu } from "../gpus/gpu.ts";
import type { Parallelism } from "../memory/parallelism.ts";
import type { WeightFormat } from "../memory/weight-bytes.ts";
import { attentionFlops, cacheBytesRead, type Stretch } from "./attention-work.ts";
import { type ComputeKind, findComputeUnit } from "./compute-unit.ts";
import type { EngineProfile } from "./engine-profile.ts";
import type { LayerWork, ModelWork } from "./model-work.ts";
import type { SpeedConstants } from "./speed-constants.ts";

/** A replica, resolved: everything that the time of a step depends on except its load. */
export type Replica = {
  work: ModelWork;
  gpu: Gpu;
  parallelism: Parallelism;
  format: WeightFormat;
  /** Bytes of one element of the KV cache. */
  cacheElementBytes: number;
  engine: EngineProfile;
  constants: SpeedConstants;
};

/** One pass through the model: sequences that take their next tokens at a mean context, and stretches of prompts. */
export type StepLoad = {
  sequences: number;
  context: number;
  /** More than one where drafts are verified. */
  tokensPerSequence: number;
  prompts: readonly Stretch[];
};

/** Milliseconds. */
export type StepTime = {
  /** Matrix products of attention, dense MLPs and the output head. */
  weights: number;
  experts: number;
  attention: number;
  collectives: number;
  /** Reading and writing hidden states between the products, and quantising them. */
  traffic: number;
  /** Launches, scheduler, sampling. */
  overhead: number;
  total: number;
};

/**
 * Roofline (Williams et al. 2009) of each operator, one after the other. Never shorter for more tokens or a longer
 * context, nor for a GPU with less bandwidth or FLOP/s.
 */
export function timeStep(replica: Replica, load: StepLoad): StepTime {
  const { work, constants, engine } = replica;
  const promptTokens = load.prompts.reduce((sum, { tokens }) => sum + tokens, 0);
  const tokens = load.sequences * load.tokensPerSequence + promptTokens;
  const outputs = load.sequences * load.tokensPerSequence + load.prompts.length;
  const layers = (time: (layer: LayerWork) => number) =>
    work.layers.reduce((sum, layer) => sum + layer.count * time(layer), 0);
  const prompting = load.prompts.length > 0 ? engine.promptLayerUs * work.layerCount : 0;
  const launches = layers(
    ({ experts, mixer }) =>
      engine.layerUs +
      (experts ? engine.expertLayerUs * engine.expertFactor : 0) +
      (mixer.kind === "mla" ? constants.latentLayerUs : 0),
  );
  const seconds = {
    weights: layers((layer) => timeDense(replica, layer, tokens)) + timeHead(replica, outputs),
    experts: layers((layer) => timeExperts(replica, layer, tokens)),
    attention: layers((layer) => timeAttention(replica, layer, load)),
    collectives: layers(({ activationWidth }) => (activationWidth > 0 ? 2 : 1) * timeAllReduce(replica, tokens)),
    traffic: tokens * layers((layer) => timeTraffic(replica, layer)),
    overhead: 1e-6 * (launches + prompting + engine.stepUs + engine.sequenceUs * load.sequences),
  };
  const total = Object.values(seconds).reduce((sum, part) => sum + part, 0);
  const ms = (part: number) => 1e3 * part;
  return {
    weights: ms(seconds.weights),
    experts: ms(seconds.experts),
    attention: ms(seconds.attention),
    collectives: ms(seconds.collectives),
    traffic: ms(seconds.traffic),
    overhead: ms(seconds.overhead),
    total: ms(total),
  };
}

/**
 * Tokens of prompts in one step at most: what vLLM (`max_num_batched_tokens`), SGLang (`chunked_prefill_size`) and
 * TensorRT-LLM (`max_num_tokens`) take by default on large and on small GPUs.
 */
export function stepTokenBudget(gpu: Gpu): number {
  return gpu.memoryGib >= 70 ? 8192 : 2048;
}

function blend(memory: number, compute: number, { roughness }: SpeedConstants): number {
  return (memory ** roughness + compute ** roughness) ** (1 / roughness);
}

function shareOfPeak({ gpu, constants }: Replica, kind: ComputeKind): number {
  return constants.computeShareOf[gpu.architecture]?.[kind] ?? constants.computeShare[kind];
}

/** FLOP/s of the unit that multiplies the replica's quantised weights. */
function computeRate(replica: Replica): number {
  const unit = findComputeUnit(replica.format, replica.gpu);
  return unit.peak * shareOfPeak(replica, unit.kind);
}

function timeDense(replica: Replica, layer: LayerWork, tokens: number): number {
  const { gpu, format, constants } = replica;
  const share = constants.weightBandwidthShare[format.scheme?.weightBits === 4 ? "fourBit" : "wide"];
  const compute =
    layer.quantizedFlops / computeRate(replica) +
    layer.sixteenBitFlops / (gpu.flops.bf16 * shareOfPeak(replica, "bf16"));
  return blend(layer.denseBytes / (gpu.bandwidth * share), tokens * compute, constants);
}

function timeHead(replica: Replica, outputs: number): number {
  const { work, gpu, constants } = replica;
  const memory = work.headBytes / (gpu.bandwidth * constants.weightBandwidthShare.wide);
  return blend(memory, (work.headFlops * outputs) / (gpu.flops.bf16 * shareOfPeak(replica, "bf16")), constants);
}

/**
 * Experts that n tokens choose: E (1 - (1 - k/E)^n); those are read, whatever share of the tokens each has. With experts
 * spread over GPUs the one with most tokens sets the pace: the mean plus about sqrt(2 ln g) standard deviations.
 */
function timeExperts(replica: Replica, { experts }: LayerWork, tokens: number): number {
  if (!experts || tokens === 0) return 0;
  const { gpu, format, constants, parallelism, engine } = replica;
  const gpus = parallelism.expertParallel;
  const chosenHere = (tokens * experts.perToken) / gpus;
  const excess = Math.sqrt((2 * Math.log(gpus) * (1 - 1 / gpus)) / chosenHere);
  const imbalance = Math.min(gpus, 1 + constants.imbalance * excess);
  const readsAll = engine.readsAllExperts && format.scheme?.format === "fp8";
  const chosen = 1 - (1 - experts.perToken / experts.total) ** (tokens ** constants.routingVariety);
  const read = readsAll ? experts.here : Math.min(experts.here, experts.here * chosen * imbalance);
  const { kind } = findComputeUnit(format, gpu);
  const share = constants.expertBandwidthShare[kind === "weightOnly" ? "weightOnly" : "native"];
  return (
    (read * experts.bytes) / (gpu.bandwidth * share) +
    (chosenHere * imbalance * experts.flops) / (computeRate(replica) * constants.expertComputeShare) +
    (kind === "weightOnly" ? 1e-6 * constants.weightOnlyExpertUs : 0)
  );
}

function timeAttention(replica: Replica, { mixer }: LayerWork, load: StepLoad): number {
  const { gpu, constants, parallelism, cacheElementBytes } = replica;
  const gpus = parallelism.tensorParallel;
  const rate = gpu.flops.bf16 * constants.attentionComputeShare;
  const bandwidth = gpu.bandwidth * constants.cacheBandwidthShare;
  const next = { past: load.context, tokens: load.tokensPerSequence };
  const decode = Math.max(
    cacheBytesRead(mixer, load.context, gpus, cacheElementBytes) / bandwidth,
    attentionFlops(mixer, next, gpus, "decode") / rate,
  );
  const prefill = load.prompts.reduce(
    (sum, prompt) =>
      sum +
      attentionFlops(mixer, prompt, gpus, "prefill") / rate +
      cacheBytesRead(mixer, prompt.past, gpus, cacheElementBytes) / bandwidth,
    0,
  );
  return load.sequences * decode + prefill;
}

/**
 * One token's hidden states in memory. Those of its experts are not divided by tensor parallelism: each GPU has a part of
 * every chosen expert, and gathers whole rows for it.
 */
function timeTraffic({ work, gpu, parallelism, format, engine, constants }: Replica, layer: LayerWork): number {
  const { hiddenSize } = work;
  const chosenHere = (layer.experts?.perToken ?? 0) / parallelism.expertParallel;
  const elements =
    (constants.hiddenPasses + constants.expertPasses * chosenHere) * hiddenSize + 3 * layer.activationWidth;
  const quantizeBytes = format.scheme?.format === "fp8" ? engine.quantizeBytes * layer.quantizedInputs : 0;
  return (2 * elements + quantizeBytes) / (gpu.bandwidth * constants.trafficBandwidthShare);
}

/** Ring or switch: each GPU sends and receives 2 (n - 1) / n of the message (Patarasuk & Yuan 2009). */
function timeAllReduce({ gpu, parallelism, work, constants }: Replica, tokens: number): number {
  const gpus = parallelism.tensorParallel;
  if (gpus === 1) return 0;
  const { link } = gpu;
  const kind = link.kind === "nvlink" && link.bandwidth > 600e9 ? "nvlink5" : link.kind;
  const share = constants.linkShare[kind] * (gpus / 2) ** constants.linkGrowth[kind];
  const rate = gpus > link.domain ? Math.min(networkBandwidth, link.bandwidth * share) : link.bandwidth * share;
  const latencyUs = constants.allReduceUs + constants.allReduceUsPerGpu[link.kind] * gpus;
  return 1e-6 * latencyUs + (tokens * work.hiddenSize * 2 * 2 * (gpus - 1)) / gpus / rate;
}

/** Between nodes: 400 Gbit/s a GPU, one direction. */
const networkBandwidth = 50e9;
