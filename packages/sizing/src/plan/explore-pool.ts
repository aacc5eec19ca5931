import type { Brief } from "./brief.ts";
import type { PlanPrecision } from "./brief-schema.ts";
import type { Workload } from "./concurrency.ts";
import type { GpuSource } from "./gpu-sources.ts";
import type { SelectedModel } from "./model-selection.ts";
import type { Rejection } from "./plan-types.ts";
import { nameOption, planPool, type PoolRequest, type ServedPool } from "./pool.ts";
import { defaultRetentionFloor, findPrecisionSupport, qualityRetention, servablePrecisions } from "./precision.ts";
import type { ReplicaOption } from "./replica.ts";
import { dollars, plural, precisionName } from "./words.ts";

/** GPUs of one tensor-parallel group at most: beyond it the all-reduces of a layer take longer than its products. */
const mostTensorParallel = 16;
/** A larger group than four times the smallest that fits only makes more of each replica and fewer replicas. */
const widestFactor = 4;
/** An FP8 cache costs little, and not nothing. */
const fp8CacheRetention = 0.998;

export type Exploration = { pools: ServedPool[]; rejected: Rejection[] };

/** The best pool for each model, precision and kind of GPU, and why every other combination was left out. */
export function explorePools(
  brief: Brief,
  workload: Workload,
  models: readonly SelectedModel[],
  sources: readonly GpuSource[],
): Exploration {
  const pools: ServedPool[] = [];
  const rejected: Rejection[] = [];
  for (const selected of models) {
    const precisions = choosePrecisions(brief, selected, rejected);
    for (const precision of precisions) {
      for (const source of sources) {
        const support = findPrecisionSupport(precision, source.gpu);
        if (!support.supported) {
          const option = { model: selected.id, precision, gpu: source.gpu.id, supply: source.supply.kind };
          rejected.push({ option, code: "PRECISION", reason: `${support.reason}.`, details: {} });
          continue;
        }
        const notes = support.note === undefined ? [] : [support.note];
        const found = exploreSource({ brief, workload, selected, precision, source, notes });
        rejected.push(...found.rejected);
        if (found.best) pools.push(found.best);
      }
    }
  }
  return { pools, rejected };
}

/** Quality of what is served: the model's score (1 where it has none) and what its format keeps of it. */
export function qualityOf({ request: { selected, option } }: ServedPool): number {
  return (
    (selected.quality ?? 1) *
    retentionOf(selected, option.precision) *
    (option.kvCacheDtype === "fp8" ? fp8CacheRetention : 1)
  );
}

function retentionOf({ model }: SelectedModel, precision: PlanPrecision): number {
  return model.quantization === null ? qualityRetention[precision] : 1;
}

function choosePrecisions(brief: Brief, selected: SelectedModel, rejected: Rejection[]): PlanPrecision[] {
  const servable = servablePrecisions(selected.model);
  const wanted = brief.precisions ?? servable;
  const reject = (
    precision: PlanPrecision,
    code: Rejection["code"],
    reason: string,
    details: Record<string, unknown>,
  ) => {
    rejected.push({ option: { model: selected.id, precision }, code, reason, details });
    return false;
  };
  return wanted.filter((precision) => {
    if (!servable.includes(precision)) {
      const reason = `The checkpoint of ${selected.id} is in ${servable.map(precisionName).join(", ")} and is not served in ${precisionName(precision)}: name a checkpoint in that format.`;
      return reject(precision, "PRECISION", reason, { checkpoint: servable });
    }
    const retention = retentionOf(selected, precision);
    const { quality } = selected;
    const floor = brief.qualityFloor;
    if (floor !== undefined && quality !== null && quality * retention < floor) {
      const reason = `In ${precisionName(precision)} ${selected.id} keeps about ${(quality * retention).toFixed(1)} of its score of ${quality}; the floor is ${floor}.`;
      return reject(precision, "QUALITY", reason, { quality, retention, floor });
    }
    // A format that was asked for by name needs no defence.
    const share = floor ?? (brief.precisions ? 0 : defaultRetentionFloor);
    if (quality === null && retention < share) {
      const reason =
        `${precisionName(precision)} keeps about ${(100 * retention).toFixed(1)}% of the model's quality; ` +
        `${floor === undefined ? `without a qualityFloor, ${100 * defaultRetentionFloor}% are asked for` : `the floor is ${100 * floor}%`}.`;
      return reject(precision, "QUALITY", reason, { retention, floor: share });
    }
    return true;
  });
}

type SourceRequest = {
  brief: Brief;
  workload: Workload;
  selected: SelectedModel;
  precision: PlanPrecision;
  source: GpuSource;
  notes: readonly string[];
};

function exploreSource(request: SourceRequest): { best: ServedPool | null; rejected: Rejection[] } {
  const auto = request.brief.kvCacheDtype ?? "auto";
  const first = exploreCache(request, auto);
  if (request.brief.kvCacheDtype !== undefined || first.best?.capacity.limitedBy === "speed per user") return first;
  // Half the cache for a token is worth a try where memory is what binds.
  const second = exploreCache(request, "fp8");
  if (!second.best || (first.best && first.best.cost.perMonth <= second.best.cost.perMonth)) return first;
  const rejected = first.best ? [...first.rejected, rejectDearer(first.best, second.best)] : first.rejected;
  return { best: second.best, rejected };
}

function exploreCache(
  request: SourceRequest,
  kvCacheDtype: "auto" | "fp8",
): { best: ServedPool | null; rejected: Rejection[] } {
  const served: ServedPool[] = [];
  const failed: { gpus: number; rejection: Rejection }[] = [];
  let smallest = Infinity;
  for (const option of listOptions(request, kvCacheDtype)) {
    const gpus = option.tensorParallel * option.pipelineParallel;
    if (gpus > smallest * widestFactor || (option.pipelineParallel > 1 && smallest < Infinity)) continue;
    const pool = planPool(toPoolRequest(request, option));
    if ("code" in pool) failed.push({ gpus, rejection: pool });
    else served.push(pool);
    if (!("code" in pool) || !["MEMORY", "DOES_NOT_DIVIDE"].includes(pool.code)) smallest = Math.min(smallest, gpus);
  }
  const [best, ...others] = served.sort(comparePools);
  const dearer = best ? others.map((pool) => rejectDearer(pool, best)) : [];
  return { best: best ?? null, rejected: [...summariseFailures(failed, best), ...dearer] };
}

/** Fewest dollars first; for the same, fewest GPUs in a replica. */
function comparePools(left: ServedPool, right: ServedPool): number {
  const gpus = (pool: ServedPool) => pool.fleet.gpus / pool.fleet.replicas;
  return (
    left.cost.perMonth - right.cost.perMonth ||
    gpus(left) - gpus(right) ||
    left.load.latency.tpotMs - right.load.latency.tpotMs
  );
}

function listOptions(
  { brief, selected, precision, source }: SourceRequest,
  kvCacheDtype: "auto" | "fp8",
): ReplicaOption[] {
  const { model } = selected;
  const { gpu } = source;
  const base = {
    model,
    precision,
    kvCacheDtype,
    gpu,
    pipelineParallel: 1,
    engine: brief.engine ?? "vllm",
    gpuMemoryUtilization: brief.gpuMemoryUtilization ?? 0.9,
  };
  const widest = Math.min(mostTensorParallel, gpu.link.domain);
  const hasExperts = model.groups.some(({ mlp }) => mlp.kind === "moe");
  const cut = (tensorParallel: number, pipelineParallel: number): ReplicaOption[] =>
    (hasExperts && tensorParallel > 1 ? [1, tensorParallel] : [1]).map((expertParallel) => ({
      ...base,
      tensorParallel,
      pipelineParallel,
      expertParallel,
    }));
  const inOneDomain = Array.from({ length: Math.floor(Math.log2(widest)) + 1 }, (_, power) => 2 ** power);
  // Several nodes for one replica, a pipeline stage on each, only where one node is too small.
  const largest = inOneDomain.at(-1) ?? 1;
  return [...inOneDomain.flatMap((gpus) => cut(gpus, 1)), ...[2, 4].flatMap((stages) => cut(largest, stages))];
}

function toPoolRequest(request: SourceRequest, option: ReplicaOption): PoolRequest {
  const { brief, workload, selected, source, notes } = request;
  return {
    option,
    selected,
    source,
    workload,
    production: brief.production ?? true,
    notes: option.pipelineParallel > 1 ? [...notes, pipelineNote(option)] : notes,
  };
}

function pipelineNote({ pipelineParallel, model }: ReplicaOption): string {
  return (
    `A replica spans ${plural(pipelineParallel, "node")}, a pipeline stage on each. Between them go the hidden states alone, ` +
    `${2 * model.hiddenSize} bytes a token: 100 Gbit/s carry it, with RDMA for its latency.`
  );
}

/** Of the sizes that do not fit the largest one tells it; of those that are too slow each one is told. */
function summariseFailures(
  failed: readonly { gpus: number; rejection: Rejection }[],
  best: ServedPool | undefined,
): Rejection[] {
  const byCode = (code: Rejection["code"]) => failed.filter(({ rejection }) => rejection.code === code);
  const memory = byCode("MEMORY").at(-1);
  const divide = best || memory ? [] : byCode("DOES_NOT_DIVIDE").slice(-1);
  const others = failed.filter(({ rejection }) => !["MEMORY", "DOES_NOT_DIVIDE"].includes(rejection.code));
  return [...(memory ? [memory] : []), ...divide, ...others].map(({ rejection }) => rejection);
}

function rejectDearer(pool: ServedPool, best: ServedPool): Rejection {
  const gpus = (each: ServedPool) =>
    `${plural(each.fleet.replicas, "replica")} of ${plural(each.fleet.gpus / each.fleet.replicas, "GPU")}`;
  return {
    option: nameOption(pool.request),
    code: "MORE_GPUS",
    reason:
      `It meets everything with ${gpus(pool)} for ${dollars(pool.cost.perMonth)} a month; ` +
      `${gpus(best)} do it for ${dollars(best.cost.perMonth)}.`,
    details: {
      perMonth: pool.cost.perMonth,
      chosenPerMonth: best.cost.perMonth,
      gpus: pool.fleet.gpus,
      chosenGpus: best.fleet.gpus,
    },
  };
}
