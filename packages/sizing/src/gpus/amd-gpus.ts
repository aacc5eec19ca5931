import type { Gpu } from "./gpu.ts";

const gb = 1e9;
const tera = 1e12;

/** Data sheet figures on the terms of nvidia-gpus.ts; a "profile" is a compute partition (CPX), one XCD each. */
export const amdGpus: readonly Gpu[] = [
  {
    id: "MI300X",
    name: "AMD Instinct MI300X",
    vendor: "amd",
    memoryGib: 191.98,
    bandwidth: 5300 * gb,
    flops: { bf16: 1307.4 * tera, fp8: 2614.9 * tera, int8: 2614.9 * tera, fp4: null },
    link: { kind: "infinity-fabric", bandwidth: 448 * gb, domain: 8 },
    powerW: 750,
    gpusPerNode: 8,
    migProfiles: [{ name: "cpx-nps4", memoryGib: 24, computeShare: 1 / 8, perGpu: 8 }],
    pricePerHour: 2.3,
    source: "AMD Instinct MI300X data sheet (2023), seven links of 64 GB/s",
    architecture: "cdna3",
  },
  {
    id: "MI325X",
    name: "AMD Instinct MI325X",
    vendor: "amd",
    memoryGib: 255.98,
    bandwidth: 6000 * gb,
    flops: { bf16: 1307.4 * tera, fp8: 2614.9 * tera, int8: 2614.9 * tera, fp4: null },
    link: { kind: "infinity-fabric", bandwidth: 448 * gb, domain: 8 },
    powerW: 1000,
    gpusPerNode: 8,
    migProfiles: [{ name: "cpx-nps4", memoryGib: 32, computeShare: 1 / 8, perGpu: 8 }],
    pricePerHour: 2.7,
    source: "AMD Instinct MI325X data sheet (2024), seven links of 64 GB/s",
    architecture: "cdna3",
  },
  {
    id: "MI355X",
    name: "AMD Instinct MI355X",
    vendor: "amd",
    memoryGib: 287.98,
    bandwidth: 8000 * gb,
    flops: { bf16: 2516.6 * tera, fp8: 5033.2 * tera, int8: 5033.2 * tera, fp4: 10_066.3 * tera },
    link: { kind: "infinity-fabric", bandwidth: 537.6 * gb, domain: 8 },
    powerW: 1400,
    gpusPerNode: 8,
    migProfiles: [{ name: "cpx-nps2", memoryGib: 36, computeShare: 1 / 8, perGpu: 8 }],
    pricePerHour: 3.6,
    source: "AMD Instinct MI355X data sheet (2025), seven links of 76.8 GB/s",
    architecture: "cdna4",
  },
];
