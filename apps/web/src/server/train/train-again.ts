import { loopSettingsSchema, trainingSettingsSchema, type TrainingSettings } from "@anneal/core/loop/settings";
import type { Scope } from "@anneal/db/database";
import { getRun } from "@anneal/db/queries/loop";
import { getTrainingRun } from "@anneal/db/queries/train";
import type { MemberContext } from "#server/context.ts";
import { startRun } from "#server/loop/start-run.ts";

/** The settings that a training was made with. Without the run that made it, those that its own record tells. */
export async function loadTrainAgain(scope: Scope, trainingRunId: string) {
  const { runId, config, datasetVersionId } = await getTrainingRun(scope, trainingRunId);
  const settings = loopSettingsSchema.parse(runId === null ? {} : (await getRun(scope, runId)).settings);
  const training =
    runId === null ? (trainingSettingsSchema.safeParse(config).data ?? settings.training) : settings.training;
  return { settings, training, datasetVersionId };
}

/** A run that begins at the train stage: the dataset is the old training's, and so are all names but the alias. */
export async function trainAgain(
  ctx: MemberContext,
  { trainingRunId, training, alias }: { trainingRunId: string; training: TrainingSettings; alias: string },
): Promise<{ runId: string }> {
  const { settings, datasetVersionId } = await loadTrainAgain(ctx.scope, trainingRunId);
  return startRun(
    ctx,
    // Asked for by a person: also with settings that were trained with before.
    { ...settings, training, alias, retrain: true },
    { fromStage: "train", outputs: { datasetVersionId } },
  );
}
