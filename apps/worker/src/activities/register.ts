import { AnnealError } from "@anneal/core/errors";
import type { StageInput } from "@anneal/core/loop/contract";
import { assertServeable, engineLimitsOf } from "@anneal/core/register/serveability";
import { buildModelCard } from "@anneal/core/register/model-card";
import { trainingResultSchema } from "@anneal/core/train/training-result";
import type { Database } from "@anneal/db/database";
import { recordAudit } from "@anneal/db/queries/audit";
import { getDatasetVersion } from "@anneal/db/queries/dataset";
import { saveAdapterVersion } from "@anneal/db/queries/register";
import { listReplicas } from "@anneal/db/queries/serving";
import { addRunOutputs, getRun } from "@anneal/db/queries/loop";
import { getTrainingRun } from "@anneal/db/queries/train";
import type { ObjectStore } from "@anneal/objects/object-store";
import { createHash, randomUUID } from "node:crypto";
import type { BaseModel } from "../base-model.ts";
import type { StageCounts } from "../workflows/run-stage.ts";

export type RegisterActivities = ReturnType<typeof createRegisterActivities>;

export function createRegisterActivities(deps: {
  db: Database;
  objects: ObjectStore;
  baseModel: BaseModel;
  maxLoraRank: number | null;
}) {
  const { db, objects, baseModel } = deps;
  return {
    /** Makes an immutable version of what the training left, named by the digest of its files. */
    async registerAdapter(input: StageInput): Promise<StageCounts> {
      const scope = { db, workspaceId: input.workspaceId };
      const { outputs } = await getRun(scope, input.runId);
      const training = await getTrainingRun(scope, outputs.trainingRunId ?? "");
      const dataset = await getDatasetVersion(scope, training.datasetVersionId);
      if (training.adapterKey === null) {
        throw new AnnealError("CONFLICT", "The training run has no adapter.", { action: "Retry the train stage." });
      }
      const files: { name: string; bytes: Uint8Array }[] = [];
      for await (const key of objects.list(training.adapterKey)) {
        files.push({ name: key.slice(training.adapterKey.length + 1), bytes: await objects.get(key) });
      }
      const rawConfig = files.find((file) => file.name === "adapter_config.json");
      const limits = engineLimitsOf(await listReplicas(db), deps.maxLoraRank);
      const config = assertServeable(
        rawConfig === undefined ? null : JSON.parse(Buffer.from(rawConfig.bytes).toString("utf8")),
        files.map((file) => file.name),
        // Before any engine is known, the one that adapters are trained for.
        limits.baseModels.length > 0 ? limits : { ...limits, baseModels: [baseModel.name] },
      );
      const weights = files
        .filter((file) => /^adapter_(config\.json|model\.safetensors)$/.test(file.name))
        .sort((left, right) => (left.name < right.name ? -1 : 1));
      const hash = createHash("sha256");
      for (const { name, bytes } of weights) hash.update(`${name}\n${bytes.byteLength}\n`).update(bytes);
      const digest = hash.digest("hex");
      const objectPrefix = `adapters/${digest}`;
      for (const { name, bytes } of weights) await objects.put(`${objectPrefix}/${name}`, bytes);

      const metrics = trainingResultSchema.parse(training.result);
      const lineage = {
        baseModel: baseModel.name,
        baseDigest: baseModel.digest,
        datasetVersionId: dataset.id,
        datasetDigest: dataset.digest,
        trainingRunId: training.id,
        config: training.config,
      };
      const name = input.settings.adapterName;
      const { version, created } = await saveAdapterVersion(
        scope,
        { name, baseModel: baseModel.name },
        {
          id: randomUUID(),
          digest,
          objectPrefix,
          rank: config.r,
          sizeBytes: weights.reduce((sum, file) => sum + file.bytes.byteLength, 0),
          lineage,
          metrics,
          card: buildModelCard({
            name,
            digest,
            rank: config.r,
            lineage,
            metrics,
            datasetName: `${dataset.name} v${dataset.version}`,
            trainCount: dataset.trainCount,
            evalCount: dataset.evalCount,
          }),
        },
      );
      await addRunOutputs(scope, input.runId, { adapterVersionId: version.id });
      if (created) {
        await recordAudit(scope, {
          actor: "anneal",
          action: "adapter.register",
          subject: `${name} v${version.version}`,
          details: { digest, datasetDigest: dataset.digest, trainingRunId: training.id },
        });
      }
      const note = created ? `${name} v${version.version}` : `Nothing changed: this is ${name} v${version.version}.`;
      return { inCount: 1, outCount: 1, note };
    },
  };
}
