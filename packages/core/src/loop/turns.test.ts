import { describe, expect, it } from "vitest";
import { stagesOf, type Stage } from "./contract.ts";
import type { RunPurpose } from "./settings.ts";
import { holdsDocuments, mayNotBegin, mayNotGoOn, type RunState } from "./turns.ts";

/** @param at the stage that it is at; those before it are done */
function runAt(purpose: RunPurpose | undefined, at: Stage, status: "waiting" | "running"): RunState {
  const settings = purpose === undefined ? {} : { purpose };
  const all = stagesOf(settings);
  return {
    settings,
    stages: all.map((stage, index) => ({
      stage,
      status: stage === at ? status : index < all.indexOf(at) ? "done" : "waiting",
    })),
  };
}

const waitingSearch = runAt("search", "clean", "waiting");
const waitingWhole = runAt("everything", "connect", "waiting");

describe("a run that trains", () => {
  it("has the documents until its dataset is made, and again while it indexes", () => {
    const held = stagesOf({}).flatMap((stage) =>
      (["waiting", "running"] as const)
        .filter((status) => holdsDocuments(runAt("everything", stage, status)))
        .map((status) => `${stage} ${status}`),
    );
    const before = ["connect", "clean", "dedupe", "dataset"].flatMap((stage) => [
      `${stage} waiting`,
      `${stage} running`,
    ]);
    expect(held).toEqual([...before, "index running"]);
  });

  it("lets another begin that only makes documents findable, while it trains, registers, deploys or waits to index", () => {
    for (const stage of ["train", "register", "deploy"] as const)
      expect(mayNotBegin(waitingSearch, runAt("everything", stage, "running"))).toBe(false);
    expect(mayNotBegin(waitingSearch, runAt("everything", "index", "waiting"))).toBe(false);
    expect(mayNotBegin(waitingSearch, runAt("everything", "clean", "running"))).toBe(true);
    expect(mayNotBegin(waitingSearch, runAt("everything", "index", "running"))).toBe(true);
  });

  it("indexes only when no other has the documents", () => {
    const trained = runAt("everything", "index", "waiting");
    for (const stage of stagesOf({ purpose: "search" }))
      for (const status of ["waiting", "running"] as const)
        expect(mayNotGoOn(trained, runAt("search", stage, status))).toBe(true);
    expect(mayNotGoOn(runAt("everything", "train", "waiting"), runAt("search", "clean", "running"))).toBe(false);
  });

  it("goes on where it trains without waiting for the documents", () => {
    const retried = runAt("everything", "train", "waiting");
    expect(mayNotBegin(retried, runAt("search", "index", "running"))).toBe(false);
    expect(mayNotBegin(waitingWhole, runAt("search", "index", "running"))).toBe(true);
  });
});

it("two runs for the same never run at once, wherever the first one is", () => {
  for (const purpose of [undefined, "everything", "search"] as const)
    for (const stage of stagesOf({ purpose: purpose ?? "everything" }))
      expect(mayNotBegin(runAt(purpose, "connect", "waiting"), runAt(purpose, stage, "running"))).toBe(true);
  // One of an earlier release does not say what it is for.
  expect(mayNotBegin(waitingWhole, runAt(undefined, "train", "running"))).toBe(true);
});
