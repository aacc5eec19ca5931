import type { RunSummary } from "@anneal/core/loop/contract";
import type { Scope } from "@anneal/db/database";
import { getDatasetVersion } from "@anneal/db/queries/dataset";
import { getDeployment } from "@anneal/db/queries/deploy";
import { getAdapterVersion } from "@anneal/db/queries/register";
import { countIndexed, getCollection } from "@anneal/db/queries/indexing";
import { getRun } from "@anneal/db/queries/loop";
import { getTrainingRun, type TrainingRun } from "@anneal/db/queries/train";
import { loopSettingsSchema } from "@anneal/core/loop/settings";
import { trainingResultSchema } from "@anneal/core/train/training-result";

/** What the run did, from what its stages stored; the same for the CLI's report file and the portal. What was left out stays in `run_drops`. */
export async function buildReport(scope: Scope, runId: string): Promise<RunSummary> {
  const run = await getRun(scope, runId);
  const settings = loopSettingsSchema.parse(run.settings);
  const { datasetVersionId, trainingRunId, adapterVersionId, deploymentId, collectionId } = run.outputs;
  const [dataset, training, adapter, deployment, collection] = await Promise.all([
    datasetVersionId === undefined ? null : getDatasetVersion(scope, datasetVersionId),
    trainingRunId === undefined ? null : getTrainingRun(scope, trainingRunId),
    adapterVersionId === undefined ? null : getAdapterVersion(scope, adapterVersionId),
    deploymentId === undefined ? null : getDeployment(scope, deploymentId),
    getCollection(scope, collectionId ?? ""),
  ]);
  const indexed = await countIndexed(scope, collection.id, settings.sourceIds);
  return {
    stages: run.stages.map((stage) => ({
      stage: stage.stage,
      durationMs: (stage.endedAt?.getTime() ?? 0) - (stage.startedAt?.getTime() ?? 0),
      in: stage.inCount,
      out: stage.outCount,
    })),
    dataset: dataset && {
      id: dataset.id,
      digest: dataset.digest,
      train: dataset.trainCount,
      eval: dataset.evalCount,
    },
    run: training && describeTraining(training),
    adapter: adapter && { name: adapter.adapter.name, digest: adapter.version.digest, rank: adapter.version.rank },
    deployment: deployment && {
      servingName: deployment.servingName,
      swapMs: deployment.swapMs ?? 0,
      replicas: deployment.replicaCount ?? 0,
    },
    index: { collection: collection.name, documents: indexed.documents, chunks: indexed.chunks },
  };
}

function describeTraining({ id, result }: Pick<TrainingRun, "id" | "result">): NonNullable<RunSummary["run"]> {
  const { steps, tokensPerSecond, lossFirst, lossLast, evalLoss, lossWindow } = trainingResultSchema.parse(result);
  const loss = { first: lossFirst, last: lossLast, eval: evalLoss, window: lossWindow };
  return { id, steps, tokensPerSecond, loss };
}
