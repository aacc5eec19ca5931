import { SizingError } from "../sizing-error.ts";
import type { Latency } from "../speed/estimate-latency.ts";
import { type Capacity, findCapacity, type Miss, throughputOf } from "./capacity.ts";
import type { Workload } from "./concurrency.ts";
import { type FleetCost, priceFleet } from "./cost.ts";
import { type Fleet, planFleet } from "./fleet.ts";
import type { GpuSource } from "./gpu-sources.ts";
import type { SelectedModel } from "./model-selection.ts";
import type { Rejection } from "./plan-types.ts";
import { measureMemory, type ReplicaMemory, type ReplicaOption } from "./replica.ts";
import { measureSpeed } from "./replica-speed.ts";
import { plural, seconds } from "./words.ts";

export type PoolRequest = {
  option: ReplicaOption;
  selected: SelectedModel;
  source: GpuSource;
  workload: Workload;
  production: boolean;
  notes: readonly string[];
};

/** Of what a replica can do, batch work uses so much; the rest is start, end and unevenness. */
const batchUtilisation = 0.9;
/** Online work given as a rate keeps room for its own ups and downs. */
const onlineUtilisation = 0.6;

/**
 * One pool: does the replica fit, how much does it serve within the limits, how many of them, on which nodes, at what cost.
 * Or the reason, with numbers, why not.
 */
export function planPool(request: PoolRequest): ServedPool | Rejection {
  const { option, workload, source, production } = request;
  const reject = (code: Rejection["code"], reason: string, details: Record<string, unknown>): Rejection => ({
    option: nameOption(request),
    code,
    reason,
    details,
  });
  const memory = tryMemory(option, workload);
  if (memory instanceof SizingError) return reject("DOES_NOT_DIVIDE", memory.message, memory.details);
  if (!memory.fits) return reject("MEMORY", memory.reason ?? "It does not fit.", describeMisfit(option, memory));
  const speed = measureSpeed(option, memory.kvCacheGib);
  const { inputTokens, outputTokens, prefixCacheHitRate } = workload;
  const latencyAt = (requestsInFlight: number) =>
    speed({ requestsInFlight, inputTokens, outputTokens, prefixCacheHitRate });
  const capacity = findCapacity(workload, memory, latencyAt);
  if ("wanted" in capacity)
    return reject(capacity.limit === "KV cache" ? "MEMORY" : "LATENCY", explainMiss(capacity, request), {
      ...capacity,
    });
  const load = spreadLoad(workload, memory, capacity, latencyAt);
  const gpusPerReplica = option.tensorParallel * option.pipelineParallel;
  const fleet = planFleet({
    neededReplicas: load.replicas,
    gpusPerReplica,
    gpusPerNode: source.gpusPerNode,
    production,
    nodesAvailable: source.nodesAvailable,
  });
  if (fleet === null) {
    const there = source.nodesAvailable ?? 0;
    return reject(
      "NODES",
      `${plural(load.replicas, "replica")} of ${plural(gpusPerReplica, "GPU")}${production ? " and the spare for the loss of a node" : ""} ` +
        `do not fit on ${plural(there, "node")} of ${plural(source.gpusPerNode, "GPU")}${production && there < 2 ? ": production takes two nodes at least" : ""}.`,
      { replicas: load.replicas, gpusPerReplica, nodes: there, gpusPerNode: source.gpusPerNode },
    );
  }
  const neededByHour = workload.dailyLoad.map((share) => Math.max(1, Math.ceil(load.replicas * share)));
  const cost = priceFleet(option.gpu, fleet, source.supply, neededByHour);
  return { request, memory, capacity, latencyAt, speed, load, fleet, cost };
}

export function nameOption({ option, selected, source, workload }: PoolRequest): Rejection["option"] {
  return {
    pool: workload.name,
    model: selected.id,
    precision: option.precision,
    kvCacheDtype: option.kvCacheDtype,
    gpu: option.gpu.id,
    supply: source.supply.kind,
    tensorParallel: option.tensorParallel,
    pipelineParallel: option.pipelineParallel,
    expertParallel: option.expertParallel,
  };
}

function tryMemory(option: ReplicaOption, workload: Workload): ReplicaMemory | SizingError {
  try {
    return measureMemory(option, workload);
  } catch (error) {
    if (error instanceof SizingError && error.code === "DOES_NOT_DIVIDE") return error;
    throw error;
  }
}

function describeMisfit(option: ReplicaOption, memory: ReplicaMemory): Record<string, unknown> {
  const used = memory.weightsGibPerGpu + memory.activationPeakGib + memory.nonTorchGib + memory.cudaGraphGib;
  const allowed = option.gpu.memoryGib * option.gpuMemoryUtilization;
  return {
    weightsGibPerGpu: memory.weightsGibPerGpu,
    neededGib: used,
    allowedGib: allowed,
    lackingGib: Math.max(0, used - allowed),
  };
}

function explainMiss(miss: Miss, { option, workload }: PoolRequest): string {
  const gpus = option.tensorParallel * option.pipelineParallel;
  const where = gpus === 1 ? `one ${option.gpu.name}` : `${gpus} x ${option.gpu.name}`;
  switch (miss.unit) {
    case "ms":
      return `Even one request misses the ${miss.limit} of ${seconds(miss.wanted)} on ${where}: ${seconds(miss.got)}.`;
    case "tokens/s":
      return `Even one request runs at ${miss.got.toFixed(1)} tokens/s on ${where}; ${miss.wanted} a user are asked for.`;
    case "requests":
      return `The ${miss.limit} of ${where} does not hold one request of ${Math.round(workload.residentTokens)} tokens with room for its ups and downs.`;
  }
}

export type Load = {
  /** That the planned load needs. */
  replicas: number;
  /** Of one of them. */
  requestsInFlight: number;
  latency: Latency;
  /** All replicas that are needed, at the load that is expected at the peak. */
  expectedRequestsPerSecond: number;
  /** All replicas that are needed, at their limit. */
  capacityRequestsPerSecond: number;
  /** Should all users ask at once; null where that is the planned load. */
  allAtOnce: { requestsInFlight: number; latency: Latency } | null;
};

function spreadLoad(
  workload: Workload,
  memory: ReplicaMemory,
  capacity: Capacity,
  latencyAt: (requests: number) => Latency,
): Load {
  const { outputTokens, inFlightPlanned: planned, inFlightExpected, inFlightAtOnce } = workload;
  const throughput = (requests: number) => throughputOf(requests, latencyAt(requests), outputTokens);
  const most = throughput(capacity.requestsInFlight);
  if (planned === null) {
    const rate = workload.requestsPerSecond ?? 0;
    const usable = most * (workload.online ? onlineUtilisation : batchUtilisation);
    const replicas = Math.max(1, Math.ceil(rate / usable));
    return {
      replicas,
      requestsInFlight: capacity.requestsInFlight,
      latency: latencyAt(capacity.requestsInFlight),
      expectedRequestsPerSecond: rate,
      capacityRequestsPerSecond: replicas * most,
      allAtOnce: null,
    };
  }
  const held = inFlightAtOnce ?? planned;
  const replicas = Math.max(
    Math.ceil(planned / capacity.requestsInFlight),
    Math.ceil(held / Math.max(1, Math.floor(memory.meanRequests))),
  );
  const requestsInFlight = Math.ceil(planned / replicas);
  const expected = Math.max(1, Math.round((inFlightExpected ?? planned) / replicas));
  const worst = Math.ceil(held / replicas);
  return {
    replicas,
    requestsInFlight,
    latency: latencyAt(requestsInFlight),
    expectedRequestsPerSecond:
      Math.min(1, (inFlightExpected ?? planned) / (replicas * expected)) * replicas * throughput(expected),
    capacityRequestsPerSecond: replicas * most,
    allAtOnce: worst > requestsInFlight ? { requestsInFlight: worst, latency: latencyAt(worst) } : null,
  };
}

export type ServedPool = {
  request: PoolRequest;
  memory: ReplicaMemory;
  capacity: Capacity;
  latencyAt: (requests: number) => Latency;
  speed: ReturnType<typeof measureSpeed>;
  load: Load;
  fleet: Fleet;
  cost: FleetCost;
};
