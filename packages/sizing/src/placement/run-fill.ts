import { book, readPlacements } from "./booking.ts";
import type { NodeSpec } from "./cluster-snapshot.ts";
import { createCluster } from "./create-cluster.ts";
import { placeAll } from "./place-all.ts";
import { createTally, createTimer, type PlacementReport } from "./placement-report.ts";
import { finishWork, submitRequest } from "./schedule.ts";
import type { TracePod } from "./trace.ts";
import { type SimulationOptions, traceInput, traceRequest } from "./trace-cluster.ts";

/**
 * Pods in the order given, none leaves: each is placed or refused. First on line, each where it then fits and knowing
 * nothing of later pods; that is what is timed. With `batchRounds` the file is then taken as what it is, a list that is
 * known as a whole, and planned as a batch of which the most GPUs are placed (`placeAll`, with so many rounds of search);
 * the report then counts the better of both and keeps the other beside it.
 */
export function runFill(
  nodes: readonly NodeSpec[],
  pods: readonly TracePod[],
  options: SimulationOptions & { batchRounds?: number; seed?: number } = {},
): FillReport {
  const cluster = createCluster(traceInput(nodes, options));
  const timer = createTimer(options.clock);
  const tally = createTally(cluster, pods);
  for (const pod of pods) {
    const request = traceRequest(pod, "batch");
    const decision = timer.time(() => submitRequest(cluster, request, 0));
    if (decision.status === "admitted") tally.placed(pod);
    else {
      tally.refused(pod, decision);
      // Nothing leaves, so that what waits would wait for ever.
      if (decision.status === "queued") finishWork(cluster, request.id, 0);
    }
  }
  const onLine = tally.report(
    tally.placedGpus(),
    pods.slice(0, tally.placedPods()).map(() => 0),
    0,
    timer,
  );
  const { allocatedGpus, unallocatedGpus, placedPods } = onLine;
  const kept = { ...onLine, plan: "on-line" as const, onLine: { allocatedGpus, unallocatedGpus, placedPods } };
  if (!options.batchRounds || onLine.refused.length === 0) return kept;
  const batch = runBatch(nodes, pods, options.batchRounds, options);
  return batch.placedGpus() <= allocatedGpus
    ? kept
    : {
        ...kept,
        ...batch.report(
          batch.placedGpus(),
          pods.slice(0, batch.placedPods()).map(() => 0),
          0,
          timer,
        ),
        plan: "batch",
      };
}

export type FillReport = PlacementReport & {
  plan: "on-line" | "batch";
  onLine: Pick<PlacementReport, "allocatedGpus" | "unallocatedGpus" | "placedPods">;
};

function runBatch(
  nodes: readonly NodeSpec[],
  pods: readonly TracePod[],
  rounds: number,
  options: SimulationOptions & { seed?: number },
): ReturnType<typeof createTally> {
  const requests = pods.map((pod) => traceRequest(pod, "batch"));
  const { placed } = placeAll(traceInput(nodes, options), requests, {
    rounds,
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  });
  const placementOf = new Map(placed.map(({ id, placement }) => [id, placement]));
  const cluster = createCluster(traceInput(nodes, options));
  const tally = createTally(cluster, pods);
  pods.forEach((pod, i) => {
    const placement = placementOf.get(pod.name);
    if (!placement) return;
    book(cluster, requests[i]!, readPlacements(cluster, requests[i]!, [placement]), 0, 0, 0);
    tally.placed(pod);
  });
  // What the search did not come to look at may still fit; and what does not gets its reason.
  pods.forEach((pod, i) => {
    if (placementOf.has(pod.name)) return;
    const decision = submitRequest(cluster, requests[i]!, 0);
    if (decision.status === "admitted") tally.placed(pod);
    else {
      tally.refused(pod, decision);
      if (decision.status === "queued") finishWork(cluster, pod.name, 0);
    }
  });
  return tally;
}
