import type { FakeStore, Node, Pod } from "./fake-store.fixture.ts";
import { isOver } from "./fake-controllers.fixture.ts";
import { parseQuantity } from "./parse-quantity.ts";

/**
 * kube-scheduler, as far as our pods ask of it: resources, taints, cordons, node affinity by field and label, topology
 * spread. Binds one pod after the other, each to the first node that takes it.
 */
export function runScheduler(store: FakeStore): void {
  for (const pod of store.list<Pod>("Pod")) {
    if (pod.spec?.nodeName !== undefined || pod.metadata.deletionTimestamp || isOver(pod)) continue;
    const nodes = store.list<Node>("Node");
    const pods = store.list<Pod>("Pod");
    const refusals = nodes.map((node) => refuse(pod, node, nodes, pods));
    const at = refusals.indexOf(null);
    const chosen = nodes[at];
    const conditions = (pod.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled");
    if (chosen) {
      pod.spec = { ...pod.spec, nodeName: chosen.metadata.name } as Pod["spec"];
      conditions.push({ type: "PodScheduled", status: "True" });
    } else {
      const counts = [...Map.groupBy(refusals, (refusal) => refusal)].map(([why, list]) => `${list.length} ${why}`);
      const message = `0/${nodes.length} nodes are available: ${counts.join(", ")}.`;
      conditions.push({ type: "PodScheduled", status: "False", reason: "Unschedulable", message });
    }
    store.update({ ...pod, status: { ...pod.status, conditions } } as Pod);
  }
}

/** @returns null when the node takes the pod */
function refuse(pod: Pod, node: Node, nodes: readonly Node[], pods: readonly Pod[]): string | null {
  if (node.spec?.unschedulable) return "node(s) were unschedulable";
  const taint = (node.spec?.taints ?? []).find((each) => each.effect !== "PreferNoSchedule" && !tolerates(pod, each));
  if (taint) return `node(s) had untolerated taint(s) {${taint.key}: ${taint.value ?? ""}}`;
  if (!matchesAffinity(pod, node)) return "node(s) didn't match Pod's node affinity/selector";
  const onNode = pods.filter((each) => each.spec?.nodeName === node.metadata.name && !isOver(each));
  const wanted = sumRequests([pod]);
  const taken = sumRequests(onNode);
  for (const [resource, amount] of wanted) {
    const free = parseQuantity(node.status?.allocatable?.[resource]) - (taken.get(resource) ?? 0);
    if (amount > free + 1e-9) return `Insufficient ${resource}`;
  }
  return keepsSpread(pod, node, nodes, pods) ? null : "node(s) didn't match pod topology spread constraints";
}

function tolerates(pod: Pod, taint: { key: string; value?: string; effect: string }): boolean {
  return (pod.spec?.tolerations ?? []).some(
    (toleration) =>
      (toleration.effect === undefined || toleration.effect === taint.effect) &&
      (toleration.key === undefined || toleration.key === taint.key) &&
      (toleration.operator === "Exists" || (toleration.value ?? "") === (taint.value ?? "")),
  );
}

function matchesAffinity(pod: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  const selector = Object.entries(pod.spec?.nodeSelector ?? {});
  if (!selector.every(([key, value]) => labels[key] === value)) return false;
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (!required) return true;
  return required.nodeSelectorTerms.some(
    (term) =>
      (term.matchFields ?? []).every(
        ({ key, values }) => key === "metadata.name" && values?.includes(node.metadata.name),
      ) &&
      (term.matchExpressions ?? []).every(({ key, operator, values }) =>
        operator === "In" ? values?.includes(labels[key] ?? "") : operator === "Exists" && key in labels,
      ),
  );
}

/** The skew over the nodes that the pod may go to, as it would be with the pod on this one. */
function keepsSpread(pod: Pod, node: Node, nodes: readonly Node[], pods: readonly Pod[]): boolean {
  return (pod.spec?.topologySpreadConstraints ?? []).every(({ topologyKey, maxSkew, labelSelector }) => {
    const wanted = Object.entries(labelSelector?.matchLabels ?? {});
    const domainOf = (each: Node | undefined) => each?.metadata.labels?.[topologyKey] ?? "";
    const counts = new Map(nodes.filter((each) => matchesAffinity(pod, each)).map((each) => [domainOf(each), 0]));
    for (const other of pods) {
      if (other.metadata.deletionTimestamp || !wanted.every(([key, value]) => other.metadata.labels?.[key] === value))
        continue;
      const domain = domainOf(nodes.find((each) => each.metadata.name === other.spec?.nodeName));
      if (other.spec?.nodeName !== undefined && counts.has(domain)) counts.set(domain, (counts.get(domain) ?? 0) + 1);
    }
    return (counts.get(domainOf(node)) ?? 0) + 1 - Math.min(...counts.values()) <= maxSkew;
  });
}

function sumRequests(pods: readonly Pod[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const container of pods.flatMap((pod) => pod.spec?.containers ?? [])) {
    for (const [resource, amount] of Object.entries(container.resources?.requests ?? {})) {
      sums.set(resource, (sums.get(resource) ?? 0) + parseQuantity(amount));
    }
  }
  return sums;
}
