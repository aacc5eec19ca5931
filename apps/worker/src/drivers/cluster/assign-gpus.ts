import type { GangMember } from "./workload.ts";
import type { GpuDevice } from "@anneal/processes/parse-nvidia-smi";

/** `milli` thousandths of one GPU or slice. */
export type GpuShare = { id: string; milli: number };

/**
 * Which GPUs a member gets: those that the scheduler chose, if they are free, and no others in their place. Where it
 * chose none, a share goes to the fullest GPU that still has room for it, so that whole ones stay whole.
 * @param held what live members have
 * @returns null when they are not to be had
 */
export function assignGpus(
  devices: readonly GpuDevice[],
  held: readonly GpuShare[],
  member: Pick<GangMember, "gpus" | "gpuMilli" | "gpuIndices" | "migProfile">,
): GpuShare[] | null {
  const used = (id: string) => held.filter((share) => share.id === id).reduce((sum, share) => sum + share.milli, 0);
  const { gpus, gpuMilli, gpuIndices, migProfile = null } = member;
  const isChosen = (device: GpuDevice) => migProfile !== null || !gpuIndices || gpuIndices.includes(device.index);
  const fitting = devices.filter((device) => device.migProfile === migProfile && isChosen(device));
  if (gpuMilli === undefined) {
    const free = fitting.filter((device) => used(device.id) === 0).slice(0, gpus);
    return free.length < gpus ? null : free.map((device) => ({ id: device.id, milli: 1000 }));
  }
  const [fullest] = fitting
    .filter((device) => used(device.id) + gpuMilli <= 1000)
    .sort((one, other) => used(other.id) - used(one.id));
  return fullest ? [{ id: fullest.id, milli: gpuMilli }] : null;
}
