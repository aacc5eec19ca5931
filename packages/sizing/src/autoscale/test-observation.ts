import type { Observation, ReplicaMetrics, ReplicaObservation } from "./observation.ts";

export const quietMetrics: ReplicaMetrics = {
  running: 40,
  waiting: 0,
  kvUsage: 0.3,
  promptTokensPerSecond: 5000,
  outputTokensPerSecond: 900,
  firstTokens: 65,
  lateFirstTokens: 0,
  ttftP99Ms: 400,
  tpotP99Ms: 60,
};

/** `serving` replicas that each carry a `share` of what `quietMetrics` say, and `starting` ones. */
export function observationOf(options: {
  at: number;
  serving: number;
  starting?: number;
  share?: number;
  metrics?: Partial<ReplicaMetrics> | null;
  placeable?: number;
}): Observation {
  const { at, serving, starting = 0, share = 1, metrics = {}, placeable = 100 } = options;
  const scaled: ReplicaMetrics = {
    ...quietMetrics,
    running: quietMetrics.running * share,
    promptTokensPerSecond: quietMetrics.promptTokensPerSecond * share,
    outputTokensPerSecond: quietMetrics.outputTokensPerSecond * share,
    firstTokens: quietMetrics.firstTokens * share,
    ...metrics,
  };
  const replicas: ReplicaObservation[] = [
    ...Array.from({ length: serving }, (_, i) => ({
      id: `serving-${i}`,
      status: "serving" as const,
      startedAt: at - 3600,
      metrics: metrics === null ? null : scaled,
    })),
    ...Array.from({ length: starting }, (_, i) => ({
      id: `starting-${i}`,
      status: "starting" as const,
      startedAt: at - 60 - i,
      metrics: null,
    })),
  ];
  return { at, replicas, placeable };
}
