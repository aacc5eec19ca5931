import { readFile } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import type { GpuDevice } from "@anneal/processes/parse-nvidia-smi";
import type { Capacity, DiscoveredNode, GpuPool } from "./cluster-driver.ts";
import type { ReplicaPlan } from "./replica-files.ts";

/** Below this a GPU's memory is its driver's own, and not another program's. */
const idleGpuBytes = 1024 ** 3;

/**
 * This machine as a node.
 * @param members of our own live replicas
 * @param reserved what the machine itself and Anneal's other services need
 */
export function describeMachine(options: {
  name: string;
  cpuMilli: number;
  memoryBytes: number;
  reserved: { cpuMilli: number; memoryBytes: number };
  devices: readonly GpuDevice[];
  members: readonly ReplicaPlan["members"][number][];
}): DiscoveredNode {
  const { members, reserved } = options;
  const capacity = (of: "cpuMilli" | "memoryBytes"): Capacity => ({
    total: options[of],
    heldByOthers: reserved[of],
    heldByUs: members.reduce((sum, member) => sum + member[of], 0),
  });
  return {
    name: options.name,
    ready: true,
    cordoned: false,
    taints: [],
    cpuMilli: capacity("cpuMilli"),
    memoryBytes: capacity("memoryBytes"),
    gpus: poolDevices(options.devices, members),
    labels: { "kubernetes.io/hostname": options.name },
    topology: {
      region: null,
      zone: null,
      coreSwitch: null,
      spineSwitch: null,
      leafSwitch: null,
      nvlinkDomain: null,
    },
  };
}

/** Cores and memory that this process may use: a container's limits where it runs in one. */
export async function measureMachine(): Promise<{ cpuMilli: number; memoryBytes: number }> {
  const limit = await readFile("/sys/fs/cgroup/memory.max", "utf8").catch(() => "max");
  const quota = (await readFile("/sys/fs/cgroup/cpu.max", "utf8").catch(() => "max 100000")).trim().split(" ");
  const cores = quota[0] === "max" ? Infinity : Number(quota[0]) / Number(quota[1]);
  return {
    cpuMilli: Math.round(Math.min(availableParallelism(), cores) * 1000),
    memoryBytes: Math.min(totalmem(), limit.trim() === "max" ? Infinity : Number(limit)),
  };
}

/** The devices that a new member may get: those that another program uses are left alone. */
export function usableDevices(
  devices: readonly GpuDevice[],
  members: readonly ReplicaPlan["members"][number][],
): GpuDevice[] {
  const ours = new Set(members.flatMap((member) => member.gpus.map((share) => share.id)));
  return devices.filter((device) => ours.has(device.id) || (device.usedBytes ?? 0) < idleGpuBytes);
}

function poolDevices(devices: readonly GpuDevice[], members: readonly ReplicaPlan["members"][number][]): GpuPool[] {
  const usable = new Set(usableDevices(devices, members).map((device) => device.id));
  const held = (id: string) =>
    members.flatMap((member) => member.gpus).reduce((sum, share) => sum + (share.id === id ? share.milli : 0), 0);
  const pools = new Map<string, GpuPool>();
  for (const device of devices) {
    const { migProfile, product } = device;
    const key = `${product} ${migProfile}`;
    const pool = pools.get(key) ?? {
      vendor: "nvidia",
      product,
      resource: migProfile === null ? "nvidia.com/gpu" : `nvidia.com/mig-${migProfile.replace("+", ".")}`,
      migProfile,
      memoryBytes: device.memoryBytes,
      total: 0,
      heldByOthers: 0,
      heldByUs: 0,
    };
    pool.total += 1;
    pool.heldByOthers += usable.has(device.id) ? 0 : 1;
    pool.heldByUs = Math.round(pool.heldByUs * 1000 + held(device.id)) / 1000;
    pools.set(key, pool);
  }
  return [...pools.values()];
}
