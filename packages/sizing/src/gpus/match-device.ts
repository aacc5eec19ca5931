import { gpuCatalogue } from "./catalogue.ts";
import type { Gpu } from "./gpu.ts";

/** A GPU, or a MIG slice of one, as the driver names it. */
export type DeviceFacts = {
  /** "NVIDIA-H100-80GB-HBM3" or the same with spaces. */
  product: string;
  /** Of the whole GPU, as the driver counts it; null where it is not told. */
  memoryBytes: number | null;
  migProfile: string | null;
  computeCapability: number | null;
};

const gib = 1024 ** 3;
/** The driver's figure and the catalogue's (CUDA's) differ by 0.3 to 2 %; sizes of one name are at least 15 % apart. */
const sameMemory = 0.05;
/** bfloat16, in which engines and trainer compute, needs this (CUDA C++ programming guide, "Compute Capabilities"). */
const lowestCapability = 8;

/**
 * What sizing counts a device of this machine as: a GPU of the catalogue, or one of its own with the memory that the
 * driver tells. Of the latter only memory and architecture are known; what its speed is set to is the slowest catalogue
 * GPU of that architecture, so `isKnown` says whether speeds may be believed.
 * @returns `unusable` with the reason, in words that follow the device's name
 */
export function matchDevice(device: DeviceFacts): { gpu: Gpu; isKnown: boolean } | { unusable: string } {
  const { computeCapability, memoryBytes, migProfile } = device;
  if (computeCapability !== null && computeCapability < lowestCapability) {
    return { unusable: `has compute capability ${computeCapability}, and bfloat16 needs ${lowestCapability} or more` };
  }
  const known = gpuCatalogue.find((gpu) => isNamed(device.product, gpu) && hasMemory(gpu, device));
  if (migProfile !== null) return matchSlice(device.product, migProfile, known ?? null, computeCapability);
  if (known) return { gpu: known, isKnown: true };
  if (memoryBytes === null) return { unusable: "has no memory of its own that the driver tells" };
  return { gpu: describeUnknown(device.product, usableGib(memoryBytes), computeCapability), isKnown: false };
}

function matchSlice(product: string, migProfile: string, whole: Gpu | null, capability: number | null) {
  const [, label] = /\.(\d+)gb/.exec(migProfile) ?? [];
  const profile = whole?.migProfiles.find(({ name }) => name === migProfile.replace(/\+.*$/, ""));
  const memoryGib = profile?.memoryGib ?? (Number(label ?? 0) * 1e9) / gib;
  if (memoryGib === 0) return { unusable: "has a MIG profile whose memory nobody tells" };
  const base = whole ?? describeUnknown(product, memoryGib, capability);
  const name = `${base.name}, slice ${migProfile}`;
  return { gpu: { ...base, id: `${base.id}-${migProfile}`, name, memoryGib, gpusPerNode: 1 }, isKnown: false };
}

/** "A100-80GB" is named by "NVIDIA A100-SXM4-80GB", "L4" not by "NVIDIA L40S"; a PCIe card is not its SXM sibling. */
function isNamed(product: string, gpu: Gpu): boolean {
  const words = (text: string) =>
    ` ${text
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, " ")
      .trim()} `;
  const named = words(product);
  const stem = words(gpu.id.replace(/-\d+GB$/, ""));
  return named.includes(stem) && !(gpu.link.kind === "nvlink" && / (pcie|nvl) /.test(named));
}

/** A sliced GPU is listed by its slices only: there the name must do, with the size that it carries. */
function hasMemory(gpu: Gpu, { product, memoryBytes, migProfile }: DeviceFacts): boolean {
  if (migProfile !== null) {
    const [, size] = /(\d+)\s?GB/i.exec(product) ?? [];
    return size === undefined || Math.abs(gpu.memoryGib / Number(size) - 1) < sameMemory;
  }
  return memoryBytes !== null && Math.abs(memoryBytes / gib / gpu.memoryGib - 1) < sameMemory;
}

/** What CUDA leaves of the driver's figure: 0.46 GiB less on L4 and H100-80GB, 0.6 on H200, 0.9 on B300. */
function usableGib(memoryBytes: number): number {
  return Math.floor((memoryBytes / gib - 0.5 - 0.0015 * (memoryBytes / gib)) * 100) / 100;
}

function architectureOf(capability: number | null): Gpu["architecture"] {
  if (capability === null || capability < 8.9) return "ampere";
  if (capability < 9) return "ada";
  return capability < 10 ? "hopper" : "blackwell";
}

function describeUnknown(product: string, memoryGib: number, capability: number | null): Gpu {
  const architecture = architectureOf(capability);
  const [slowest] = gpuCatalogue
    .filter((gpu) => gpu.vendor === "nvidia" && gpu.architecture === architecture)
    .toSorted((left, right) => left.bandwidth - right.bandwidth);
  const { source: _, ...sibling } = slowest!;
  return {
    ...sibling,
    id: product.replaceAll(/\s+/g, "-"),
    name: product.replaceAll("-", " "),
    memoryGib,
    migProfiles: [],
    source: `memory as the driver tells it; the rest is assumed to be that of ${sibling.id}`,
  };
}
