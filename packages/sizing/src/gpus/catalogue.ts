import { z } from "zod";
import { SizingError } from "../sizing-error.ts";
import { amdGpus } from "./amd-gpus.ts";
import type { Gpu } from "./gpu.ts";
import { nvidiaGpus } from "./nvidia-gpus.ts";

export const gpuCatalogue: readonly Gpu[] = [...nvidiaGpus, ...amdGpus];

const positive = z.number().positive();
const count = z.number().int().positive();
const flops = positive.nullable().default(null);

/** A GPU that is not in the catalogue: same fields and units as `Gpu`; what a GPU cannot do may be left out. */
export const gpuSchema = z
  .object({
    id: z.string().min(1),
    name: z.string().min(1).optional(),
    vendor: z.enum(["nvidia", "amd"]),
    memoryGib: positive.max(4096),
    bandwidth: positive.min(1e9, "bandwidth is in bytes/s: 3.35e12 for an H100"),
    flops: z.object({
      bf16: positive.min(1e9, "flops are in FLOP/s: 9.89e14 in bf16 for an H100"),
      fp8: flops,
      int8: flops,
      fp4: flops,
    }),
    link: z.object({
      kind: z.enum(["nvlink", "pcie", "infinity-fabric"]),
      bandwidth: positive.min(1e6, "link.bandwidth is in bytes/s: 4.5e11 for an H100"),
      domain: count,
    }),
    powerW: positive,
    gpusPerNode: count,
    migProfiles: z
      .array(z.object({ name: z.string().min(1), memoryGib: positive, computeShare: positive.max(1), perGpu: count }))
      .default([]),
    pricePerHour: z.number().nonnegative(),
    source: z.string().optional(),
    architecture: z.enum(["ada", "ampere", "hopper", "blackwell", "cdna3", "cdna4"]),
  })
  .transform((gpu): Gpu => ({ ...gpu, name: gpu.name ?? gpu.id }));

/**
 * The GPU of a catalogue id, or a GPU described by an object of the catalogue's fields.
 * Ids are matched without regard to case, vendor, "SXM" and separators ("h100_sxm" is "H100-80GB"), memory may be left
 * out where only one size exists.
 * @throws SizingError UNKNOWN_GPU for an id that is not in the catalogue, INVALID_REQUEST for a wrong field.
 */
export function findGpu(gpu: unknown): Gpu {
  if (typeof gpu === "string") return findById(gpu);
  const parsed = gpuSchema.safeParse(gpu);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = ["gpu", ...(issue?.path ?? [])].join(".");
  throw new SizingError(
    "INVALID_REQUEST",
    `The field ${field} is wrong: ${issue?.message}. Give a catalogue id (${listIds()}) or an object of the same fields.`,
    { field, issues: parsed.error.issues.map((each) => ({ path: each.path.join("."), message: each.message })) },
  );
}

function findById(id: string): Gpu {
  const wanted = normalise(id);
  const exact = gpuCatalogue.find((gpu) => normalise(gpu.id) === wanted);
  if (exact) return exact;
  const bySize = gpuCatalogue.filter((gpu) => normalise(gpu.id.replace(/-\d+GB$/, "")) === wanted);
  const [only] = bySize;
  if (only && bySize.length === 1) return only;
  throw new SizingError("UNKNOWN_GPU", `There is no GPU "${id}" in the catalogue. Known: ${listIds()}.`, {
    gpu: id,
    known: gpuCatalogue.map((each) => each.id),
  });
}

function normalise(id: string): string {
  return id.toLowerCase().replace(/nvidia|amd|instinct|sxm\d?|[^a-z0-9]/g, "");
}

function listIds(): string {
  return gpuCatalogue.map((gpu) => gpu.id).join(", ");
}
