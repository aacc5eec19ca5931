import { expect, it } from "vitest";
import { describeMachine } from "./discover-machine.ts";
import type { GpuDevice } from "@anneal/processes/parse-nvidia-smi";

const gib = 1024 ** 3;
const device = (id: string, usedBytes: number, migProfile: string | null = null): GpuDevice => ({
  id,
  index: 0,
  product: "NVIDIA-H100-80GB-HBM3",
  migProfile,
  memoryBytes: 80 * gib,
  usedBytes,
  computeCapability: 8,
});
const member = (gpus: { id: string; milli: number }[]) => ({
  node: "here",
  command: ["x"],
  env: {},
  secretFiles: {},
  directory: "/",
  logFile: "/dev/null",
  gpus,
  cpuMilli: 1500,
  memoryBytes: 4 * gib,
});
const machine = (devices: GpuDevice[], members: ReturnType<typeof member>[]) =>
  describeMachine({
    name: "here",
    cpuMilli: 8000,
    memoryBytes: 64 * gib,
    reserved: { cpuMilli: 1000, memoryBytes: 2 * gib },
    devices,
    members,
  });

it("counts what our members take, what is reserved and what the machine has apart", () => {
  const node = machine([], [member([]), member([])]);
  expect(node.cpuMilli).toEqual({ total: 8000, heldByOthers: 1000, heldByUs: 3000 });
  expect(node.memoryBytes).toEqual({ total: 64 * gib, heldByOthers: 2 * gib, heldByUs: 8 * gib });
  expect(node.gpus).toEqual([]);
});

it("takes a GPU that is in use, and not by us, for another's", () => {
  const node = machine(
    [device("a", 30 * gib), device("b", 30 * gib), device("c", 0)],
    [member([{ id: "a", milli: 400 }])],
  );
  expect(node.gpus).toMatchObject([{ total: 3, heldByOthers: 1, heldByUs: 0.4 }]);
});

it("gives whole GPUs and slices as pools of their own, under the names that Kubernetes has for them", () => {
  const node = machine([device("a", 0), device("m", 0, "1g.10gb"), device("n", 0, "1g.10gb+me")], []);
  expect(node.gpus.map((pool) => [pool.resource, pool.total])).toEqual([
    ["nvidia.com/gpu", 1],
    ["nvidia.com/mig-1g.10gb", 1],
    ["nvidia.com/mig-1g.10gb.me", 1],
  ]);
});
