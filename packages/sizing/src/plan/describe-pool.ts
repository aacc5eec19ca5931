import { countSequenceKvBytes } from "../memory/kv-per-user.ts";
import { findCapacity, firstSoundMs, throughputOf } from "./capacity.ts";
import type { Workload } from "./concurrency.ts";
import { hoursPerMonth, serverWatts } from "./cost.ts";
import { explainPool } from "./explain-pool.ts";
import type { PoolPlan } from "./plan-types.ts";
import type { ServedPool } from "./pool.ts";
import { drawMemoryBar, measureNeed, type ReplicaOption } from "./replica.ts";
import { findReplicaKnee } from "./replica-speed.ts";
import { listServingOptions } from "./serving-options.ts";
import { gib, plural } from "./words.ts";

/** The pool as a plan shows it: with what it takes more time to work out. */
export function describePool(served: ServedPool): PoolPlan {
  const { request, memory, capacity, speed, load, fleet, cost } = served;
  const { option, selected, source, workload, production } = request;
  const { inputTokens, outputTokens, dailyLoad } = workload;
  const watts = serverWatts(option.gpu, fleet.gpus);
  const meanLoad = dailyLoad.reduce((sum, share) => sum + share, 0) / dailyLoad.length;
  const outputPerSecond = load.expectedRequestsPerSecond * outputTokens;
  const requestsPerMonth = load.expectedRequestsPerSecond * meanLoad * hoursPerMonth * 3600;
  const perMillion = (tokens: number) => (cost.perMonth / (requestsPerMonth * tokens)) * 1e6;
  const fleetFactor = fleet.replicas / load.replicas;
  const fullPrompt = Math.max(1, workload.contextTokens - outputTokens);
  const knee = findReplicaKnee(option, memory.kvCacheGib, workload);
  const pool: PoolPlan = {
    pool: workload.name,
    profile: workload.profile.name,
    model: selected.id,
    precision: option.precision,
    kvCacheDtype: option.kvCacheDtype,
    gpu: option.gpu.id,
    supply: source.supply.kind,
    tensorParallel: option.tensorParallel,
    pipelineParallel: option.pipelineParallel,
    expertParallel: option.expertParallel,
    gpusPerReplica: fleet.gpus / fleet.replicas,
    launch: {
      engine: memory.engine,
      maxModelLen: workload.contextTokens,
      gpuMemoryUtilization: option.gpuMemoryUtilization,
      arguments: listArguments(option, workload),
    },
    replicas: fleet.replicas,
    nodes: fleet.nodes,
    gpus: fleet.gpus,
    spare: {
      replicas: fleet.spareReplicas,
      reason: production
        ? `Any one of the ${fleet.nodes} nodes can fail: with what is left, ${plural(fleet.replicasAfterNodeLoss, "replica")}, the load is still carried (it needs ${load.replicas}).`
        : "A trial: nothing is held in reserve, and the loss of a node ends the service.",
    },
    warmReserve: planWarmReserve(served),
    need: measureNeed(option, workload, workload.inFlightAtOnce ?? load.requestsInFlight * load.replicas),
    memoryPerGpu: drawMemoryBar(option, memory, load.requestsInFlight),
    requestsInFlightPerReplica: load.requestsInFlight,
    ttftMs: load.latency.ttftMs,
    tokensPerSecondPerUser: 1000 / load.latency.tpotMs,
    bandwidthBoundTokensPerSecond: load.latency.breakdown.ceilingTokensPerSecondPerUser,
    firstSoundMs: workload.limits.firstSoundMs === null ? null : firstSoundMs(load.latency),
    ttftAtFullContextMs: speed({ requestsInFlight: 1, inputTokens: fullPrompt, outputTokens }).ttftMs,
    saturation: { ...capacity, kneeRequestsInFlight: knee.efficientBatch, mostRequestsInFlight: knee.batch },
    tokensPerSecond: {
      atExpectedPeak: outputPerSecond,
      capacity: load.capacityRequestsPerSecond * outputTokens * fleetFactor,
    },
    utilisation: (load.expectedRequestsPerSecond * meanLoad) / (load.capacityRequestsPerSecond * fleetFactor),
    cost,
    costPerMillionTokens: perMillion(inputTokens + outputTokens),
    costPerMillionOutputTokens: perMillion(outputTokens),
    watts,
    tokensPerJoule: outputPerSecond / watts,
    reasons: [],
    notes: [...new Set([...request.notes, ...selected.notes, ...source.notes, ...describeNodes(served)])],
    options: offerOptions(served),
  };
  return { ...pool, reasons: explainPool(served, pool) };
}

function describeNodes({ request: { source }, fleet }: ServedPool): string[] {
  const used = (fleet.replicasPerNode * (fleet.gpus / fleet.replicas)) / fleet.nodesPerReplica;
  return used < source.gpusPerNode
    ? [
        `A node uses ${used} of the ${source.gpusPerNode} GPUs that it is usually sold with: take smaller ones, or let other work have the rest.`,
      ]
    : [];
}

function listArguments(option: ReplicaOption, workload: Workload): string[] {
  const { tensorParallel, pipelineParallel, expertParallel, kvCacheDtype, gpuMemoryUtilization } = option;
  return [
    "--max-model-len",
    `${workload.contextTokens}`,
    "--gpu-memory-utilization",
    `${gpuMemoryUtilization}`,
    ...(tensorParallel > 1 ? ["--tensor-parallel-size", `${tensorParallel}`] : []),
    ...(pipelineParallel > 1 ? ["--pipeline-parallel-size", `${pipelineParallel}`] : []),
    ...(expertParallel > 1 ? ["--enable-expert-parallel"] : []),
    ...(kvCacheDtype === "fp8" ? ["--kv-cache-dtype", "fp8"] : []),
  ];
}

/** Bytes/s at which weights come from a local disk, and what an engine takes to compile, capture graphs and be probed. */
const loadBytesPerSecond = 2e9;
const engineStartSeconds = 90;
/** A rented node that is not there yet. */
const nodeStartSeconds = 180;

/** Load grows while a replica starts, so what can grow in that time is kept warm: the spare replicas serve for it. */
function planWarmReserve({ request, memory, fleet, load, cost }: ServedPool): PoolPlan["warmReserve"] {
  const { option, source, workload } = request;
  const bytes = memory.weightsGibPerGpu * 1024 ** 3 * option.tensorParallel * option.pipelineParallel;
  const rented = source.supply.kind === "rent" ? nodeStartSeconds : 0;
  const coldStartSeconds = Math.round(bytes / loadBytesPerSecond + engineStartSeconds + rented);
  const { dailyLoad } = workload;
  const steepest = Math.max(0, ...dailyLoad.map((share, hour) => share - (dailyLoad[(hour + 23) % 24] ?? share)));
  const grows = load.replicas * steepest * (coldStartSeconds / 3600);
  const wanted = cost.onDemand.replicasAtPeak > 0 ? Math.ceil(grows) : 0;
  const replicas = Math.min(wanted, fleet.spareReplicas);
  const start = `A replica takes about ${Math.round(coldStartSeconds / 60)} min to start (${gib(bytes / 1024 ** 3)} to load)`;
  const reason =
    wanted === 0
      ? `${start}; all that the peak needs run around the clock.`
      : `${start}, while the load grows by up to ${grows.toFixed(1)} replicas: start them ahead of the hour, and let ${
          replicas > 0 ? plural(replicas, "spare replica") : "no spare replica, since there is none,"
        } bridge the time.`;
  return { replicas, coldStartSeconds, reason };
}

function offerOptions(served: ServedPool): PoolPlan["options"] {
  const { request, memory, load, speed, fleet } = served;
  const { option, workload } = request;
  const { model, kvCacheDtype } = option;
  const { inputTokens, outputTokens } = workload;
  if (outputTokens < 2) return [];
  const at = (requestsInFlight: number, share: number) => {
    const { ttftMs, tpotMs } = speed({ requestsInFlight, inputTokens, outputTokens, prefixCacheHitRate: share });
    return { ttftMs, tokensPerSecondPerUser: 1000 / tpotMs };
  };
  const decodeAt = (requestsInFlight: number) =>
    speed({ requestsInFlight, inputTokens, outputTokens, disaggregated: { networkGbps: 400 } });
  const onlySpeed = { ...workload, limits: { ...workload.limits, ttftMs: null, firstSoundMs: null } };
  const decode = findCapacity(onlySpeed, memory, decodeAt);
  const decodeCapacity = "wanted" in decode ? 1 : decode.requestsInFlight;
  return listServingOptions(
    {
      replicas: load.replicas,
      gpusPerReplica: fleet.gpus / fleet.replicas,
      requestsPerSecond: load.replicas * throughputOf(load.requestsInFlight, load.latency, outputTokens),
      inputTokens,
      outputTokens,
      promptCacheBytes: countSequenceKvBytes(model, inputTokens, {
        dtype: model.dtype,
        kvCacheDtype,
        tensorParallel: 1,
      }),
      ttftLimitMs: workload.limits.ttftMs,
      now: at(load.requestsInFlight, workload.prefixCacheHitRate),
      without: at(load.requestsInFlight, 0),
      idleTtftMs: speed({
        requestsInFlight: 1,
        inputTokens,
        outputTokens,
        prefixCacheHitRate: workload.prefixCacheHitRate,
      }).ttftMs,
      decodeOnly: {
        capacity: decodeCapacity,
        ttftMs: 0,
        tokensPerSecondPerUser: 1000 / decodeAt(decodeCapacity).tpotMs,
      },
      withPrefix: (share) => at(load.requestsInFlight, share),
    },
    workload.prefixCacheHitRate,
  );
}
