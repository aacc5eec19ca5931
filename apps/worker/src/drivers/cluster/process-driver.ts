import { AnnealError } from "@anneal/core/errors";
import { choosePort } from "@anneal/processes/choose-port";
import type { GpuDevice } from "@anneal/processes/parse-nvidia-smi";
import { queryGpus } from "@anneal/processes/query-gpus";
import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { requireFit } from "./check-fit.ts";
import type { ClusterDriver, DiscoveredNode, WorkloadState } from "./cluster-driver.ts";
import { combineReplicas, type ReplicaState } from "./combine-replicas.ts";
import { describeMachine, measureMachine, usableDevices } from "./discover-machine.ts";
import { planReplica, requireProcesses } from "./plan-replica.ts";
import { openProcessRecords, type ProcessRecord } from "./process-records.ts";
import {
  clearReplica,
  endLeftovers,
  endReplica,
  inspectReplica,
  launchReplica,
  observeReplica,
} from "./process-replica.ts";
import type { ReplicaFiles, ReplicaPlan } from "./replica-files.ts";
import { requireScalable } from "./require-scalable.ts";
import { takenId } from "./taken-id.ts";
import { watchByPolling } from "./watch-by-polling.ts";
import { withStateLock } from "./with-state-lock.ts";
import { isSameProgram, nameWorkload, parseWorkload, type Replica, type Workload } from "./workload.ts";

export type ProcessDriverOptions = {
  /** Holds what runs; another driver with the same folder finds it again. */
  stateDir: string;
  /** What every program gets (PATH, HOME). Never the worker's own environment: it holds secrets. */
  baseEnv: Record<string, string>;
  /** What placements call this machine. Default: its host name. */
  nodeName?: string;
  /** Kept free for the machine itself and Anneal's services. */
  reserved?: { cpuMilli: number; memoryBytes: number };
  /** Default: what nvidia-smi says. */
  gpus?: () => Promise<GpuDevice[]>;
  /** Default: what this process may use. */
  measure?: () => Promise<{ cpuMilli: number; memoryBytes: number }>;
  /** How long the rest of a gang has to end by itself after one member failed. Default 10 s. */
  siblingGraceMs?: number;
  /** How often `watch` looks. Default 1 s. */
  watchIntervalMs?: number;
  /** Called before each outward step; tests let the driver die there. */
  onStep?: (step: string) => void;
};

/** Runs workloads as process groups of this machine, which outlive the worker. */
export function createProcessDriver(options: ProcessDriverOptions): ClusterDriver {
  const { stateDir, baseEnv } = options;
  const nodeName = options.nodeName ?? hostname();
  const records = openProcessRecords(stateDir);
  const step = options.onStep ?? (() => undefined);
  const locked = async <Result>(change: () => Promise<Result>): Promise<Result> => {
    await mkdir(stateDir, { recursive: true });
    return withStateLock(stateDir, change);
  };

  /** Of everything that holds its share of the machine: running, or about to. */
  async function listLivePlans(): Promise<ReplicaPlan[]> {
    const plans: ReplicaPlan[] = [];
    for (const { workload, leaving } of await records.list()) {
      for (const index of [...workload.replicas.map((replica) => replica.index), ...leaving]) {
        const standing = await inspectReplica(records.replica(workload.id, index));
        if (standing.status === "alive" || standing.status === "planned") plans.push(standing.plan);
      }
    }
    return plans;
  }

  async function describe(plans: readonly ReplicaPlan[], devices: readonly GpuDevice[]): Promise<DiscoveredNode> {
    const members = plans.flatMap((plan) => plan.members);
    const size = await (options.measure ?? measureMachine)();
    const reserved = options.reserved ?? { cpuMilli: 0, memoryBytes: 0 };
    return describeMachine({ name: nodeName, ...size, reserved, devices, members });
  }

  /** Starts what of the workload does not run and should; refuses before anything is written. */
  async function startMissing(record: ProcessRecord): Promise<void> {
    const { workload } = record;
    const fresh: Replica[] = [];
    const planned: { files: ReplicaFiles; plan: ReplicaPlan }[] = [];
    for (const replica of workload.replicas) {
      const files = records.replica(workload.id, replica.index);
      const standing = await inspectReplica(files);
      if (standing.status === "planned") planned.push({ files, plan: standing.plan });
      else if (standing.status === "unplanned") fresh.push(replica);
      else if (workload.kind === "serving" && (standing.status === "lost" || standing.status === "ended")) {
        await endLeftovers(standing.plan, standing.runner);
        await clearReplica(files);
        fresh.push(replica);
      }
    }
    if (fresh.length > 0) {
      const live = await listLivePlans();
      const devices = await (options.gpus ?? queryGpus)();
      requireFit(workload.id, [await describe(live, devices)], fresh);
      const members = live.flatMap((plan) => plan.members);
      const held = members.flatMap((member) => member.gpus);
      const takenPorts = new Set(live.flatMap((plan) => Object.values(plan.ports)));
      for (const replica of fresh) {
        const files = records.replica(workload.id, replica.index);
        const plan = planReplica({
          workload,
          replica,
          // Of this launch: what looks for leftovers of one before must not find it.
          mark: join(stateDir, nameWorkload(workload.id), String(replica.index), randomUUID()),
          directory: files.directory,
          logDirectory: records.logsOf(workload.id),
          devices: usableDevices(devices, members),
          held,
          ports: await choosePorts(workload, takenPorts),
          baseEnv,
          siblingGraceMs: options.siblingGraceMs ?? 10_000,
        });
        held.push(...plan.members.flatMap((member) => member.gpus));
        planned.push({ files, plan });
      }
    }
    step("write the record");
    await records.write(record);
    for (const { files, plan } of planned) {
      for (const { name, source } of workload.volumes) {
        if (source.kind === "scratch") await mkdir(join(files.directory, `scratch-${name}`), { recursive: true });
      }
      step("write a plan");
      await files.writePlan(plan);
      step("launch a replica");
      await launchReplica(files, plan, baseEnv);
    }
    step("return");
  }

  async function endReplicas({ workload, leaving }: ProcessRecord, graceMs: number): Promise<void> {
    const indices = [...workload.replicas.map((replica) => replica.index), ...leaving];
    await Promise.all(
      indices.map((index) =>
        endReplica(workload, records.replica(workload.id, index), Math.min(graceMs, workload.graceMs)),
      ),
    );
  }

  async function observeRecord({ workload, stopping }: ProcessRecord): Promise<WorkloadState> {
    if (stopping) return { workloadId: workload.id, status: "pending", reason: "It is being stopped." };
    const states = new Map<number, ReplicaState>();
    for (const { index } of workload.replicas) {
      states.set(index, await observeReplica(workload, index, records.replica(workload.id, index)));
    }
    return combineReplicas(workload, states);
  }

  const driver: ClusterDriver = {
    kind: "processes",
    async discover(signal) {
      signal.throwIfAborted();
      return [await describe(await listLivePlans(), await (options.gpus ?? queryGpus)())];
    },
    async start(input) {
      const workload = parseWorkload(input);
      requireProcesses(workload);
      await locked(async () => {
        const recorded = await records.read(workload.id);
        if (recorded && (recorded.stopping || !isSameProgram(recorded.workload, workload))) {
          throw takenId(workload.id, recorded.stopping);
        }
        const record = { workload: recorded?.workload ?? workload, stopping: false, leaving: recorded?.leaving ?? [] };
        try {
          await startMissing(record);
        } catch (error) {
          // A first start that fails leaves nothing.
          if (!recorded && error instanceof AnnealError) {
            await endReplicas(record, 0);
            await records.remove(record);
          }
          throw error;
        }
      });
    },
    async observe(workloadId) {
      const record = await records.read(workloadId);
      return record ? observeRecord(record) : { workloadId, status: "gone" };
    },
    async list() {
      const found = await records.list();
      return Promise.all(
        found.map(async (record) => ({ workload: record.workload, state: await observeRecord(record) })),
      );
    },
    async scale(workloadId, replicas, { graceMs }) {
      const leaving = await locked(async () => {
        const record = await records.read(workloadId);
        const workload = requireScalable(workloadId, record && !record.stopping ? record.workload : null, replicas);
        const wanted = new Set(workload.replicas.map((replica) => replica.index));
        const returning = record?.leaving.find((index) => wanted.has(index));
        if (returning !== undefined) {
          throw new AnnealError("CONFLICT", `Replica ${returning} of "${workloadId}" is still being ended.`, {
            action: "Use another index, or try again when it is gone.",
            retryable: true,
          });
        }
        const surplus = (record?.workload.replicas ?? [])
          .map(({ index }) => index)
          .filter((index) => !wanted.has(index));
        const all = [...(record?.leaving ?? []), ...surplus];
        await startMissing({ workload, stopping: false, leaving: all });
        return all;
      });
      for (const index of leaving) {
        const files = records.replica(workloadId, index);
        const record = await records.read(workloadId);
        if (!record) return;
        await endReplica(record.workload, files, Math.min(graceMs, record.workload.graceMs));
        await locked(async () => {
          const now = await records.read(workloadId);
          if (!now) return;
          await clearReplica(files);
          await records.write({ ...now, leaving: now.leaving.filter((each) => each !== index) });
        });
      }
    },
    async stop(workloadId, { graceMs }) {
      const record = await locked(async () => {
        const found = await records.read(workloadId);
        if (found) await records.write({ ...found, stopping: true });
        return found;
      });
      if (!record) return;
      // Not under the lock: draining takes its time, and others may start meanwhile.
      await endReplicas(record, graceMs);
      await locked(() => records.remove(record));
    },
    watch: (signal) => watchByPolling(driver, options.watchIntervalMs ?? 1000, signal),
  };
  return driver;
}

/**
 * The ports that were asked for where they are free, and free ones in their place.
 * @param taken what others were given, and may not listen on yet; what is chosen here is added
 */
async function choosePorts(workload: Workload, taken: Set<number>): Promise<Record<string, number>> {
  const chosen: Record<string, number> = {};
  for (const { name, port } of workload.ports) {
    chosen[name] = await choosePort(port, taken);
    taken.add(chosen[name]);
  }
  return chosen;
}
