import type { NodeSpec } from "@anneal/sizing/placement/cluster-snapshot";
import type { TracePod } from "@anneal/sizing/placement/trace";
import type { Highs } from "highs";

export type Optimum = {
  /** No placement holds more GPUs than this. */
  upperBoundGpus: number;
  solved: "per node" | "per node type";
};

type PodClass = { pod: TracePod; count: number };

/**
 * An upper bound on the GPUs of the pods that any placement holds, by integer programming. Pods of equal needs are one
 * variable for each place; shared GPUs are covered by patterns of shares that fit one GPU. With `perNode` a place is one
 * node, and the optimum is exact up to the solver's gap, which is added; without, nodes of one type are one place (a
 * relaxation: what fits their sum need not fit each of them), with the cuts that large pods allow.
 */
export function boundPlacement(
  highs: Highs,
  nodes: readonly NodeSpec[],
  pods: readonly TracePod[],
  { perNode, timeLimitS }: { perNode: boolean; timeLimitS: number },
): Optimum | null {
  const classes = groupPods(pods);
  const places = groupNodes(nodes, perNode);
  const shares = [...new Set(classes.filter(({ pod }) => isShare(pod)).map(({ pod }) => pod.gpuMilli))].sort(
    (left, right) => right - left,
  );
  const patterns = listPatterns(shares);
  const objective: string[] = [];
  const rows: string[] = [];
  const integers: string[] = [];
  const ofClass = classes.map((): string[] => []);
  places.forEach(({ node, count }, p) => {
    const here = classes.flatMap(({ pod }, c) => (fits(node, pod) ? [{ pod, name: `x${p}_${c}`, c }] : []));
    const sum = (of: (pod: TracePod) => number) =>
      here
        .filter(({ pod }) => of(pod) !== 0)
        .map(({ pod, name }) => `${of(pod)} ${name}`)
        .join(" + ");
    for (const { pod, name, c } of here) {
      integers.push(name);
      ofClass[c]!.push(name);
      if (pod.gpus > 0) objective.push(`${(pod.gpus * pod.gpuMilli) / 1000} ${name}`);
    }
    if (here.length === 0) return;
    rows.push(`${sum(({ cpuMilli }) => cpuMilli)} <= ${node.cpuMilli * count}`);
    rows.push(`${sum(({ memoryMib }) => memoryMib)} <= ${node.memoryMib * count}`);
    const used = patterns.map((_, i) => `y${p}_${i}`);
    if (patterns.length > 0 && here.some(({ pod }) => isShare(pod))) integers.push(...used);
    else used.length = 0;
    const whole = sum((pod) => (isShare(pod) ? 0 : pod.gpus));
    const gpus = [whole, used.join(" + ")].filter((part) => part !== "").join(" + ");
    if (gpus !== "") rows.push(`${gpus} <= ${node.gpus * count}`);
    for (const share of shares) {
      const members = here.filter(({ pod }) => isShare(pod) && pod.gpuMilli === share).map(({ name }) => name);
      const cover = patterns.flatMap((pattern, i) =>
        pattern.get(share) ? [`- ${pattern.get(share)} y${p}_${i}`] : [],
      );
      if (members.length > 0) rows.push(`${members.join(" + ")} ${cover.join(" ")} <= 0`);
    }
    for (const isLarge of [
      (pod: TracePod) => pod.gpus * 2 > node.gpus && pod.gpus > 1,
      (pod: TracePod) => pod.cpuMilli * 2 > node.cpuMilli,
      (pod: TracePod) => pod.memoryMib * 2 > node.memoryMib,
    ]) {
      const large = sum((pod) => (isLarge(pod) ? 1 : 0));
      if (!perNode && large !== "") rows.push(`${large} <= ${count}`);
    }
  });
  classes.forEach(({ count }, c) => {
    if (ofClass[c]!.length > 0) rows.push(`${ofClass[c]!.join(" + ")} <= ${count}`);
  });
  if (objective.length === 0) return { upperBoundGpus: 0, solved: perNode ? "per node" : "per node type" };
  const gap = 0.002;
  const program = `Maximize\n obj: ${objective.join(" + ")}\nSubject To\n${rows.map((row, i) => ` r${i}: ${row}`).join("\n")}\nGeneral\n ${integers.join(" ")}\nEnd`;
  const solution = highs.solve(program, { time_limit: timeLimitS, mip_rel_gap: gap, output_flag: false });
  if (solution.Status !== "Optimal") return null;
  return { upperBoundGpus: solution.ObjectiveValue * (1 + gap), solved: perNode ? "per node" : "per node type" };
}

const isShare = (pod: TracePod) => pod.gpus === 1 && pod.gpuMilli < 1000;

function fits(node: NodeSpec, pod: TracePod): boolean {
  const model = pod.gpuModels.length === 0 || pod.gpus === 0 || pod.gpuModels.includes(node.gpuModel ?? "");
  return model && pod.cpuMilli <= node.cpuMilli && pod.memoryMib <= node.memoryMib && pod.gpus <= node.gpus;
}

function groupPods(pods: readonly TracePod[]): PodClass[] {
  const classes = new Map<string, PodClass>();
  for (const pod of pods) {
    const key = JSON.stringify([pod.cpuMilli, pod.memoryMib, pod.gpus, pod.gpuMilli, pod.gpuModels]);
    const known = classes.get(key);
    if (known) known.count += 1;
    else classes.set(key, { pod, count: 1 });
  }
  // Pods without GPUs can be left out: that never lowers the bound.
  return [...classes.values()].filter(({ pod }) => pod.gpus > 0);
}

function groupNodes(nodes: readonly NodeSpec[], perNode: boolean): { node: NodeSpec; count: number }[] {
  const places = new Map<string, { node: NodeSpec; count: number }>();
  for (const node of nodes) {
    const key = perNode ? node.name : JSON.stringify([node.cpuMilli, node.memoryMib, node.gpus, node.gpuModel]);
    const known = places.get(key);
    if (known) known.count += 1;
    else places.set(key, { node, count: 1 });
  }
  return [...places.values()];
}

/** Multisets of shares that fit one GPU and to which none can be added. */
function listPatterns(shares: readonly number[]): Map<number, number>[] {
  const patterns: Map<number, number>[] = [];
  const extend = (from: number, left: number, chosen: number[]) => {
    if (shares.every((share) => share > left)) {
      const counts = new Map<number, number>();
      for (const share of chosen) counts.set(share, (counts.get(share) ?? 0) + 1);
      patterns.push(counts);
      return;
    }
    for (let i = from; i < shares.length; i++)
      if (shares[i]! <= left) extend(i, left - shares[i]!, [...chosen, shares[i]!]);
  };
  if (shares.length > 0) extend(0, 1000, []);
  return patterns;
}
