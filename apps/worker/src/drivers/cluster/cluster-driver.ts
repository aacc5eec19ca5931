import type { Replica, Workload, WorkloadInput } from "./workload.ts";

/**
 * Carries placements out: on this machine (processes) or on Kubernetes. It decides nothing; where things go and what
 * makes room for them is the scheduler's. Every call may be repeated: a caller that died in the middle, or does not know
 * whether it was heard, calls again.
 */
export type ClusterDriver = {
  kind: "processes" | "kubernetes";
  /** @throws AnnealError ENGINE_UNAVAILABLE (retryable), PREREQUISITE_MISSING (credentials, permissions) */
  discover(signal: AbortSignal): Promise<DiscoveredNode[]>;
  /**
   * Starts every replica, or leaves nothing: a gang of which one member cannot be bound is refused as a whole. Returns
   * once all is handed over; that it runs is what `observe` says. The id makes it idempotent: with a workload that was
   * started before, whether it still runs or has ended, nothing is started again, only what a crash left out.
   * @throws AnnealError ADMISSION_REFUSED (retryable: place it elsewhere or wait) with the members that do not fit and
   * why; CONFLICT when the id belongs to another workload or is just being stopped; INVALID_INPUT
   */
  start(workload: WorkloadInput): Promise<void>;
  observe(workloadId: string): Promise<WorkloadState>;
  /** Everything that was started and not yet stopped, finished work included, whoever started it and when. */
  list(): Promise<ObservedWorkload[]>;
  /**
   * Makes a serving workload have exactly these replicas: new ones are started, then those that are no longer named are
   * drained and ended. Refused as a whole when a new one does not fit.
   * @throws AnnealError NOT_FOUND, ADMISSION_REFUSED, INVALID_INPUT (training; an index with another gang)
   */
  scale(workloadId: string, replicas: readonly Replica[], options: { graceMs: number }): Promise<void>;
  /**
   * Lets it drain, asks it to end, and ends it by force when `graceMs` (at most the workload's own) is over. Returns when
   * nothing of it runs; from then on the id is "gone". Also clears away work that has ended; unknown ids are no error.
   * @throws AnnealError DEPLOYMENT_FAILED (retryable) when something does not end
   */
  stop(workloadId: string, options: { graceMs: number }): Promise<void>;
  /** Every workload's state, first as it is and then whenever it changes, until `signal` aborts. */
  watch(signal: AbortSignal): AsyncIterable<WorkloadState>;
};

export type WorkloadState = { workloadId: string } & (
  | { status: "pending"; reason: string }
  /** At least one replica is up. What the others wait for is in `waiting`. */
  | { status: "running"; addresses: MemberAddress[]; waiting: { replica: number; reason: string }[] }
  /**
   * Its programs ended with 0. One that is asked to end before its work is done must not: a member that a cluster evicts
   * could not be told from one that has finished.
   */
  | { status: "succeeded" }
  /** `exitCode` is 128 + the signal for what a signal ended, and null where there is none: a node that vanished. */
  | { status: "failed"; reason: string; exitCode: number | null }
  | { status: "gone" }
);

export type MemberAddress = {
  replica: number;
  /** Position in the gang. */
  member: number;
  node: string;
  host: string;
  ports: Record<string, number>;
};

export type ObservedWorkload = {
  /** Null for leftovers whose record somebody took away or that cannot be read; `stop` clears them too. */
  workload: Workload | null;
  state: WorkloadState;
};

export type DiscoveredNode = {
  name: string;
  ready: boolean;
  cordoned: boolean;
  /** Taints that our workloads do not tolerate, as "key=value:effect". */
  taints: string[];
  cpuMilli: Capacity;
  memoryBytes: Capacity;
  gpus: GpuPool[];
  labels: Record<string, string>;
  topology: Topology;
};

/** `total` is what workloads may be given. `heldByUs` is what this driver's own workloads take of it. */
export type Capacity = { total: number; heldByOthers: number; heldByUs: number };

/** Equal GPUs, or equal slices of GPUs, of one node; counted in whole ones, a share of one as a fraction. */
export type GpuPool = Capacity & {
  vendor: "nvidia" | "amd";
  /** As the driver or device plugin names it: "NVIDIA-H100-80GB-HBM3". Null where nobody said. */
  product: string | null;
  /** What Kubernetes calls it: "nvidia.com/gpu", "nvidia.com/mig-1g.10gb". */
  resource: string;
  migProfile: string | null;
  /** Of one GPU or slice. */
  memoryBytes: number | null;
};

/** From the widest to the narrowest; null where nobody said. The switches are those of the network between nodes. */
export type Topology = {
  region: string | null;
  zone: string | null;
  coreSwitch: string | null;
  spineSwitch: string | null;
  leafSwitch: string | null;
  /** Nodes whose GPUs are in one NVLink domain (NVL72). */
  nvlinkDomain: string | null;
};
