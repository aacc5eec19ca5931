import type { V1Container, V1Node, V1Pod, V1Taint, V1Toleration } from "@kubernetes/client-node";
import type { Capacity, DiscoveredNode, GpuPool, Topology } from "./cluster-driver.ts";
import { parseQuantity } from "./parse-quantity.ts";

/**
 * Labels that tell where a node is, the first that is there counts: Kubernetes' own, NVIDIA's topograph (v1 and before)
 * and GPU feature discovery.
 */
const topologyLabels: Record<keyof Topology, readonly string[]> = {
  region: ["topology.kubernetes.io/region"],
  zone: ["topology.kubernetes.io/zone"],
  coreSwitch: ["fabric.topograph.run/tier-2", "network.topology.nvidia.com/core"],
  spineSwitch: ["fabric.topograph.run/tier-1", "network.topology.nvidia.com/spine"],
  leafSwitch: ["fabric.topograph.run/tier-0", "network.topology.nvidia.com/leaf"],
  nvlinkDomain: [
    "nvidia.com/gpu.clique",
    "accelerator.topograph.run/domain",
    "network.topology.nvidia.com/accelerator",
  ],
};

/**
 * Nodes as workloads see them.
 * @param pods of all namespaces that have not ended
 * @param isOurs whether this driver's workloads hold it; undefined leaves it out of the count
 * @param tolerations that our pods have
 */
export function describeNodes(options: {
  nodes: readonly V1Node[];
  pods: readonly V1Pod[];
  isOurs: (pod: V1Pod) => boolean | undefined;
  tolerations: readonly V1Toleration[];
}): DiscoveredNode[] {
  const podsByNode = Map.groupBy(options.pods, (pod) => pod.spec?.nodeName ?? "");
  return options.nodes.map((node) => {
    const name = node.metadata?.name ?? "";
    const labels = node.metadata?.labels ?? {};
    const held = (podsByNode.get(name) ?? []).flatMap((pod) => {
      const ours = options.isOurs(pod);
      return ours === undefined ? [] : [{ ours, requests: requestsOf(pod) }];
    });
    const capacity = (resource: string, unit: number): Capacity => {
      const sum = (ours: boolean) =>
        held
          .filter((each) => each.ours === ours)
          .reduce((total, { requests }) => total + Math.ceil((requests.get(resource) ?? 0) * unit - 1e-6), 0);
      return {
        total: Math.floor(parseQuantity(node.status?.allocatable?.[resource]) * unit + 1e-6),
        heldByOthers: sum(false),
        heldByUs: sum(true),
      };
    };
    return {
      name,
      ready: isReady(node),
      cordoned: node.spec?.unschedulable ?? false,
      taints: (node.spec?.taints ?? []).filter((taint) => repels(taint, options.tolerations)).map(nameTaint),
      cpuMilli: capacity("cpu", 1000),
      memoryBytes: capacity("memory", 1),
      gpus: Object.keys(node.status?.allocatable ?? {}).flatMap((resource) => {
        const pool = describePool(resource, labels);
        return pool ? [{ ...pool, ...capacity(resource, 1) }] : [];
      }),
      labels,
      topology: Object.fromEntries(
        Object.entries(topologyLabels).map(([level, candidates]) => [
          level,
          candidates.map((label) => labels[label]).find((value) => value !== undefined) ?? null,
        ]),
      ) as Topology,
    };
  });
}

export function isReady(node: V1Node): boolean {
  return node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/**
 * What a pod is promised: its containers together, or the most that starting up takes, whichever is more (a sidecar, an
 * init container that goes on, counts with both); and the overhead of its runtime.
 * (kubernetes.io/docs/concepts/workloads/pods/init-containers, "Resource sharing within containers")
 */
export function requestsOf(pod: V1Pod): Map<string, number> {
  const read = (container: V1Container) =>
    Object.entries({ ...container.resources?.limits, ...container.resources?.requests }).map(
      ([resource, amount]) => [resource, parseQuantity(amount)] as const,
    );
  const running = new Map<string, number>();
  const starting = new Map<string, number>();
  const add = (to: Map<string, number>, resource: string, amount: number) =>
    to.set(resource, (to.get(resource) ?? 0) + amount);
  for (const container of pod.spec?.initContainers ?? []) {
    const goesOn = container.restartPolicy === "Always";
    for (const [resource, amount] of read(container)) {
      if (goesOn) add(running, resource, amount);
      const now = (running.get(resource) ?? 0) + (goesOn ? 0 : amount);
      starting.set(resource, Math.max(starting.get(resource) ?? 0, now));
    }
  }
  for (const container of pod.spec?.containers ?? []) {
    for (const [resource, amount] of read(container)) add(running, resource, amount);
  }
  for (const [resource, amount] of starting) running.set(resource, Math.max(running.get(resource) ?? 0, amount));
  for (const [resource, amount] of Object.entries(pod.spec?.overhead ?? {}))
    add(running, resource, parseQuantity(amount));
  return running;
}

/** @returns null for what is no GPU, and for GPUs that are given to several at once: none of those is a whole one */
function describePool(resource: string, labels: Record<string, string>): Omit<GpuPool, keyof Capacity> | null {
  if (resource === "amd.com/gpu") {
    const product = labels["amd.com/gpu.product-name"] ?? betaLabel(labels, "beta.amd.com/gpu.product-name.");
    const vram = labels["amd.com/gpu.vram"] ?? betaLabel(labels, "beta.amd.com/gpu.vram.");
    return { vendor: "amd", product, resource, migProfile: null, memoryBytes: parseVram(vram) };
  }
  const slice = /^nvidia\.com\/mig-((?:\d+c\.)?\d+g\.\d+gb)(?:\.(.+))?$/.exec(resource);
  if (slice) {
    const [, profile = "", attribute] = slice;
    const product = labels[`${resource}.product`] ?? labels["nvidia.com/gpu.product"] ?? null;
    return {
      vendor: "nvidia",
      product: product?.replace(/-MIG-.*$/, "") ?? null,
      resource,
      migProfile: attribute === undefined ? profile : `${profile}+${attribute}`,
      memoryBytes: parseMib(labels[`${resource}.memory`]),
    };
  }
  if (resource !== "nvidia.com/gpu") return null;
  const sharing = labels["nvidia.com/gpu.sharing-strategy"] ?? "none";
  const product = labels["nvidia.com/gpu.product"] ?? null;
  if (sharing !== "none" || product?.endsWith("-SHARED")) return null;
  // With the strategy "single" every GPU is sliced alike, and slices go under the name of whole GPUs.
  const [whole = null, migProfile = null] = product?.split("-MIG-") ?? [];
  return {
    vendor: "nvidia",
    product: whole,
    resource,
    migProfile,
    memoryBytes: parseMib(labels["nvidia.com/gpu.memory"]),
  };
}

/** AMD's older labels carry the value in their name: "beta.amd.com/gpu.vram.16G=1". */
function betaLabel(labels: Record<string, string>, prefix: string): string | null {
  return (
    Object.keys(labels)
      .find((label) => label.startsWith(prefix))
      ?.slice(prefix.length) ?? null
  );
}

function parseVram(text: string | null): number | null {
  const gib = /^(\d+)G$/.exec(text ?? "")?.[1];
  return gib === undefined ? null : Number(gib) * 1024 ** 3;
}

function parseMib(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) * 1024 ** 2 : null;
}

/** Whether a taint keeps our pods away. The one that cordoning sets is told as `cordoned`. */
function repels(taint: V1Taint, tolerations: readonly V1Toleration[]): boolean {
  if (taint.effect === "PreferNoSchedule" || taint.key === "node.kubernetes.io/unschedulable") return false;
  return !tolerations.some(
    (toleration) =>
      (toleration.effect === undefined || toleration.effect === taint.effect) &&
      (toleration.key === undefined || toleration.key === taint.key) &&
      (toleration.operator === "Exists" || (toleration.value ?? "") === (taint.value ?? "")),
  );
}

function nameTaint(taint: V1Taint): string {
  return `${taint.key}${taint.value ? `=${taint.value}` : ""}:${taint.effect}`;
}
