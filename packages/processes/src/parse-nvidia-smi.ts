/** One GPU of this machine, or one MIG slice of one. */
export type GpuDevice = {
  /** What CUDA_VISIBLE_DEVICES takes. */
  id: string;
  /** Number of the GPU in its machine, as nvidia-smi counts; for a slice, of the GPU that it is cut from. */
  index: number;
  /** With dashes, as NVIDIA's Kubernetes label spells it. */
  product: string;
  migProfile: string | null;
  memoryBytes: number | null;
  /** In use already, by all processes together; null where it is not told (slices, GPUs without memory of their own). */
  usedBytes: number | null;
  /** NVIDIA's number of the architecture: 8 and 8.6 Ampere, 8.9 Ada, 9 Hopper, 10 and 12 Blackwell; null where it is not told. */
  computeCapability: number | null;
};

/** For `nvidia-smi --query-gpu=<these> --format=csv,noheader,nounits`. */
export const gpuQueryFields = [
  "index",
  "uuid",
  "name",
  "memory.total",
  "memory.used",
  "mig.mode.current",
  "compute_cap",
] as const;

/**
 * @param query answer to the query above, in MiB
 * @param listing answer to `nvidia-smi -L`, which names the slices of GPUs in MIG mode
 */
export function parseGpus(query: string, listing: string): GpuDevice[] {
  const slices = parseSlices(listing);
  return query
    .split("\n")
    .filter((line) => line.trim() !== "")
    .flatMap((line): GpuDevice[] => {
      const [number, id = "", name = "", total, used, migMode, capability = ""] = line
        .split(",")
        .map((field) => field.trim());
      const index = Number(number);
      const product = name.replaceAll(/\s+/g, "-");
      const computeCapability = /^\d+(\.\d+)?$/.test(capability) ? Number(capability) : null;
      // A GPU in MIG mode can only be used slice by slice; one that has not been sliced cannot be used at all.
      if (migMode === "Enabled")
        return (slices.get(id) ?? []).map((slice) => ({
          ...slice,
          index,
          product,
          usedBytes: null,
          computeCapability,
        }));
      const memory = { memoryBytes: parseMib(total), usedBytes: parseMib(used) };
      return [{ id, index, product, migProfile: null, ...memory, computeCapability }];
    });
}

/** Slices by their GPU's UUID. A profile's name tells its memory: "3g.40gb" has 40 GB. */
function parseSlices(listing: string): Map<string, Pick<GpuDevice, "id" | "migProfile" | "memoryBytes">[]> {
  const slices = new Map<string, Pick<GpuDevice, "id" | "migProfile" | "memoryBytes">[]>();
  let gpu: string | null = null;
  for (const line of listing.split("\n")) {
    gpu = /^GPU \d+:.*\(UUID: (GPU-[^)]+)\)/.exec(line)?.[1] ?? gpu;
    const [, migProfile, gigabytes, id] =
      /^\s+MIG (\S*?\.(\d+)gb\S*)\s+Device\s+\d+:\s+\(UUID: (MIG-[^)]+)\)/.exec(line) ?? [];
    if (gpu === null || migProfile === undefined || id === undefined) continue;
    slices.set(gpu, [...(slices.get(gpu) ?? []), { id, migProfile, memoryBytes: Number(gigabytes) * 1024 ** 3 }]);
  }
  return slices;
}

/** "[N/A]", "[Insufficient Permissions]" and the like become null. */
function parseMib(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) * 1024 ** 2 : null;
}
