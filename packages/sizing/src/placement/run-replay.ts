import { SizingError } from "../sizing-error.ts";
import type { NodeSpec } from "./cluster-snapshot.ts";
import { createCluster } from "./create-cluster.ts";
import type { Decision } from "./decision.ts";
import { createTally, createTimer, type PlacementReport } from "./placement-report.ts";
import { finishWork, startWaiting, submitRequest } from "./schedule.ts";
import { gpusOf, type TracePod } from "./trace.ts";
import { type SimulationOptions, traceInput, traceRequest } from "./trace-cluster.ts";

/**
 * Pods by their times: each comes at its creation, waits where there is no room, and runs as long as it ran in the trace
 * (from scheduling to deletion; from creation where it never was scheduled). Latency-sensitive and guaranteed pods count
 * as serving, the others as batch that may be stopped and then begins again.
 * @throws SizingError INVALID_REQUEST where the pods have no times
 */
export function runReplay(
  nodes: readonly NodeSpec[],
  pods: readonly TracePod[],
  options: SimulationOptions = {},
): PlacementReport {
  const cluster = createCluster(traceInput(nodes, options));
  const timer = createTimer(options.clock);
  const tally = createTally(cluster, pods);
  const byId = new Map(pods.map((pod) => [pod.name, pod]));
  const arrivals = pods
    .map((pod) => ({ pod, atS: timeOf(pod, "createdS") }))
    .sort((left, right) => left.atS - right.atS);
  const ends = createEndings();
  const startedAt = new Map<string, number>();
  const waits = new Map<string, number>();
  let preemptions = 0;
  let gpuSeconds = 0;
  let running = 0;
  let nowS = arrivals[0]?.atS ?? 0;
  const beganS = nowS;
  const advance = (atS: number) => {
    gpuSeconds += running * (atS - nowS);
    nowS = atS;
  };
  const start = (decision: Decision) => {
    if (decision.status !== "admitted") return;
    for (const { id } of decision.evict) {
      preemptions += 1;
      startedAt.delete(id);
      running -= gpusOf(byId.get(id)!);
    }
    const pod = byId.get(decision.id)!;
    startedAt.set(pod.name, nowS);
    waits.set(pod.name, nowS - timeOf(pod, "createdS"));
    running += gpusOf(pod);
    ends.push({ id: pod.name, atS: nowS + durationOf(pod), startedS: nowS });
  };
  for (let next = 0; next < arrivals.length || ends.size() > 0;) {
    const end = ends.peek();
    const arrival = arrivals[next];
    if (end && (!arrival || end.atS <= arrival.atS)) {
      ends.pop();
      // The run that this end belongs to was stopped for other work.
      if (startedAt.get(end.id) !== end.startedS) continue;
      advance(end.atS);
      startedAt.delete(end.id);
      running -= gpusOf(byId.get(end.id)!);
      finishWork(cluster, end.id, nowS * 1000);
      if (ends.peek()?.atS !== nowS) timer.timeEach(() => startWaiting(cluster, nowS * 1000)).forEach(start);
    } else if (arrival) {
      next += 1;
      advance(arrival.atS);
      const { pod } = arrival;
      const kind = pod.qos === "LS" || pod.qos === "Guaranteed" ? "serving" : "batch";
      const decision = timer.time(() => submitRequest(cluster, traceRequest(pod, kind), nowS * 1000));
      if (decision.status === "refused") tally.refused(pod, decision);
      start(decision);
    }
  }
  for (const pod of pods) if (waits.has(pod.name)) tally.placed(pod);
  for (const { request } of cluster.waiting.values()) tally.refused(byId.get(request.id)!, null);
  return tally.report(nowS > beganS ? gpuSeconds / (nowS - beganS) : 0, [...waits.values()], preemptions, timer);
}

function timeOf(pod: TracePod, column: "createdS" | "deletedS"): number {
  const value = pod[column];
  if (value !== null) return value;
  const name = column === "createdS" ? "creation_time" : "deletion_time";
  throw new SizingError(
    "INVALID_REQUEST",
    `The pod ${pod.name} has no ${name}, which a replay goes by; fill needs none.`,
    { pod: pod.name },
  );
}

const durationOf = (pod: TracePod) =>
  Math.max(0, timeOf(pod, "deletedS") - (pod.scheduledS ?? timeOf(pod, "createdS")));

/** When a run ends, the earliest first. */
type End = { id: string; atS: number; startedS: number };

function createEndings() {
  const heap: End[] = [];
  const before = (left: End, right: End) => left.atS < right.atS || (left.atS === right.atS && left.id < right.id);
  const swap = (left: number, right: number) => ([heap[left], heap[right]] = [heap[right]!, heap[left]!]);
  return {
    size: () => heap.length,
    peek: (): End | undefined => heap[0],
    push: (end: End) => {
      let at = heap.push(end) - 1;
      for (let up = (at - 1) >> 1; at > 0 && before(heap[at]!, heap[up]!); at = up, up = (at - 1) >> 1) swap(at, up);
    },
    pop: () => {
      const last = heap.pop()!;
      if (heap.length === 0) return;
      heap[0] = last;
      for (let at = 0; ;) {
        let least = at;
        for (const child of [2 * at + 1, 2 * at + 2])
          if (child < heap.length && before(heap[child]!, heap[least]!)) least = child;
        if (least === at) return;
        swap(at, least);
        at = least;
      }
    },
  };
}
