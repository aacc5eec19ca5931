/** Deploying is one workflow, started by the loop, by a person or by a rollback: the same call with another version. */
export const deployWorkflowName = "deploy";

export type DeployInput = {
  workspaceId: string;
  deploymentId: string;
  adapterVersionId: string;
  alias: string;
  by: string;
};

export type DeployResult = { servingName: string; swapMs: number; replicas: number };

/** In this order; "unload" is skipped for what another alias still serves. */
export const deploySteps = ["load", "probe", "flip", "drain", "unload"] as const;
export type DeployStep = (typeof deploySteps)[number];
/** What one engine does in a step. */
export type ReplicaStepState = {
  url: string;
  status: "running" | "done" | "failed";
  durationMs: number | null;
  detail: string | null;
};
export type DeployStepState = {
  step: DeployStep;
  status: "waiting" | "running" | "done" | "skipped" | "failed";
  durationMs: number | null;
  detail: string | null;
  /** Of the steps that every engine does for itself. */
  replicas?: ReplicaStepState[];
};

/**
 * The immutable name an adapter version is served under. The digest makes it new for new weights, so that an engine's
 * prefix cache can never answer with an older version's keys and values.
 */
export function servingName(adapterName: string, digest: string): string {
  return `${adapterName}@${digest.slice(0, 12)}`;
}

/** Keeps replicas what the ledger says they should be, for ever; one per installation. */
export const reconcileWorkflowName = "reconcileServing";
export const reconcileWorkflowId = "reconcile-serving";
