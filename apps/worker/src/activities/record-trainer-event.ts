import { assertNever } from "@anneal/core/errors";
import type { TrainerEvent } from "@anneal/core/train/trainer-events";
import type { Scope } from "@anneal/db/database";
import { addTrainingLog, saveTrainingMetric, saveTrainingSamples, updateTrainingRun } from "@anneal/db/queries/train";

/** Writes what the trainer said where the pages read it: the run's row, its curves and its log. */
export async function recordTrainerEvent(scope: Scope, trainingRunId: string, event: TrainerEvent): Promise<void> {
  const at = new Date(event.at);
  switch (event.type) {
    case "started": {
      const { type: _, dropped, ...started } = event;
      await updateTrainingRun(scope, trainingRunId, { started });
      const from = event.resumedFromStep === 0 ? "" : `, resumed from step ${event.resumedFromStep}`;
      const message = `${event.trainExamples} examples, ${event.totalSteps} steps${from}; ${event.trainableParameters.toLocaleString("en")} trainable parameters.`;
      return addTrainingLog(scope, trainingRunId, { at, level: "info", message });
    }
    case "step": {
      const { step, loss, learningRate, gradNorm, tokensPerSecond, memoryBytes, etaMs } = event;
      const metric = { step, at, loss, learningRate, gradNorm, tokensPerSecond, memoryBytes, etaMs };
      return saveTrainingMetric(scope, trainingRunId, metric);
    }
    case "eval":
      return saveTrainingMetric(scope, trainingRunId, { step: event.step, at, evalLoss: event.evalLoss });
    case "samples":
      return saveTrainingSamples(scope, trainingRunId, { step: event.step, samples: event.samples });
    case "checkpoint":
      return saveTrainingMetric(scope, trainingRunId, { step: event.step, at, checkpoint: `step-${event.step}` });
    case "log":
      return addTrainingLog(scope, trainingRunId, { at, level: event.level, message: event.message });
    case "finished":
      return addTrainingLog(scope, trainingRunId, {
        at,
        level: "info",
        message: `Finished after ${event.steps} steps; the weights of step ${event.keptStep} are kept.`,
      });
    case "stopped":
      return addTrainingLog(scope, trainingRunId, { at, level: "info", message: `Stopped at step ${event.step}.` });
    case "failed":
      return addTrainingLog(scope, trainingRunId, { at, level: "error", message: event.message });
    default:
      return assertNever(event);
  }
}
