import { expect, it } from "vitest";
import type { TrainingRun } from "@anneal/db/queries/train";
import { parseAdmission, toTrainingView } from "./training-view.ts";

const run: TrainingRun & { datasetName: string; datasetVersion: number } = {
  id: "t",
  workspaceId: "w",
  runId: null,
  datasetVersionId: "d",
  baseModel: "base",
  inputDigest: "",
  config: { rank: 16, method: "lora" },
  status: "running",
  admission: null,
  started: null,
  result: null,
  adapterKey: null,
  error: null,
  createdAt: new Date(0),
  startedAt: new Date(1_000),
  endedAt: null,
  datasetName: "documents",
  datasetVersion: 3,
};

const started = {
  parameters: 100,
  trainableParameters: 10,
  trainExamples: 40,
  evalExamples: 4,
  totalSteps: 4,
  tokensPerEpoch: 800,
  droppedTotal: 0,
  resumedFromStep: 0,
};
const live = { step: 12, evalLoss: 0.7, tokensPerSecond: 200, etaMs: 60_000 };

it("averages the losses at either end while there is no result: single steps say little", () => {
  const losses = { firstLosses: [3, 1, 9], newestLosses: [9, 0.25, 0.75] };
  expect(toTrainingView({ ...run, started }, { ...live, ...losses }).loss).toEqual({ first: 2, last: 0.5, window: 2 });
  const young = { firstLosses: [3], newestLosses: [3] };
  expect(toTrainingView({ ...run, started }, { ...live, ...young }).loss).toEqual({ first: null, last: 3, window: 2 });
});

it("shows the newest measured step while there is no result", () => {
  const view = toTrainingView(run, { ...live, firstLosses: [0.5], newestLosses: [0.5] });
  expect(view).toMatchObject({
    loss: { last: 0.5 },
    evalLoss: { kept: 0.7 },
    etaMs: 60_000,
    steps: { done: 12, total: null },
    durationMs: null,
  });
});

it("prefers the trainer's own result once it is there, and has no time left to wait", () => {
  const result = {
    steps: 20,
    lossFirst: 1.9,
    lossLast: 0.1,
    evalLossFirst: 1.2,
    evalLoss: 0.9,
    keptStep: 20,
    tokensPerSecond: 240,
    tokensTotal: 9_000,
    durationMs: 5_000,
    stoppedEarly: false,
  };
  const view = toTrainingView(
    { ...run, status: "done", result },
    { step: 3, firstLosses: [9], newestLosses: [9], evalLoss: 9, tokensPerSecond: 9, etaMs: 9 },
  );
  expect(view).toMatchObject({ loss: { first: 1.9, last: 0.1 }, steps: { done: 20 }, etaMs: null, durationMs: 5_000 });
});

it("shows a run whose JSON has another shape as not known instead of failing the page", () => {
  expect(toTrainingView({ ...run, config: { rank: "many" }, result: { steps: "x" } }, undefined)).toMatchObject({
    config: { rank: null },
    loss: { first: null, last: null },
  });
  expect(parseAdmission({ estimate: {} })).toBeNull();
});
