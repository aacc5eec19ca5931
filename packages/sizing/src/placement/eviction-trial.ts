import { findIsland } from "./choose-gpus.ts";
import type { Job } from "./cluster.ts";
import { chooseMigSlice, freeGpu, returnMigSlice, takeMigSlice } from "./gpu-codes.ts";
import { migShapeOf, type NodeType, type RequestShape } from "./node-type.ts";
import type { Packing } from "./packing.ts";
import type { Pod } from "./place-gang.ts";

/** A node's resources by themselves, to try what stopping jobs would free. */
export type Trial = { codes: Int16Array; cpuMilli: number; memoryMib: number; type: NodeType };

export function startTrial(packing: Packing, node: number): Trial {
  const type = packing.types[packing.nodeType[node]!]!;
  const from = node * packing.stride;
  return {
    codes: packing.codes.slice(from, from + type.gpus),
    cpuMilli: packing.freeCpuMilli[node]!,
    memoryMib: packing.freeMemoryMib[node]!,
    type,
  };
}

/** Gives back (1) or takes again (-1) what the job holds on the node. */
export function changeTrial(trial: Trial, job: Job, node: number, sign: 1 | -1): void {
  for (const { node: on, shape, gpus } of job.taken) {
    if (on !== node) continue;
    trial.cpuMilli += sign * shape.cpuMilli;
    trial.memoryMib += sign * shape.memoryMib;
    const mig = shape.migProfile === null ? null : migShapeOf(trial.type, shape.migProfile);
    for (const { index, milli, slice } of gpus) {
      const code = trial.codes[index]!;
      if (mig === null) trial.codes[index] = code + sign * milli;
      else trial.codes[index] = (sign === 1 ? returnMigSlice : takeMigSlice)(code, slice ?? 0, mig.size);
    }
  }
}

/** Whether all the pods fit; with `inIsland`, their whole GPUs in one NVLink island. */
export function fitsTrial(trial: Trial, pods: readonly Pod[], inIsland: boolean): boolean {
  let { cpuMilli, memoryMib } = trial;
  for (const { shape } of pods) {
    cpuMilli -= shape.cpuMilli;
    memoryMib -= shape.memoryMib;
  }
  if (cpuMilli < 0 || memoryMib < 0) return false;
  const whole = wholeGpus(pods);
  if (inIsland && whole > 0 && findIsland(trial.codes, 0, trial.type, whole) === -1) return false;
  const codes = pods.length === 1 ? trial.codes : trial.codes.slice();
  return pods.every(({ shape }) => takeTrialGpus(codes, trial.type, shape, pods.length > 1));
}

function takeTrialGpus(shared: Int16Array, type: NodeType, shape: RequestShape, keep: boolean): boolean {
  if (shape.gpus === 0) return true;
  if (shape.migProfile !== null) {
    const mig = migShapeOf(type, shape.migProfile)!;
    const codes = keep ? shared : shared.slice();
    for (let i = 0; i < shape.gpus; i++) {
      const next = chooseMigSlice(codes, 0, codes.length, mig);
      if (next === null) return false;
      codes[next.at] = takeMigSlice(codes[next.at]!, next.start, mig.size);
    }
    return true;
  }
  let left = shape.gpus;
  for (let i = 0; i < shared.length && left > 0; i++) {
    const code = shared[i]!;
    if (code > freeGpu || code < shape.gpuMilli) continue;
    if (keep) shared[i]! -= shape.gpuMilli;
    left -= 1;
  }
  return left === 0;
}

export const wholeGpus = (pods: readonly Pod[]) =>
  pods.reduce((sum, { shape }) => sum + (shape.migProfile === null && shape.gpuMilli === freeGpu ? shape.gpus : 0), 0);
