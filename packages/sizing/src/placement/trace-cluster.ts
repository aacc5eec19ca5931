import type { ClusterInput, NodeSpec, SchedulerSettings } from "./cluster-snapshot.ts";
import type { PlacementRequest } from "./placement-request.ts";
import type { TracePod } from "./trace.ts";

export type SimulationOptions = {
  /** A monotonic clock in milliseconds, to time the decisions with; without one their speed is reported as 0. */
  clock?: () => number;
  settings?: Partial<SchedulerSettings>;
};

const team = "trace";

/** A trace knows no teams: one without a quota owns everything. */
export const traceInput = (nodes: readonly NodeSpec[], { settings }: SimulationOptions): ClusterInput => ({
  nodes: [...nodes],
  teams: [{ name: team }],
  ...(settings ? { settings } : {}),
});

export function traceRequest(pod: TracePod, kind: PlacementRequest["kind"]): PlacementRequest {
  const { name, cpuMilli, memoryMib, gpus, gpuMilli, gpuModels } = pod;
  const models = gpuModels.length > 0 ? { gpuModels } : {};
  return { id: name, team, kind, priority: 0, gang: [{ count: 1, gpus, gpuMilli, cpuMilli, memoryMib, ...models }] };
}
