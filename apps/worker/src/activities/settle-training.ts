import { AnnealError } from "@anneal/core/errors";
import type { TrainerEvent } from "@anneal/core/train/trainer-events";
import { trainingResultSchema } from "@anneal/core/train/training-result";
import type { Scope } from "@anneal/db/database";
import { updateTrainingRun } from "@anneal/db/queries/train";
import type { ObjectStore } from "@anneal/objects/object-store";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { StageCounts } from "../workflows/run-stage.ts";

export type TrainerEnd = Extract<TrainerEvent, { type: "finished" | "stopped" | "failed" }>;

/**
 * What a trainer that has ended leaves: its adapter in the object store and the run's last state.
 * @param directory where it ran, with its stderr
 * @throws AnnealError when it did not finish; retryable when it was killed, since it resumes
 */
export async function settleTraining(
  {
    scope,
    objects,
    trainingRunId,
    directory,
  }: {
    scope: Scope;
    objects: ObjectStore;
    trainingRunId: string;
    directory: string;
  },
  trainCount: number,
  end: TrainerEnd | null,
  exitCode: number | null,
): Promise<StageCounts> {
  if (end?.type === "finished") {
    const adapterKey = `training/${trainingRunId}/adapter`;
    for (const file of await readdir(end.adapterDir)) {
      await objects.put(`${adapterKey}/${file}`, await readFile(join(end.adapterDir, file)));
    }
    const result = trainingResultSchema.parse(end);
    await updateTrainingRun(scope, trainingRunId, {
      status: "done",
      result,
      adapterKey,
      endedAt: new Date(),
      error: null,
    });
    const evalLoss =
      result.evalLossFirst === null || result.evalLoss === null
        ? ""
        : `; evaluation ${result.evalLossFirst.toFixed(2)} → ${result.evalLoss.toFixed(2)}`;
    const window = result.lossWindow > 1 ? ` (means of ${result.lossWindow} steps)` : "";
    const note = `Loss ${result.lossFirst.toFixed(2)} → ${result.lossLast.toFixed(2)}${window}${evalLoss} at ${Math.round(result.tokensPerSecond)} tokens/s.`;
    return { inCount: trainCount, outCount: trainCount, note };
  }
  const error =
    end?.type === "stopped"
      ? new AnnealError("CANCELLED", `The training was stopped at step ${end.step}; its checkpoint is kept.`, {
          action: "Retry the train stage to go on from there.",
        })
      : end?.type === "failed"
        ? new AnnealError(end.code, end.message, { action: end.action })
        : new AnnealError(
            "TRAINING_FAILED",
            `The trainer ended without a result (exit code ${exitCode ?? "signal"}).`,
            {
              action: "It is started again from its newest checkpoint; if that fails too, see its log.",
              details: {
                stderr: (await readFile(join(directory, "stderr.log"), "utf8").catch(() => "")).slice(-1500),
              },
              // A killed trainer resumes; one that says why it failed does not.
              retryable: true,
            },
          );
  const status = end?.type === "stopped" ? "stopped" : error.retryable ? "running" : "failed";
  await updateTrainingRun(scope, trainingRunId, { status, error: error.toReport(), endedAt: new Date() });
  throw error;
}
