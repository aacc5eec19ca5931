import type { TrainingSettings } from "../loop/settings.ts";

/** An evaluation also answers its samples, which costs as much as some steps. */
const evalEverySteps = 60;
/** For how often to save in a training whose length is known only to the trainer. */
const assumedSteps = 80;

/**
 * What the trainer is told, but for paths: two runs with equal settings and data make the same adapter.
 * @param machine.threads CPU threads; the same number is needed for bit-equal results
 */
export function trainingConfigOf(settings: TrainingSettings, machine: { hasEval: boolean; threads: number }) {
  const { earlyStoppingPatience, batchTokens, maxLength, ...training } = settings;
  return {
    ...training,
    maxLength,
    batchTokens: Math.max(batchTokens, maxLength),
    earlyStopping: machine.hasEval && earlyStoppingPatience !== null ? { patience: earlyStoppingPatience } : null,
    evalEverySteps,
    // A checkpoint of an adapter is cheap; a short training has some as well, to resume from.
    saveEverySteps: Math.min(20, Math.ceil((training.maxSteps ?? assumedSteps) / 4)),
    threads: machine.threads,
  };
}
