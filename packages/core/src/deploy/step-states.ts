import { deploySteps, type DeployStepState } from "./contract.ts";

/** All steps in their order: as recorded, or waiting. Older records lack some. */
export function allSteps(recorded: readonly DeployStepState[]): DeployStepState[] {
  return deploySteps.map(
    (step) =>
      recorded.find((each) => each.step === step) ?? { step, status: "waiting", durationMs: null, detail: null },
  );
}

/** The steps with one of them as it stands now. */
export function withStep(recorded: readonly DeployStepState[], state: DeployStepState): DeployStepState[] {
  return allSteps(recorded).map((each) => (each.step === state.step ? state : each));
}

/**
 * The workflow's own account of the steps, which has the last word on how each ended and how long it took with all its
 * attempts, with what the activities recorded of each engine.
 */
export function mergeSteps(
  recorded: readonly DeployStepState[],
  reported: readonly DeployStepState[],
): DeployStepState[] {
  return allSteps(reported).map((state) => {
    const replicas = recorded.find((each) => each.step === state.step)?.replicas;
    return replicas === undefined ? state : { ...state, replicas };
  });
}
