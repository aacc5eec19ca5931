import { AnnealError } from "@anneal/core/errors";
import type { GpuDevice } from "./parse-nvidia-smi.ts";

/**
 * The GPUs that ANNEAL_GPUS names: numbers as nvidia-smi counts, or UUIDs, separated by commas; "none"; all of them where
 * it is not given. The number of a GPU in MIG mode names all of its slices.
 * @throws AnnealError INVALID_INPUT when it names one that is not there
 */
export function restrictGpus(found: readonly GpuDevice[], allowed: string | undefined): readonly GpuDevice[] {
  if (allowed === undefined || found.length === 0) return found;
  const wanted = allowed
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "" && entry !== "none");
  const isNamed = (device: GpuDevice, entry: string) => device.id === entry || String(device.index) === entry;
  const unknown = wanted.find((entry) => !found.some((device) => isNamed(device, entry)));
  if (unknown !== undefined) {
    throw new AnnealError("INVALID_INPUT", `ANNEAL_GPUS names ${unknown}, and nvidia-smi lists no such GPU here.`, {
      action: `Name some of these, by number or UUID: ${found.map(({ index, id }) => `${index} (${id})`).join(", ")}; or none.`,
    });
  }
  return found.filter((device) => wanted.some((entry) => isNamed(device, entry)));
}
