import type { GpuDevice } from "@anneal/processes/parse-nvidia-smi";
import { describe, expect, it } from "vitest";
import { chooseGpus } from "./this-machine.ts";

const device = (index: number, product: string, memoryMib: number, change: Partial<GpuDevice> = {}): GpuDevice => ({
  id: `GPU-${index}`,
  index,
  product,
  migProfile: null,
  memoryBytes: memoryMib * 1024 ** 2,
  usedBytes: 0,
  computeCapability: 8.9,
  ...change,
});
const l4 = (index: number) => device(index, "NVIDIA-L4", 23_034);
const l40s = (index: number) => device(index, "NVIDIA-L40S", 46_068);
const t4 = (index: number) => device(index, "Tesla-T4", 15_360, { computeCapability: 7.5 });

describe("chooseGpus", () => {
  it("numbers equal GPUs as nvidia-smi lists them, with the catalogue's figures", () => {
    expect(chooseGpus([l4(0), l4(1)])).toEqual({
      devices: {
        ids: ["GPU-0", "GPU-1"],
        gpu: expect.objectContaining({ id: "L4", memoryGib: 22.03 }),
        isSlice: false,
      },
      isKnown: true,
      notes: [],
    });
  });

  it("takes the kind with the most memory of several, and says which are left out", () => {
    const { devices, notes } = chooseGpus([l4(0), l40s(1), l4(2), t4(3)]);
    expect(devices).toMatchObject({ ids: ["GPU-1"], gpu: { id: "L40S" } });
    expect(notes).toEqual([
      expect.stringMatching(/^GPU 3 \(Tesla-T4\) has compute capability 7\.5.*left out/),
      expect.stringMatching(/2 NVIDIA L4 are left out/),
    ]);
  });

  it("counts an unknown card with its own memory, and says that its speed is not known", () => {
    const { devices, isKnown, notes } = chooseGpus([device(0, "NVIDIA-GeForce-RTX-4090", 24_564)]);
    expect(devices?.gpu).toMatchObject({ id: "NVIDIA-GeForce-RTX-4090", architecture: "ada" });
    expect(isKnown).toBe(false);
    expect(notes).toEqual([expect.stringContaining("not in the catalogue")]);
  });

  it("gives slices by their own UUIDs", () => {
    const slice = (id: string, migProfile: string) =>
      device(0, "NVIDIA-H100-80GB-HBM3", 0, { id, migProfile, usedBytes: null, computeCapability: 9 });
    const { devices } = chooseGpus([slice("MIG-a", "3g.40gb"), slice("MIG-b", "3g.40gb"), slice("MIG-c", "1g.10gb")]);
    expect(devices).toMatchObject({ ids: ["MIG-a", "MIG-b"], isSlice: true, gpu: { id: "H100-80GB-3g.40gb" } });
  });

  it("uses only what ANNEAL_GPUS names, by number or UUID, and refuses what is not there", () => {
    const found = [l4(0), l4(1), l40s(2)];
    expect(chooseGpus(found, "1, GPU-0").devices?.ids).toEqual(["GPU-0", "GPU-1"]);
    expect(chooseGpus(found, "none")).toEqual({ devices: null, isKnown: false, notes: [] });
    expect(() => chooseGpus(found, "0,7")).toThrow(
      expect.objectContaining({
        code: "INVALID_INPUT",
        message: expect.stringContaining("names 7"),
        action: expect.stringContaining("2 (GPU-2)"),
      }),
    );
    expect(chooseGpus([], "0").devices).toBeNull();
  });
});
