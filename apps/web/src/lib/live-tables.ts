import type { AppRouter } from "#server/root.ts";

type RouterName = Exclude<keyof AppRouter["_def"]["record"], "live">;

/**
 * Which routers' answers grow stale when a table changes. A table that is not here refreshes nothing; a new router
 * adds itself to the tables it reads.
 */
export const routersOfTable: Record<string, readonly RouterName[]> = {
  memberships: ["access"],
  api_keys: ["access"],
  audit_events: ["audit"],
  model_grants: ["access", "assistants"],
  assistants: ["assistants"],
  collections: ["assistants"],
  conversations: ["chat"],
  sources: ["connect", "loop", "work"],
  source_syncs: ["connect", "work"],
  documents: ["documents", "connect", "loop"],
  runs: ["loop", "work"],
  run_stages: ["loop", "work"],
  dataset_versions: ["dataset"],
  training_runs: ["train", "dataset", "work"],
  training_metrics: ["train", "work"],
  training_samples: ["train"],
  training_log: ["train"],
  adapters: ["deploy"],
  adapter_versions: ["deploy", "dataset"],
  alias_history: ["assistants", "deploy"],
  deployments: ["deploy"],
  replicas: ["deploy", "pools"],
  residencies: ["deploy", "pools"],
  pools: ["pools"],
  placements: ["pools", "work"],
  teams: ["pools"],
  serving_targets: ["pools"],
};
