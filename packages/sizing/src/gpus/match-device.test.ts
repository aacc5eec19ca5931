import { describe, expect, it } from "vitest";
import { matchDevice } from "./match-device.ts";

const mib = 1024 ** 2;
const device = (product: string, memoryMib: number | null, computeCapability: number | null = 9) => ({
  product,
  memoryBytes: memoryMib === null ? null : memoryMib * mib,
  migProfile: null,
  computeCapability,
});
const gpuOf = (match: ReturnType<typeof matchDevice>) => {
  if ("unusable" in match) return expect.fail(match.unusable);
  return match;
};

describe("matchDevice", () => {
  // Names and sizes as NVIDIA's driver prints them.
  it.each([
    ["NVIDIA H100 80GB HBM3", 81_559, 9, "H100-80GB"],
    ["NVIDIA-H200", 143_771, 9, "H200"],
    ["NVIDIA A100-SXM4-40GB", 40_960, 8, "A100-40GB"],
    ["NVIDIA A100-SXM4-80GB", 81_920, 8, "A100-80GB"],
    ["NVIDIA L4", 23_034, 8.9, "L4"],
    ["NVIDIA L40S", 46_068, 8.9, "L40S"],
    ["NVIDIA B200", 183_359, 10, "B200"],
    ["NVIDIA RTX PRO 6000 Blackwell Server Edition", 97_887, 12, "RTX-PRO-6000"],
  ])("takes %s for the catalogue's", (product, memoryMib, capability, id) => {
    expect(gpuOf(matchDevice(device(product, memoryMib, capability)))).toMatchObject({ gpu: { id }, isKnown: true });
  });

  it.each([
    ["NVIDIA GeForce RTX 4090", 24_564, 8.9, "ada"],
    ["NVIDIA RTX A6000", 49_140, 8.6, "ampere"],
    ["NVIDIA GeForce RTX 5090", 32_607, 12, "blackwell"],
    // Its own bandwidth and half the links: not the SXM card of the same memory.
    ["NVIDIA A100 80GB PCIe", 81_920, 8, "ampere"],
    ["NVIDIA H100 NVL", 95_830, 9, "hopper"],
    ["NVIDIA L40", 46_068, 8.9, "ada"],
  ])("counts %s as a GPU of its own, with a little less memory than the driver says", (name, memoryMib, cap, arch) => {
    const { gpu, isKnown } = gpuOf(matchDevice(device(name, memoryMib, cap)));
    expect(isKnown).toBe(false);
    expect(gpu).toMatchObject({ id: name.replaceAll(" ", "-"), architecture: arch, migProfiles: [] });
    expect(memoryMib / 1024 - gpu.memoryGib).toBeGreaterThan(0.45);
    expect(memoryMib / 1024 - gpu.memoryGib).toBeLessThan(0.7);
  });

  it("counts a slice with the memory of its profile, on a GPU of either size", () => {
    const slice = (product: string, migProfile: string) =>
      gpuOf(matchDevice({ ...device(product, 0), migProfile })).gpu;
    expect(slice("NVIDIA A100-SXM4-40GB", "3g.20gb")).toMatchObject({
      id: "A100-40GB-3g.20gb",
      architecture: "ampere",
    });
    expect(slice("NVIDIA A100-SXM4-40GB", "3g.20gb").memoryGib).toBeCloseTo(18.6, 1);
    expect(slice("NVIDIA-H100-80GB-HBM3", "1g.10gb+me").memoryGib).toBeCloseTo(9.3, 1);
    expect(slice("NVIDIA A30", "1g.6gb").memoryGib).toBeCloseTo(5.6, 1);
  });

  it("leaves out what cannot compute in bfloat16 and what shares the machine's memory, and says why", () => {
    expect(matchDevice(device("Tesla T4", 15_360, 7.5))).toEqual({ unusable: expect.stringContaining("7.5") });
    expect(matchDevice(device("NVIDIA GB10", null, 12.1))).toEqual({ unusable: expect.stringContaining("no memory") });
  });
});
