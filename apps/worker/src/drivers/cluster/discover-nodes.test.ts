import type { V1Node, V1Pod } from "@kubernetes/client-node";
import { expect, it } from "vitest";
import { describeNodes, requestsOf } from "./discover-nodes.ts";

const gib = 1024 ** 3;
const node = (
  labels: Record<string, string>,
  allocatable: Record<string, string>,
  spec: V1Node["spec"] = {},
): V1Node => ({
  metadata: { name: "gpu-1", labels: { "kubernetes.io/hostname": "gpu-1", ...labels } },
  spec,
  status: {
    allocatable: { cpu: "95500m", memory: "2113564Mi", ...allocatable },
    conditions: [{ type: "Ready", status: "True" }],
  },
});
const pod = (requests: Record<string, string>, ours: boolean): V1Pod => ({
  metadata: { labels: { ours: String(ours) } },
  spec: { nodeName: "gpu-1", containers: [{ name: "main", resources: { requests } }] },
});
const describe = (of: V1Node, pods: V1Pod[] = []) =>
  describeNodes({
    nodes: [of],
    pods,
    isOurs: ({ metadata }) => metadata?.labels?.["ours"] === "true",
    tolerations: [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }],
  })[0]!;

// As NVIDIA's GPU feature discovery labels a node of eight H100.
const hopper = {
  "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
  "nvidia.com/gpu.memory": "81559",
  "nvidia.com/gpu.count": "8",
};

it("reads a node's GPUs, and what others and we hold of it", () => {
  const found = describe(node(hopper, { "nvidia.com/gpu": "8" }), [
    pod({ "nvidia.com/gpu": "2", cpu: "8", memory: "64Gi" }, false),
    pod({ "nvidia.com/gpu": "4", cpu: "500m" }, true),
    { spec: { nodeName: "elsewhere", containers: [{ name: "main", resources: { requests: { cpu: "9" } } }] } },
  ]);
  expect(found.gpus).toEqual([
    {
      vendor: "nvidia",
      product: "NVIDIA-H100-80GB-HBM3",
      resource: "nvidia.com/gpu",
      migProfile: null,
      memoryBytes: 81559 * 1024 ** 2,
      total: 8,
      heldByOthers: 2,
      heldByUs: 4,
    },
  ]);
  expect(found.cpuMilli).toEqual({ total: 95_500, heldByOthers: 8000, heldByUs: 500 });
  expect(found.memoryBytes.heldByOthers).toBe(64 * gib);
});

it("reads slices of the strategy mixed beside whole GPUs, each with its memory", () => {
  const labels = {
    ...hopper,
    "nvidia.com/mig.strategy": "mixed",
    "nvidia.com/mig-1g.10gb.memory": "9728",
    "nvidia.com/mig-1g.10gb.product": "NVIDIA-H100-80GB-HBM3-MIG-1g.10gb",
  };
  const found = describe(
    node(labels, { "nvidia.com/gpu": "6", "nvidia.com/mig-1g.10gb": "14", "nvidia.com/mig-1g.10gb.me": "1" }),
  );
  expect(found.gpus).toMatchObject([
    { resource: "nvidia.com/gpu", migProfile: null, total: 6 },
    {
      resource: "nvidia.com/mig-1g.10gb",
      migProfile: "1g.10gb",
      total: 14,
      memoryBytes: 9728 * 1024 ** 2,
      product: "NVIDIA-H100-80GB-HBM3",
    },
    { resource: "nvidia.com/mig-1g.10gb.me", migProfile: "1g.10gb+me", total: 1 },
  ]);
});

it("reads slices of the strategy single, which go under the name of whole GPUs", () => {
  const labels = { ...hopper, "nvidia.com/gpu.product": "A100-SXM4-40GB-MIG-1g.5gb", "nvidia.com/gpu.memory": "4864" };
  expect(describe(node(labels, { "nvidia.com/gpu": "56" })).gpus).toMatchObject([
    { resource: "nvidia.com/gpu", migProfile: "1g.5gb", product: "A100-SXM4-40GB", total: 56 },
  ]);
});

it("offers no GPU that several pods are given at once", () => {
  const sliced = { ...hopper, "nvidia.com/gpu.sharing-strategy": "time-slicing", "nvidia.com/gpu.replicas": "4" };
  expect(describe(node(sliced, { "nvidia.com/gpu": "32" })).gpus).toEqual([]);
  const shared = { ...hopper, "nvidia.com/gpu.product": "Tesla-T4-SHARED" };
  expect(describe(node(shared, { "nvidia.com/gpu": "4", "nvidia.com/gpu.shared": "4" })).gpus).toEqual([]);
});

it("reads AMD's GPUs by the labels of today and of before", () => {
  const today = { "amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM", "amd.com/gpu.vram": "192G" };
  const before = { "beta.amd.com/gpu.vram.64G": "1" };
  expect(describe(node(today, { "amd.com/gpu": "8" })).gpus).toMatchObject([
    { vendor: "amd", product: "AMD_Instinct_MI300X_OAM", memoryBytes: 192 * gib, total: 8 },
  ]);
  expect(describe(node(before, { "amd.com/gpu": "4" })).gpus).toMatchObject([{ product: null, memoryBytes: 64 * gib }]);
});

it("tells cordons and taints that keep us away, and not those that we tolerate", () => {
  const found = describe(
    node(
      {},
      {},
      {
        unschedulable: true,
        taints: [
          { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" },
          { key: "nvidia.com/gpu", value: "present", effect: "NoSchedule" },
          { key: "pool", value: "gold", effect: "NoSchedule" },
          { key: "busy", effect: "PreferNoSchedule" },
        ],
      },
    ),
  );
  expect(found).toMatchObject({ ready: true, cordoned: true, taints: ["pool=gold:NoSchedule"] });
});

it("takes a node without a word of its state for not ready", () => {
  expect(describe({ metadata: { name: "gpu-1" } })).toMatchObject({ ready: false, gpus: [], cpuMilli: { total: 0 } });
});

it("reads where a node is, from labels of today before those of before", () => {
  const found = describe(
    node(
      {
        "topology.kubernetes.io/region": "eu-1",
        "topology.kubernetes.io/zone": "eu-1a",
        "network.topology.nvidia.com/spine": "old",
        "fabric.topograph.run/tier-1": "spine-7",
        "network.topology.nvidia.com/leaf": "leaf-3",
        "nvidia.com/gpu.clique": "7b968a6d.1",
      },
      {},
    ),
  );
  expect(found.topology).toEqual({
    region: "eu-1",
    zone: "eu-1a",
    coreSwitch: null,
    spineSwitch: "spine-7",
    leafSwitch: "leaf-3",
    nvlinkDomain: "7b968a6d.1",
  });
});

it("counts of a pod what starting it or running it takes, whichever is more", () => {
  const container = (cpu: string, restartPolicy?: string) => ({
    name: "c",
    resources: { requests: { cpu } },
    ...(restartPolicy === undefined ? {} : { restartPolicy }),
  });
  const cores = (spec: Partial<V1Pod["spec"]>) => requestsOf({ spec: { containers: [], ...spec } }).get("cpu");
  expect(cores({ containers: [container("1"), container("2")] })).toBe(3);
  expect(cores({ containers: [container("1")], initContainers: [container("4"), container("2")] })).toBe(4);
  // A sidecar goes on, and counts with what starts after it.
  expect(cores({ containers: [container("1")], initContainers: [container("2", "Always"), container("3")] })).toBe(5);
  expect(cores({ containers: [container("1")], overhead: { cpu: "250m" } })).toBe(1.25);
});

it("counts limits where requests are left out, as Kubernetes does", () => {
  const limited: V1Pod = { spec: { containers: [{ name: "c", resources: { limits: { "nvidia.com/gpu": "2" } } }] } };
  expect(requestsOf(limited).get("nvidia.com/gpu")).toBe(2);
});
