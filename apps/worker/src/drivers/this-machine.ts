import type { PoolNode } from "@anneal/db/schema";
import { hostname } from "node:os";
import { measureMachine, queryGpus } from "./cluster/discover-machine.ts";

/** A quarter of the memory stays with the operating system and the stack's other parts. */
const schedulableShare = 0.75;

/** The machine that the worker runs on, as a node that trainings and engines are placed on. */
export async function describeThisMachine(): Promise<PoolNode> {
  const { cpuMilli, memoryBytes } = await measureMachine();
  const gpus = await queryGpus();
  return {
    name: hostname(),
    gpuModel: gpus[0]?.product ?? null,
    gpus: gpus.length,
    gpuMemoryGib: (gpus[0]?.memoryBytes ?? 0) / 2 ** 30,
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
  };
}
