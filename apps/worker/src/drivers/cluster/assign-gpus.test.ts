import { expect, it } from "vitest";
import { assignGpus } from "./assign-gpus.ts";
import type { GpuDevice } from "@anneal/processes/parse-nvidia-smi";

const device = (id: string, migProfile: string | null = null, index = 0): GpuDevice => ({
  id,
  index,
  product: "NVIDIA-A100-SXM4-40GB",
  migProfile,
  memoryBytes: 40 * 1024 ** 3,
  usedBytes: 0,
  computeCapability: 8,
});
const three = ["a", "b", "c"].map((id, index) => device(id, null, index));

it("gives whole GPUs only of those that nobody has a part of", () => {
  expect(assignGpus(three, [{ id: "a", milli: 200 }], { gpus: 2 })).toEqual([
    { id: "b", milli: 1000 },
    { id: "c", milli: 1000 },
  ]);
  expect(assignGpus(three, [{ id: "a", milli: 200 }], { gpus: 3 })).toBeNull();
});

it("puts a share onto the fullest GPU that still has room, so that whole ones stay whole", () => {
  const held = [
    { id: "a", milli: 300 },
    { id: "b", milli: 600 },
    { id: "c", milli: 1000 },
  ];
  expect(assignGpus(three, held, { gpus: 1, gpuMilli: 400 })).toEqual([{ id: "b", milli: 400 }]);
  expect(assignGpus(three, held, { gpus: 1, gpuMilli: 500 })).toEqual([{ id: "a", milli: 500 }]);
  expect(assignGpus(three, held, { gpus: 1, gpuMilli: 800 })).toBeNull();
});

it("gives the GPUs that were chosen and no others, be they whole or shared", () => {
  const held = [{ id: "b", milli: 500 }];
  expect(assignGpus(three, held, { gpus: 2, gpuIndices: [0, 2] })?.map((share) => share.id)).toEqual(["a", "c"]);
  expect(assignGpus(three, held, { gpus: 2, gpuIndices: [0, 1] })).toBeNull();
  expect(assignGpus(three, held, { gpus: 1, gpuMilli: 500, gpuIndices: [2] })).toEqual([{ id: "c", milli: 500 }]);
  expect(assignGpus(three, held, { gpus: 1, gpuMilli: 600, gpuIndices: [1] })).toBeNull();
  expect(assignGpus(three, [], { gpus: 1, gpuIndices: [7] })).toBeNull();
});

it("gives slices of the profile that was asked for, and never a slice for a whole GPU", () => {
  const devices = [device("m1", "1g.5gb"), device("m2", "3g.20gb"), device("g")];
  expect(assignGpus(devices, [], { gpus: 1, migProfile: "3g.20gb" })).toEqual([{ id: "m2", milli: 1000 }]);
  expect(assignGpus(devices, [], { gpus: 1 })).toEqual([{ id: "g", milli: 1000 }]);
  expect(assignGpus(devices, [], { gpus: 2, migProfile: "1g.5gb" })).toBeNull();
});

it("needs no GPU for a member without one", () => {
  expect(assignGpus([], [], { gpus: 0 })).toEqual([]);
});
