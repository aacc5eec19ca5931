import { trainingResultSchema } from "@anneal/core/train/training-result";
import type { AliasEntry, Deployment } from "@anneal/db/queries/deploy";
import type { Adapter, AdapterVersion } from "@anneal/db/queries/register";
import type { Replica, Residency } from "@anneal/db/queries/serving";
import { toServing } from "#server/deploy/serving-view.ts";

// Rows as the portal shows them: without the workspace, which the reader is in.

export function toAdapterView({ workspaceId: _, ...adapter }: Adapter) {
  return adapter;
}

export function toAliasView({ seq, alias, adapterVersionId, servingName, deploymentId, by, at }: AliasEntry) {
  return { seq, alias, adapterVersionId, servingName, deploymentId, by, at };
}

export function toDeploymentView<D extends Deployment>({ workspaceId: _, ...deployment }: D) {
  return deployment;
}

type Served = {
  /** Version numbers by id. */
  numberOf: ReadonlyMap<string, number>;
  replicas: readonly Replica[];
  residencies: readonly Residency[];
};

/** Where an alias points, and where that is in memory. */
export function toServedAlias(entry: AliasEntry, { numberOf, replicas, residencies }: Served) {
  return {
    ...toAliasView(entry),
    version: numberOf.get(entry.adapterVersionId) ?? null,
    serving: toServing(entry.servingName, replicas, residencies),
  };
}

export function toVersionView({ id, version, digest, rank, sizeBytes, metrics, lineage, createdAt }: AdapterVersion) {
  const result = trainingResultSchema.safeParse(metrics).data ?? null;
  const { trainingRunId, datasetVersionId } = lineage;
  return { id, version, digest, rank, sizeBytes, createdAt, result, trainingRunId, datasetVersionId };
}
