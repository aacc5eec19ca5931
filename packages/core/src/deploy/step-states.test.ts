import { expect, it } from "vitest";
import type { DeployStepState } from "./contract.ts";
import { allSteps, mergeSteps, withStep } from "./step-states.ts";

const engine = { url: "http://one", status: "done" as const, durationMs: 40, detail: null };
const load: DeployStepState = { step: "load", status: "done", durationMs: 45, detail: "1 engine", replicas: [engine] };

it("has every step in order, waiting until something is recorded of it", () => {
  expect(allSteps([load]).map(({ step, status }) => [step, status])).toEqual([
    ["load", "done"],
    ["probe", "waiting"],
    ["flip", "waiting"],
    ["drain", "waiting"],
    ["unload", "waiting"],
  ]);
});

it("replaces one step and leaves the others", () => {
  const failed: DeployStepState = { step: "probe", status: "failed", durationMs: 2, detail: "said nothing" };
  const steps = withStep([load], failed);
  expect(steps.slice(0, 3)).toEqual([
    load,
    failed,
    { step: "flip", status: "waiting", durationMs: null, detail: null },
  ]);
});

it("keeps what each engine did when the workflow says how the step ended", () => {
  const reported: DeployStepState = { step: "load", status: "failed", durationMs: 900, detail: "the worker died" };
  expect(mergeSteps([load], [reported])[0]).toEqual({ ...reported, replicas: [engine] });
  expect(mergeSteps([], [reported])[0]).toEqual(reported);
});
