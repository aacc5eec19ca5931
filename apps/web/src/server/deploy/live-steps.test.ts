import { expect, it } from "vitest";
import { liveSteps } from "./live-steps.ts";

const statuses = (facts: Parameters<typeof liveSteps>[0]) => liveSteps(facts).map(({ status }) => status);
const written = (...list: string[]) =>
  list.map((status, index) => ({
    step: ["load", "probe", "flip", "drain", "unload"][index]!,
    status,
    durationMs: 1,
    detail: null,
  }));

it("is loading until every ready replica holds the version, and probing after", () => {
  const facts = { status: "running" as const, steps: [], readyReplicas: 2 };
  expect(statuses({ ...facts, observed: ["resident", "loading"] })).toEqual([
    "running",
    "waiting",
    "waiting",
    "waiting",
    "waiting",
  ]);
  expect(statuses({ ...facts, observed: ["resident", "resident"] })).toEqual([
    "done",
    "running",
    "waiting",
    "waiting",
    "waiting",
  ]);
});

it("is loading, not probing, while no replica is ready", () => {
  expect(statuses({ status: "running", steps: [], observed: [], readyReplicas: 0 })[0]).toBe("running");
});

it("goes on draining after the flip", () => {
  expect(
    statuses({
      status: "running",
      steps: written("done", "done", "done", "waiting", "waiting"),
      observed: [],
      readyReplicas: 1,
    }),
  ).toEqual(["done", "done", "done", "running", "waiting"]);
});

it("shows an ended deployment exactly as it was written", () => {
  expect(
    statuses({
      status: "failed",
      steps: written("failed", "waiting", "waiting", "waiting", "waiting"),
      observed: ["resident"],
      readyReplicas: 1,
    }),
  ).toEqual(["failed", "waiting", "waiting", "waiting", "waiting"]);
});
