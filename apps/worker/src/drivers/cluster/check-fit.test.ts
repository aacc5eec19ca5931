import fc from "fast-check";
import { expect, it } from "vitest";
import { findShortfalls, requireFit } from "./check-fit.ts";
import type { DiscoveredNode, GpuPool } from "./cluster-driver.ts";
import type { GangMember } from "./workload.ts";

const gib = 1024 ** 3;
const topology = {
  region: null,
  zone: null,
  coreSwitch: null,
  spineSwitch: null,
  leafSwitch: null,
  nvlinkDomain: null,
};
const gpus = (overrides: Partial<GpuPool> = {}): GpuPool => ({
  vendor: "nvidia",
  product: "NVIDIA-H100-80GB-HBM3",
  resource: "nvidia.com/gpu",
  migProfile: null,
  memoryBytes: 80 * gib,
  total: 8,
  heldByOthers: 0,
  heldByUs: 0,
  ...overrides,
});
const node = (name: string, overrides: Partial<DiscoveredNode> = {}): DiscoveredNode => ({
  name,
  ready: true,
  cordoned: false,
  taints: [],
  cpuMilli: { total: 64_000, heldByOthers: 1000, heldByUs: 0 },
  memoryBytes: { total: 512 * gib, heldByOthers: 0, heldByUs: 0 },
  gpus: [gpus()],
  labels: {},
  topology,
  ...overrides,
});
const member = (overrides: Partial<GangMember> = {}): GangMember => ({
  node: "a",
  gpus: 4,
  gpuVendor: "nvidia",
  cpuMilli: 8000,
  memoryBytes: 64 * gib,
  ...overrides,
});
const reasons = (nodes: DiscoveredNode[], ...gang: GangMember[]) =>
  findShortfalls(nodes, [{ index: 0, gang }]).map((shortfall) => shortfall.reason);

it("lets in what fits, and counts members of one node together", () => {
  expect(reasons([node("a"), node("b")], member(), member(), member({ node: "b" }))).toEqual([]);
  expect(reasons([node("a")], member(), member(), member())).toEqual(["it needs 4 nvidia GPUs and 0 are free"]);
});

it.each<[string, Partial<DiscoveredNode>, Partial<GangMember>, string]>([
  ["a node that is not there", { name: "b" }, {}, "there is no such node"],
  ["a node that is not ready", { ready: false }, {}, "the node is not ready"],
  ["a cordoned node", { cordoned: true }, {}, "the node is cordoned"],
  [
    "a taint",
    { taints: ["pool=gold:NoSchedule"] },
    {},
    "the node has a taint that we do not tolerate: pool=gold:NoSchedule",
  ],
  ["cores", {}, { cpuMilli: 64_000 }, "it needs 64 CPU cores and 63 are free"],
  ["memory", {}, { memoryBytes: 600 * gib }, "it needs 600.0 GiB of memory and 512.0 GiB are free"],
  ["GPUs of others", { gpus: [gpus({ heldByOthers: 3, heldByUs: 2 })] }, {}, "it needs 4 nvidia GPUs and 3 are free"],
  ["no GPU at all", { gpus: [] }, {}, "it needs nvidia GPUs and the node has none"],
  ["another vendor", {}, { gpuVendor: "amd" }, "it needs amd GPUs and the node has none"],
  ["a slice that is not cut", {}, { migProfile: "1g.10gb" }, "it needs MIG slices of 1g.10gb and the node has none"],
])("says what is missing: %s", (_, nodeChange, memberChange, reason) => {
  expect(reasons([node("a", nodeChange)], member(memberChange))).toEqual([reason]);
});

it("adds up shares of GPUs without rounding errors", () => {
  const tenth = member({ gpus: 1, gpuMilli: 100, cpuMilli: 1, memoryBytes: 1 });
  const one = [node("a", { gpus: [gpus({ total: 1 })] })];
  expect(reasons(one, ...Array.from({ length: 10 }, () => tenth))).toEqual([]);
  expect(reasons(one, ...Array.from({ length: 11 }, () => tenth))).toHaveLength(1);
});

it("refuses with the member, its node and how many more do not fit", () => {
  const gang = [member(), member({ node: "gone" }), member({ node: "gone" })];
  expect(() => requireFit("run-1", [node("a")], [{ index: 0, gang }])).toThrow(
    '"run-1" was not started: member 1 of replica 0 cannot run on "gone": there is no such node (and 1 more).',
  );
});

it("never lets more onto a node than it has", () => {
  const anyMember = fc.record({
    node: fc.constantFrom("a", "b"),
    gpus: fc.integer({ min: 0, max: 4 }),
    cpuMilli: fc.integer({ min: 1, max: 30_000 }),
  });
  fc.assert(
    fc.property(fc.array(anyMember, { maxLength: 12 }), (drawn) => {
      const nodes = [node("a"), node("b")];
      const gang = drawn.map((each) => member(each));
      const refused = new Set(findShortfalls(nodes, [{ index: 0, gang }]).map((shortfall) => shortfall.member));
      for (const { name, cpuMilli } of nodes) {
        const here = gang.filter((each, at) => each.node === name && !refused.has(at));
        expect(here.reduce((sum, each) => sum + each.gpus, 0)).toBeLessThanOrEqual(8);
        const free = cpuMilli.total - cpuMilli.heldByOthers;
        expect(here.reduce((sum, each) => sum + each.cpuMilli, 0)).toBeLessThanOrEqual(free);
      }
    }),
  );
});
