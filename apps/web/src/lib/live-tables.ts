import type { AppRouter } from "#server/root.ts";

type RouterName = Exclude<keyof AppRouter["_def"]["record"], "live">;

/**
 * Which routers' answers grow stale when a table changes. A table that is not here refreshes nothing; a new router
 * adds itself to the tables it reads.
 */
export const routersOfTable: Record<string, readonly RouterName[]> = {
  memberships: ["access"],
  api_keys: ["access"],
  model_grants: ["access", "assistants"],
  assistants: ["assistants"],
  collections: ["assistants"],
  conversations: ["chat"],
  sources: ["connect", "loop"],
  source_syncs: ["connect"],
  documents: ["documents", "connect", "loop"],
  runs: ["loop"],
  run_stages: ["loop"],
  dataset_versions: ["dataset"],
  training_runs: ["train", "dataset"],
  training_metrics: ["train"],
  training_samples: ["train"],
  training_log: ["train"],
  adapters: ["deploy"],
  adapter_versions: ["deploy", "dataset"],
  alias_history: ["assistants", "deploy"],
  deployments: ["deploy"],
  replicas: ["deploy", "pools"],
  residencies: ["deploy", "pools"],
  pools: ["pools"],
  allocations: ["pools"],
};
