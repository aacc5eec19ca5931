/** What one replica did since the scrape before, from its own metrics. */
export type ReplicaMetrics = {
  /** Requests in the batch, and requests that wait for a place in it. */
  running: number;
  waiting: number;
  /** Share of the KV cache in use, 0 to 1. */
  kvUsage: number;
  /** Prompt tokens that were computed, without those that a prefix cache had. */
  promptTokensPerSecond: number;
  outputTokensPerSecond: number;
  /** Requests that got their first token, and how many of them waited longer for it than the limit. */
  firstTokens: number;
  lateFirstTokens: number;
  /** Null when no request got that far. */
  ttftP99Ms: number | null;
  tpotP99Ms: number | null;
};

export type ReplicaObservation = {
  id: string;
  /** `warm`: loaded, but without traffic. */
  status: "starting" | "warm" | "serving" | "draining";
  /** Where it runs; replicas are drained so that whole nodes become free. */
  node?: string;
  /** Unix time in seconds at which it was started. */
  startedAt: number;
  /** Null where the scrape failed or has no scrape before it. */
  metrics: ReplicaMetrics | null;
};

export type Observation = {
  /** Unix time in seconds. */
  at: number;
  replicas: readonly ReplicaObservation[];
  /** How many more replicas the scheduler could place now. */
  placeable: number;
};
