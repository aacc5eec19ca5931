import type { Cluster } from "./cluster.ts";
import type { Decision } from "./decision.ts";
import { gpusOf, type TracePod } from "./trace.ts";

export type PlacementReport = {
  pods: number;
  capacityGpus: number;
  demandGpus: number;
  /** Fill: GPUs of the pods placed; replay: the mean over the time that the trace spans. */
  allocatedGpus: number;
  unallocatedGpus: number;
  placedPods: number;
  refused: { reason: string; count: number; gpus: number }[];
  /** From creation to the (last) start, of the pods that started. */
  waitSeconds: { mean: number; p50: number; p99: number; max: number };
  preemptions: number;
  decisions: number;
  decisionsPerSecond: number;
  p99DecisionMs: number;
};

/** Times decisions with the caller's clock. */
export function createTimer(clock: (() => number) | undefined) {
  const times: number[] = [];
  const measure = <Result>(run: () => Result, countOf: (result: Result) => number): Result => {
    const before = clock?.() ?? 0;
    const result = run();
    const count = countOf(result);
    if (clock) for (let i = 0; i < count; i++) times.push((clock() - before) / count);
    return result;
  };
  return {
    times,
    time: <Result>(run: () => Result) => measure(run, () => 1),
    timeEach: <Result>(run: () => Result[]) => measure(run, (results) => Math.max(1, results.length)),
  };
}

/** Counts what becomes of the pods, towards a report. */
export function createTally(cluster: Cluster, pods: readonly TracePod[]) {
  const reasons = new Map<string, { count: number; gpus: number }>();
  let placedGpus = 0;
  let placedPods = 0;
  return {
    placedGpus: () => placedGpus,
    placedPods: () => placedPods,
    placed: (pod: TracePod) => {
      placedGpus += gpusOf(pod);
      placedPods += 1;
    },
    refused: (pod: TracePod, decision: Decision | null) => {
      const reason = decision === null ? "it never had room" : reasonOf(decision);
      const known = reasons.get(reason) ?? { count: 0, gpus: 0 };
      reasons.set(reason, { count: known.count + 1, gpus: known.gpus + gpusOf(pod) });
    },
    report: (
      allocatedGpus: number,
      waits: number[],
      preemptions: number,
      timer: { times: number[] },
    ): PlacementReport => {
      const capacityGpus = cluster.nodes.reduce((sum, { gpus }) => sum + gpus, 0);
      const spentMs = timer.times.reduce((sum, each) => sum + each, 0);
      const waited = waits.toSorted((left, right) => left - right);
      return {
        pods: pods.length,
        capacityGpus,
        demandGpus: round(pods.reduce((sum, pod) => sum + gpusOf(pod), 0)),
        allocatedGpus: round(allocatedGpus),
        unallocatedGpus: round(capacityGpus - allocatedGpus),
        placedPods,
        refused: [...reasons]
          .map(([reason, { count, gpus }]) => ({ reason, count, gpus: round(gpus) }))
          .sort((left, right) => right.count - left.count),
        waitSeconds: {
          mean: round(waited.length > 0 ? waited.reduce((sum, each) => sum + each, 0) / waited.length : 0),
          p50: quantile(waited, 0.5),
          p99: quantile(waited, 0.99),
          max: quantile(waited, 1),
        },
        preemptions,
        decisions: timer.times.length,
        decisionsPerSecond: spentMs > 0 ? Math.round(timer.times.length / (spentMs / 1000)) : 0,
        p99DecisionMs: round(
          quantile(
            timer.times.toSorted((left, right) => left - right),
            0.99,
          ),
        ),
      };
    },
  };
}

function reasonOf(decision: Decision): string {
  if (decision.status === "refused" && decision.code === "never-fits") return "no node could take it even when empty";
  const lacks = decision.status !== "admitted" ? decision.explanation?.nearest?.lacks : undefined;
  if (!lacks) return "no node may take it";
  const short = [
    lacks.gpus > 0 || lacks.gpuMilli > 0 ? "GPUs" : "",
    lacks.cpuMilli > 0 ? "processors" : "",
    lacks.memoryMib > 0 ? "memory" : "",
  ].filter((part) => part !== "");
  return `even the nearest node lacks free ${short.join(" and ")}`;
}

/** Of sorted values, the smallest that at least this part does not exceed. */
function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? 0;
}

const round = (value: number) => Math.round(value * 1000) / 1000;
