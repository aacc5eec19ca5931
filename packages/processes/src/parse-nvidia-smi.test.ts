import { expect, it } from "vitest";
import { parseGpus } from "./parse-nvidia-smi.ts";

// In the format of NVIDIA's driver 550 and later; the UUIDs are made up.
const twoWhole = `0, GPU-7b1d33a5-0d3f-4a2e-9d1a-000000000001, NVIDIA H100 80GB HBM3, 81559, 1, Disabled, 9.0
1, GPU-7b1d33a5-0d3f-4a2e-9d1a-000000000002, NVIDIA H100 80GB HBM3, 81559, 40213, Disabled, 9.0
`;
const mixed = `0, GPU-7b1d33a5-0d3f-4a2e-9d1a-000000000001, NVIDIA A100-SXM4-40GB, 40960, 0, Enabled, 8.0
1, GPU-7b1d33a5-0d3f-4a2e-9d1a-000000000002, NVIDIA A100-SXM4-40GB, 40960, 0, Disabled, 8.0
`;
const mixedListing = `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-7b1d33a5-0d3f-4a2e-9d1a-000000000001)
  MIG 3g.20gb     Device  0: (UUID: MIG-11111111-0d3f-5a2e-9d1a-000000000001)
  MIG 1g.5gb      Device  1: (UUID: MIG-22222222-0d3f-5a2e-9d1a-000000000002)
  MIG 1g.5gb+me   Device  2: (UUID: MIG-33333333-0d3f-5a2e-9d1a-000000000003)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-7b1d33a5-0d3f-4a2e-9d1a-000000000002)
`;

it("reads whole GPUs with their memory, spelled as the Kubernetes label spells them", () => {
  expect(parseGpus(twoWhole, "")).toEqual([
    {
      id: "GPU-7b1d33a5-0d3f-4a2e-9d1a-000000000001",
      index: 0,
      product: "NVIDIA-H100-80GB-HBM3",
      migProfile: null,
      memoryBytes: 81559 * 1024 ** 2,
      usedBytes: 1024 ** 2,
      computeCapability: 9,
    },
    {
      id: "GPU-7b1d33a5-0d3f-4a2e-9d1a-000000000002",
      index: 1,
      product: "NVIDIA-H100-80GB-HBM3",
      migProfile: null,
      memoryBytes: 81559 * 1024 ** 2,
      usedBytes: 40213 * 1024 ** 2,
      computeCapability: 9,
    },
  ]);
});

it("gives a GPU in MIG mode by its slices, beside whole ones", () => {
  const devices = parseGpus(mixed, mixedListing);
  expect(devices.map(({ id, index, migProfile }) => [id.slice(0, 12), index, migProfile])).toEqual([
    ["MIG-11111111", 0, "3g.20gb"],
    ["MIG-22222222", 0, "1g.5gb"],
    ["MIG-33333333", 0, "1g.5gb+me"],
    ["GPU-7b1d33a5", 1, null],
  ]);
  expect(devices[0]?.memoryBytes).toBe(20 * 1024 ** 3);
});

it("offers nothing of a GPU in MIG mode that has not been sliced", () => {
  expect(parseGpus(mixed, "")).toHaveLength(1);
});

it("takes memory that is not told for unknown", () => {
  const [device] = parseGpus("0, GPU-1, NVIDIA GB10, [N/A], [N/A], [N/A], [N/A]\n", "");
  expect(device).toMatchObject({ memoryBytes: null, usedBytes: null, computeCapability: null });
});

it("reads no GPU from an empty answer", () => {
  expect(parseGpus("", "")).toEqual([]);
});
