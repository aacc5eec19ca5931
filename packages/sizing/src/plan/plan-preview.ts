import { findGpu, gpuCatalogue } from "../gpus/catalogue.ts";
import type { Gpu } from "../gpus/gpu.ts";
import { countSequenceKvBytes } from "../memory/kv-per-user.ts";
import { SizingError } from "../sizing-error.ts";
import { readBrief, type WorkloadBrief } from "./brief.ts";
import type { PlanPrecision } from "./brief-schema.ts";
import { planConcurrency, type Workload } from "./concurrency.ts";
import { readServedModel } from "./model-selection.ts";
import type { MemoryBar } from "./plan-types.ts";
import { findPrecisionSupport, servablePrecisions } from "./precision.ts";
import { drawMemoryBar, measureMemory, type ReplicaMemory, type ReplicaOption } from "./replica.ts";
import { measureSpeed } from "./replica-speed.ts";

export type PreviewRequest = Pick<WorkloadBrief, "profile" | "inputTokens" | "outputTokens" | "prefixCacheHitRate"> & {
  /** config.json of the model. */
  config: Record<string, unknown>;
  users: number;
  context: number;
  /** That of the checkpoint, or 16 bits, without one. */
  precision?: PlanPrecision;
  kvCacheDtype?: "auto" | "fp8";
  gpus?: readonly (string | Gpu)[];
  engine?: string;
};

export type CurvePoint = {
  requestsInFlight: number;
  ttftMs: number;
  tokensPerSecondPerUser: number;
  /** Of the replica. */
  tokensPerSecond: number;
};

export type GpuPreview = {
  gpu: string;
  name: string;
  /** The smallest group of these GPUs that holds the model and all users; the largest one where none does. */
  tensorParallel: number;
  status: "fits" | "too small" | "cannot run";
  /** Why not. */
  reason: string | null;
  /** One GPU of the group; null where nothing can be said. */
  memoryPerGpu: MemoryBar | null;
  /** What the users' requests would take beyond what is there, of one GPU. */
  missingGib: number;
  /** Requests of the mean length that the group holds. */
  holds: number;
  curve: CurvePoint[];
  /** The point of the curve from which twice the requests bring less than a quarter more tokens; null without a curve. */
  knee: CurvePoint | null;
};

export type Preview = { workload: Workload; precision: PlanPrecision; gpus: GpuPreview[] };

const gib = 1024 ** 3;
const batches = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const leastGain = 1.25;

/**
 * What the planner page draws at each move of a slider: for each GPU the memory of one as a stacked bar, and the speed of
 * the smallest group that holds all users. A few milliseconds.
 * @throws SizingError for a model, GPU or number that cannot be read
 */
export function planPreview(request: PreviewRequest): Preview {
  const { config, users, gpus, precision, kvCacheDtype = "auto", engine = "vllm", ...rest } = request;
  const brief = readBrief({ model: config, peakUsers: users, ...rest });
  const workload = planConcurrency(brief.workloads[0] ?? {});
  const model = readServedModel(config);
  if (workload.contextTokens > model.maxPositions) {
    throw new SizingError(
      "INVALID_REQUEST",
      `The field context is ${workload.contextTokens}; the model allows at most ${model.maxPositions} tokens.`,
      {
        field: "context",
        value: workload.contextTokens,
        allowed: model.maxPositions,
      },
    );
  }
  const [own = "bf16"] = servablePrecisions(model);
  const chosen = precision ?? own;
  const shown = gpus?.map(findGpu) ?? gpuCatalogue;
  const previews = shown.map((gpu) => {
    const support = findPrecisionSupport(chosen, gpu);
    const option = {
      model,
      precision: chosen,
      kvCacheDtype,
      gpu,
      pipelineParallel: 1,
      expertParallel: 1,
      engine,
      gpuMemoryUtilization: 0.9,
    };
    return support.supported ? previewGpu(option, workload, users) : refuse(gpu, 1, `${support.reason}.`);
  });
  return { workload, precision: chosen, gpus: previews };
}

function refuse(gpu: Gpu, tensorParallel: number, reason: string): GpuPreview {
  return {
    gpu: gpu.id,
    name: gpu.name,
    tensorParallel,
    status: "cannot run",
    reason,
    memoryPerGpu: null,
    missingGib: 0,
    holds: 0,
    curve: [],
    knee: null,
  };
}

type Tried = { option: ReplicaOption; memory: ReplicaMemory };

function previewGpu(base: Omit<ReplicaOption, "tensorParallel">, workload: Workload, users: number): GpuPreview {
  const { gpu } = base;
  let tried: Tried | null = null;
  let refusal: SizingError | null = null;
  for (let tensorParallel = 1; tensorParallel <= Math.min(16, gpu.link.domain); tensorParallel *= 2) {
    try {
      const next = tryGroup({ ...base, tensorParallel }, workload);
      if (!tried || !(tried.memory.fits && tried.memory.meanRequests >= users)) tried = next;
      if (tried.memory.fits && tried.memory.meanRequests >= users) break;
    } catch (error) {
      if (!(error instanceof SizingError) || error.code !== "DOES_NOT_DIVIDE") throw error;
      refusal = error;
    }
  }
  if (!tried) return refuse(gpu, 1, refusal?.message ?? "No group of these GPUs can be cut like that.");
  return draw(tried, workload, users);
}

/** Experts whole on GPUs where their parts would not divide. */
function tryGroup(option: ReplicaOption, workload: Workload): Tried {
  try {
    return { option, memory: measureMemory(option, workload) };
  } catch (error) {
    const hasExperts = option.model.groups.some(({ mlp }) => mlp.kind === "moe");
    if (!(error instanceof SizingError) || error.code !== "DOES_NOT_DIVIDE" || !hasExperts) throw error;
    const whole = { ...option, expertParallel: option.tensorParallel };
    return { option: whole, memory: measureMemory(whole, workload) };
  }
}

function draw({ option, memory }: Tried, workload: Workload, users: number): GpuPreview {
  const { gpu, model, kvCacheDtype, tensorParallel } = option;
  const length = Math.ceil(workload.residentTokens);
  const perUserGib = countSequenceKvBytes(model, length, { dtype: model.dtype, kvCacheDtype, tensorParallel }) / gib;
  const bar = drawMemoryBar(option, memory, users);
  const used = bar.weightsGib + bar.activationGib + bar.engineGib;
  const overWeights = Math.max(0, used - gpu.memoryGib * option.gpuMemoryUtilization);
  const missingGib = overWeights + Math.max(0, perUserGib * users - memory.kvCacheGib);
  const enough = memory.fits && memory.meanRequests >= users;
  const curve = memory.fits ? drawCurve(option, memory, workload) : [];
  return {
    gpu: gpu.id,
    name: gpu.name,
    tensorParallel,
    status: enough ? "fits" : "too small",
    reason: enough
      ? null
      : (memory.reason ??
        `The cache holds ${Math.floor(memory.meanRequests)} requests of ${length} tokens, and ${users} users are to find room: ${missingGib.toFixed(1)} GiB are missing on each GPU.`),
    memoryPerGpu: bar,
    missingGib: enough ? 0 : missingGib,
    holds: Math.floor(memory.meanRequests),
    curve,
    knee: findKneePoint(curve),
  };
}

function drawCurve(option: ReplicaOption, memory: ReplicaMemory, workload: Workload): CurvePoint[] {
  const speed = measureSpeed(option, memory.kvCacheGib);
  const { inputTokens, outputTokens, prefixCacheHitRate } = workload;
  return batches
    .filter((requests) => requests <= Math.max(1, Math.min(memory.meanRequests, memory.engineBatch)))
    .map((requestsInFlight) => {
      const { ttftMs, tpotMs, tokensPerSecondPerGpu } = speed({
        requestsInFlight,
        inputTokens,
        outputTokens,
        prefixCacheHitRate,
      });
      return {
        requestsInFlight,
        ttftMs,
        tokensPerSecondPerUser: 1000 / tpotMs,
        tokensPerSecond: tokensPerSecondPerGpu * option.tensorParallel,
      };
    });
}

function findKneePoint(curve: readonly CurvePoint[]): CurvePoint | null {
  const index = curve.findIndex((point, each) => {
    const next = curve[each + 1];
    return next === undefined || next.tokensPerSecond < leastGain * point.tokensPerSecond;
  });
  return curve[index] ?? null;
}
