import type { NodeGpus, PoolNode } from "@anneal/db/schema";
import type { GpuDevice } from "@anneal/processes/parse-nvidia-smi";
import { queryGpus } from "@anneal/processes/query-gpus";
import { restrictGpus } from "@anneal/processes/restrict-gpus";
import { matchDevice } from "@anneal/sizing/gpus/match-device";
import { hostname } from "node:os";
import { measureMachine } from "./cluster/discover-machine.ts";

/** A quarter of the memory stays with the operating system and the stack's other parts. */
const schedulableShare = 0.75;

export type ThisMachine = {
  node: PoolNode;
  /** The catalogue's id of its GPUs, whose speed is known; null for others, slices, and machines without. */
  gpuModel: string | null;
  /** What a person should know of the GPUs that were found, one sentence each. */
  notes: string[];
};

/**
 * The machine that the worker runs on, as a node that trainings and engines are placed on.
 * @param allowed ANNEAL_GPUS: which of its GPUs may be used
 * @throws AnnealError INVALID_INPUT when that names one that is not there
 */
export async function describeThisMachine(allowed?: string): Promise<ThisMachine> {
  const { cpuMilli, memoryBytes } = await measureMachine();
  const { devices, isKnown, notes } = chooseGpus(await queryGpus(), allowed);
  const node: PoolNode = {
    name: hostname(),
    gpuModel: devices?.gpu.id ?? null,
    gpus: devices?.ids.length ?? 0,
    gpuMemoryGib: devices?.gpu.memoryGib ?? 0,
    nvlinkDomain: null,
    railGroup: null,
    numaNodes: 1,
    migProfiles: [],
    cpuMilli,
    memoryMib: Math.floor((memoryBytes * schedulableShare) / 2 ** 20),
    labels: {},
    costPerHour: 0,
    cordoned: false,
    lost: false,
    ...(devices ? { devices } : {}),
  };
  return { node, gpuModel: isKnown ? node.gpuModel : null, notes };
}

type Group = { devices: NodeGpus; isKnown: boolean };

/**
 * The GPUs that work is placed on. The scheduler knows one kind on each machine, so of several kinds (or sizes of MIG
 * slices) the one with the most memory in all is taken.
 * @param allowed numbers as nvidia-smi counts, or UUIDs, separated by commas; "none"; everything where it is not given
 * @throws AnnealError INVALID_INPUT when it names one that is not there
 */
export function chooseGpus(
  found: readonly GpuDevice[],
  allowed?: string,
): { devices: NodeGpus | null; isKnown: boolean; notes: string[] } {
  const notes: string[] = [];
  const groups = new Map<string, Group>();
  for (const device of restrictGpus(found, allowed)) {
    const match = matchDevice(device);
    if ("unusable" in match) {
      notes.push(`GPU ${device.index} (${device.product}) ${match.unusable}: it is left out.`);
      continue;
    }
    const { gpu, isKnown } = match;
    const group = groups.get(gpu.id) ?? {
      devices: { ids: [], gpu, isSlice: device.migProfile !== null },
      isKnown,
    };
    group.devices.ids.push(device.id);
    groups.set(gpu.id, group);
  }
  const memoryOf = ({ devices }: Group) => devices.ids.length * devices.gpu.memoryGib;
  const [chosen, ...others] = [...groups.values()].toSorted((left, right) => memoryOf(right) - memoryOf(left));
  if (chosen === undefined) return { devices: null, isKnown: false, notes };
  const { gpu, ids } = chosen.devices;
  if (!chosen.isKnown && !chosen.devices.isSlice) {
    notes.push(
      `${gpu.name} is not in the catalogue: it counts as a GPU with ${gpu.memoryGib.toFixed(1)} GiB, whose speed nobody knows.`,
    );
  }
  if (others.length > 0) {
    notes.push(
      `Work is placed on the ${ids.length} ${gpu.name}; ${others.map(({ devices }) => `${devices.ids.length} ${devices.gpu.name}`).join(", ")} are left out, since the scheduler knows one kind of GPU on a machine. ANNEAL_GPUS chooses another.`,
    );
  }
  return { devices: chosen.devices, isKnown: chosen.isKnown, notes };
}
