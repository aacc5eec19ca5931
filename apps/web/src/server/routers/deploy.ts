import { z } from "zod";
import { mayRead } from "@anneal/core/access/acl";
import { servingName } from "@anneal/core/deploy/contract";
import { allSteps } from "@anneal/core/deploy/step-states";
import { AnnealError } from "@anneal/core/errors";
import { nameSchema } from "@anneal/core/loop/settings";
import { getDatasetVersion, listDocumentsOfDataset } from "@anneal/db/queries/dataset";
import {
  findDeployment,
  listAliasHistory,
  listCurrentAliases,
  listDeploymentsOfAdapter,
} from "@anneal/db/queries/deploy";
import { getAdapter, getAdapterVersion, listAdapterVersions } from "@anneal/db/queries/register";
import { listReplicas, listResidencies } from "@anneal/db/queries/serving";
import { mayReadWhole } from "#server/dataset/dataset-view.ts";
import {
  toAdapterView,
  toAliasView,
  toDeploymentView,
  toServedAlias,
  toVersionView,
} from "#server/deploy/adapter-view.ts";
import { readLive } from "#server/deploy/read-live.ts";
import { toServing } from "#server/deploy/serving-view.ts";
import { abandonRunning, deploymentWorkflowId, loadPlan, startDeployment } from "#server/deploy/start-deployment.ts";
import { listWithheldAdapters } from "#server/deploy/withheld-adapters.ts";
import { readWorkflowState } from "#server/temporal.ts";
import { memberProcedure, operatorProcedure, router } from "#server/trpc.ts";

const byDeployment = z.object({ deploymentId: z.uuid() });
const deploymentInput = z.object({ adapterVersionId: z.uuid(), alias: nameSchema });

export const deployRouter = router({
  /** Every adapter with its newest version and where its aliases point. */
  list: memberProcedure.query(async ({ ctx: { scope, db } }) => {
    const [rows, aliases, replicas, residencies] = await Promise.all([
      listAdapterVersions(scope),
      listCurrentAliases(scope),
      listReplicas(db),
      listResidencies(db),
    ]);
    return [...Map.groupBy(rows, ({ adapter }) => adapter.id).values()].map((versions) => {
      const { adapter } = versions[0]!;
      const numberOf = new Map(versions.map(({ version }) => [version.id, version.version]));
      return {
        ...toAdapterView(adapter),
        versionCount: versions.length,
        latest: toVersionView(versions[0]!.version),
        aliases: aliases
          .filter((entry) => entry.adapterId === adapter.id)
          .map((entry) => toServedAlias(entry, { numberOf, replicas, residencies })),
      };
    });
  }),

  get: memberProcedure.input(z.object({ adapterId: z.uuid() })).query(async ({ ctx, input }) => {
    const { scope, db } = ctx;
    const [adapter, rows, history, deployments, current, replicas, residencies, withheld] = await Promise.all([
      getAdapter(scope, input.adapterId),
      listAdapterVersions(scope),
      listAliasHistory(scope, input.adapterId),
      listDeploymentsOfAdapter(scope, input.adapterId),
      listCurrentAliases(scope),
      listReplicas(db),
      listResidencies(db),
      listWithheldAdapters(ctx, input.adapterId),
    ]);
    const versions = rows.filter((row) => row.adapter.id === adapter.id).map(({ version }) => version);
    const mine = current.filter((entry) => entry.adapterId === adapter.id);
    const numberOf = new Map(versions.map((version) => [version.id, version.version]));
    return {
      ...toAdapterView(adapter),
      versions: versions.map((version) => ({
        ...toVersionView(version),
        aliases: mine.filter((entry) => entry.adapterVersionId === version.id).map(({ alias }) => alias),
        serving: toServing(servingName(adapter.name, version.digest), replicas, residencies),
      })),
      aliases: mine.map((entry) => toServedAlias(entry, { numberOf, replicas, residencies })),
      history: history.map(({ entry, version }) => ({ ...toAliasView(entry), version })),
      deployments: (await Promise.all(deployments.map((each) => readLive(scope, each)))).map(toDeploymentView),
      /** For administrators: versions that permitted people cannot use, because of documents that they may not read. */
      withheld,
    };
  }),

  /** A version's card, and what it was made from back to the documents; those that one may not read are only counted. */
  lineage: memberProcedure.input(z.object({ adapterVersionId: z.uuid() })).query(async ({ ctx, input }) => {
    const { scope, identity } = ctx;
    const { version } = await getAdapterVersion(scope, input.adapterVersionId);
    const { datasetVersionId, trainingRunId, baseModel, baseDigest, config } = version.lineage;
    const [dataset, documents, mayDownload] = await Promise.all([
      getDatasetVersion(scope, datasetVersionId).catch(() => null),
      listDocumentsOfDataset(scope, datasetVersionId),
      mayReadWhole(ctx, datasetVersionId),
    ]);
    const readable = documents.filter((document) => mayRead(document.acl, identity.principalKeys));
    return {
      card: version.card,
      base: { model: baseModel, digest: baseDigest },
      config,
      trainingRunId,
      dataset: dataset && {
        id: dataset.id,
        name: dataset.name,
        version: dataset.version,
        digest: dataset.digest,
        trainCount: dataset.trainCount,
        evalCount: dataset.evalCount,
      },
      documents: readable.map(({ id, title, pairs }) => ({ id, title, pairs })),
      hiddenDocuments: documents.length - readable.length,
      mayDownload: dataset !== null && mayDownload,
    };
  }),

  preview: operatorProcedure.input(deploymentInput).query(({ ctx, input }) => loadPlan(ctx, input)),

  /** Deploys a version under an alias; with an older version it rolls back. */
  start: operatorProcedure.input(deploymentInput).mutation(({ ctx, input }) => startDeployment(ctx, input)),

  /** Ends a deployment that does not get on; its alias is free again at once. */
  abandon: operatorProcedure.input(byDeployment).mutation(({ ctx, input }) => abandonRunning(ctx, input.deploymentId)),

  /** How a deployment stands now; the worker records its steps as they happen. */
  progress: memberProcedure.input(byDeployment).query(async ({ ctx: { scope }, input: { deploymentId } }) => {
    const deployment = await findDeployment(scope, deploymentId);
    if (!deployment) {
      // Its workflow writes the row first of all.
      if ((await readWorkflowState(deploymentWorkflowId(deploymentId))) !== "gone")
        return { status: "running" as const, steps: allSteps([]), error: null, swapMs: null };
      throw new AnnealError("NOT_FOUND", "This deployment ended before it began.", {
        action: "Look at the adapter's history, then deploy again.",
      });
    }
    const { status, steps, error, swapMs } = await readLive(scope, deployment);
    return { status, steps: allSteps(steps), error, swapMs };
  }),
});
