import type { PlanPrecision } from "./brief-schema.ts";
import type { FleetCost } from "./cost.ts";
import type { ServingOption } from "./serving-options.ts";

/** What a plan or a rejection is about; a rejection of a model or a GPU as such names only that. */
export type OptionName = {
  model?: string;
  precision?: PlanPrecision;
  kvCacheDtype?: "auto" | "fp8";
  gpu?: string;
  supply?: "rent" | "buy" | "existing";
  tensorParallel?: number;
  pipelineParallel?: number;
  expertParallel?: number;
  pool?: string;
};

export type Rejection = {
  option: OptionName;
  code:
    | "MODEL"
    | "LICENCE"
    | "LANGUAGE"
    | "TOOLS"
    | "CONTEXT"
    | "QUALITY"
    | "PRECISION"
    | "SOVEREIGNTY"
    | "DOES_NOT_DIVIDE"
    | "MEMORY"
    | "LATENCY"
    | "NODES"
    | "BUDGET"
    | "MORE_GPUS"
    | "DOMINATED";
  /** One sentence with the numbers that decided. */
  reason: string;
  details: Record<string, unknown>;
};

/** One replica's need before anybody chose a GPU, in GB (10^9 bytes) as data sheets count; step two of sizing. */
export type MemoryNeed = {
  precision: PlanPrecision;
  weightsGb: number;
  /** Of the planned requests at their mean length. */
  kvCacheGb: number;
  /** Of the same requests in 99 of 100 moments, and if each reserved the whole context as engines without paging do. */
  kvCache99Gb: number;
  kvCacheReservedGb: number;
  overheadGb: number;
  totalGb: number;
  explanation: string;
};

/** One GPU of a replica, in GiB; the parts add up to the memory of the GPU. */
export type MemoryBar = {
  totalGib: number;
  weightsGib: number;
  activationGib: number;
  /** Context of the driver, communication buffers, CUDA graphs. */
  engineGib: number;
  /** Of the KV cache, what the planned load uses on average, and the rest. */
  kvUsedGib: number;
  kvFreeGib: number;
  /** Left alone by the engine (1 - gpuMemoryUtilization). */
  unusedGib: number;
};

export type SaturationPoint = {
  /** Of one replica, within all limits. */
  requestsInFlight: number;
  limitedBy:
    | "time to first token"
    | "speed per user"
    | "time to first sound"
    | "KV cache"
    | "engine batch limit"
    | "throughput";
  /** Of one replica, limits or not: from here on twice the requests bring less than a quarter more tokens. */
  kneeRequestsInFlight: number;
  /** That run at once; more of them wait for a place. */
  mostRequestsInFlight: number;
};

export type PoolPlan = {
  pool: string;
  profile: string;
  model: string;
  precision: PlanPrecision;
  kvCacheDtype: "auto" | "fp8";
  gpu: string;
  supply: "rent" | "buy" | "existing";
  tensorParallel: number;
  pipelineParallel: number;
  expertParallel: number;
  gpusPerReplica: number;
  /** How one replica is started: the formula set, what else it depends on, and the arguments of `vllm serve`. */
  launch: { engine: string; maxModelLen: number; gpuMemoryUtilization: number; arguments: string[] };
  /** With the spare ones. */
  replicas: number;
  nodes: number;
  gpus: number;
  spare: { replicas: number; reason: string };
  warmReserve: { replicas: number; coldStartSeconds: number; reason: string };
  need: MemoryNeed;
  memoryPerGpu: MemoryBar;
  /** At the planned load, spread over the replicas that it needs. */
  requestsInFlightPerReplica: number;
  ttftMs: number;
  tokensPerSecondPerUser: number;
  /** What the memory bandwidth alone would allow one user: the usual first estimate, never reached. */
  bandwidthBoundTokensPerSecond: number;
  firstSoundMs: number | null;
  /** One prompt that fills the context, on an idle replica. */
  ttftAtFullContextMs: number;
  saturation: SaturationPoint;
  tokensPerSecond: { atExpectedPeak: number; capacity: number };
  /** Mean load of a day over what the fleet could do. */
  utilisation: number;
  cost: FleetCost;
  costPerMillionTokens: number;
  costPerMillionOutputTokens: number;
  watts: number;
  tokensPerJoule: number;
  reasons: string[];
  notes: string[];
  options: ServingOption[];
};

/** A plan is its main pool with the sums over all of its pools; words of several pools begin with the pool's name. */
export type Plan = Omit<PoolPlan, "pool" | "cost"> & {
  rank: number;
  title: string;
  /** The model's score (1 where it has none) times what its format keeps of it. */
  quality: number;
  gpusTotal: number;
  monthlyCost: number;
  capex: number;
  wattsTotal: number;
  baseline: FleetCost["baseline"];
  onDemand: FleetCost["onDemand"];
  pools: Omit<PoolPlan, "reasons" | "notes" | "options">[];
};
