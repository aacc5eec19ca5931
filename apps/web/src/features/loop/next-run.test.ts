import { expect, it } from "vitest";
import { loopSettingsSchema, type RunPurpose } from "@anneal/core/loop/settings";
import { planNextRuns } from "./next-run.ts";

const [kept, removed] = [crypto.randomUUID(), crypto.randomUUID()];
const settings = loopSettingsSchema.parse({
  sourceIds: [kept, removed],
  adapterName: "documents",
  alias: "canary",
  confirmDeletions: true,
});

it("repeats what the last run was told, without a source that is gone and without consent to deletions", () => {
  const sources = [
    { id: kept, name: "handbook" },
    { id: removed, name: null },
  ];
  const [again, all] = planNextRuns({ settings, sources }, "everything");
  expect(again).toMatchObject({
    key: "again",
    label: "handbook",
    settings: { sourceIds: [kept], adapterName: "documents", alias: "canary", confirmDeletions: false },
  });
  expect(all).toMatchObject({ key: "all", settings: { sourceIds: null, adapterName: "documents", alias: "canary" } });
});

it("has one way only where the last run read all sources, or none of its own is left", () => {
  const whole = { ...settings, sourceIds: null };
  expect(planNextRuns({ settings: whole, sources: null }, "everything").map(({ key }) => key)).toEqual(["all"]);
  const gone = { settings, sources: [{ id: removed, name: null }] };
  expect(planNextRuns(gone, "everything").map(({ key }) => key)).toEqual(["all"]);
});

it("is for what a person chooses now, whatever the last run was for", () => {
  const sources = [{ id: kept, name: "handbook" }];
  const purposes = (purpose: RunPurpose) =>
    planNextRuns({ settings, sources }, purpose).map((next) => next.settings.purpose);
  expect(purposes("search")).toEqual(["search", "search"]);
  expect(purposes("everything")).toEqual(["everything", "everything"]);
});
