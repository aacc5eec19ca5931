import { findGpu, gpuCatalogue } from "../gpus/catalogue.ts";
import type { Gpu } from "../gpus/gpu.ts";
import type { Brief } from "./brief.ts";
import { defaultElectricityPerKwh, purchasePrice, type Supply } from "./cost.ts";
import type { Rejection } from "./plan-types.ts";

/** GPUs of one kind that a plan may draw on, and how they are paid for. */
export type GpuSource = {
  /** Differs between two pools of the same GPU. */
  key: string;
  gpu: Gpu;
  supply: Supply;
  gpusPerNode: number;
  /** Null where any number can be had. */
  nodesAvailable: number | null;
  notes: readonly string[];
};

/**
 * Every kind of GPU that the brief allows: what exists, then what can be rented or bought; with the reason for each that it
 * rules out.
 * @throws SizingError UNKNOWN_GPU or INVALID_REQUEST for a GPU that is neither in the catalogue nor described.
 */
export function listGpuSources(brief: Brief): { sources: GpuSource[]; rejected: Rejection[] } {
  const { sovereignty, existingOnly } = brief;
  const regions = sovereignty?.regions;
  const kind = brief.purchase ?? (sovereignty?.onPremises || brief.budget?.capex !== undefined ? "buy" : "rent");
  const offered = existingOnly ? [] : brief.gpus ? brief.gpus.map(findGpu) : gpuCatalogue;
  const all = [
    ...(brief.existingGpus ?? []).map((pool, index) => readExisting(brief, pool, index)),
    ...offered.map((gpu) => offer(brief, gpu, kind)),
  ];
  const rejected: Rejection[] = [];
  const sources = all.filter((source) => {
    const reason = findObjection(source);
    if (reason !== null) {
      rejected.push({
        option: { gpu: source.gpu.id, supply: source.supply.kind },
        code: "SOVEREIGNTY",
        reason,
        details: { vendor: source.gpu.vendor, ...(source.region === undefined ? {} : { region: source.region }) },
      });
    }
    return reason === null;
  });
  return { sources, rejected };

  function findObjection({ gpu, supply, region }: GpuSource & { region?: string }): string | null {
    if (sovereignty?.vendors && !sovereignty.vendors.includes(gpu.vendor)) {
      return `${gpu.name} is made by ${gpu.vendor.toUpperCase()}; only ${sovereignty.vendors.join(", ")} is allowed.`;
    }
    if (regions && supply.kind === "existing" && (region === undefined || !regions.includes(region))) {
      return `The existing ${gpu.name} stand in ${region ?? "a region that is not stated"}; only ${regions.join(", ")} is allowed.`;
    }
    return null;
  }
}

/** @throws SizingError UNKNOWN_GPU for a price of a GPU that is not known */
function findPrices(brief: Brief, gpu: Gpu): NonNullable<Brief["prices"]>[string] | undefined {
  const entries = Object.entries(brief.prices ?? {});
  return entries.find(([id]) => id === gpu.id)?.[1] ?? entries.find(([id]) => findGpu(id).id === gpu.id)?.[1];
}

function offer(brief: Brief, gpu: Gpu, kind: "rent" | "buy"): GpuSource & { region?: string } {
  const prices = findPrices(brief, gpu);
  const priced = prices?.perHour === undefined ? gpu : { ...gpu, pricePerHour: prices.perHour };
  const electricityPerKwh = brief.electricityPerKwh ?? defaultElectricityPerKwh;
  const supply: Supply =
    kind === "rent"
      ? { kind, perHour: priced.pricePerHour }
      : { kind, purchase: prices?.purchase ?? purchasePrice(priced), electricityPerKwh };
  const regions = brief.sovereignty?.regions;
  const where = regions ? [`${kind === "rent" ? "Rent" : "Place"} them in ${regions.join(" or ")} only.`] : [];
  return {
    key: `${kind} ${gpu.id}`,
    gpu: priced,
    supply,
    gpusPerNode: gpu.gpusPerNode,
    nodesAvailable: null,
    notes:
      prices === undefined
        ? [...where, "Prices are rounded catalogue figures of 2025: put your own into the brief's prices."]
        : where,
  };
}

type ExistingPool = NonNullable<Brief["existingGpus"]>[number];

function readExisting(brief: Brief, pool: ExistingPool, index: number): GpuSource & { region?: string } {
  const found = findGpu(pool.gpu);
  const gpusPerNode = Math.min(pool.gpusPerNode ?? found.gpusPerNode, pool.count);
  const link = pool.interconnect === undefined ? found.link : relink(found, pool.interconnect);
  // Only racks join the GPUs of several nodes.
  const domain = link.domain > found.gpusPerNode ? link.domain : Math.min(link.domain, gpusPerNode);
  const gpu = { ...found, link: { ...link, domain } };
  return {
    key: `existing ${index} ${gpu.id}`,
    gpu: { ...gpu, gpusPerNode },
    supply: {
      kind: "existing",
      perHour: pool.pricePerHour ?? null,
      electricityPerKwh: brief.electricityPerKwh ?? defaultElectricityPerKwh,
    },
    gpusPerNode,
    nodesAvailable: Math.floor(pool.count / gpusPerNode),
    notes: [],
    ...(pool.region === undefined ? {} : { region: pool.region }),
  };
}

/** The same GPU without its usual link, as PCIe cards have it: 64 GB/s of PCIe 5.0 x16 in one direction, 32 of PCIe 4.0. */
function relink(gpu: Gpu, kind: Gpu["link"]["kind"]): Gpu["link"] {
  if (kind === gpu.link.kind || kind !== "pcie") return gpu.link;
  const older = gpu.architecture === "ampere" || gpu.architecture === "ada";
  return { kind, bandwidth: older ? 32e9 : 64e9, domain: gpu.gpusPerNode };
}
