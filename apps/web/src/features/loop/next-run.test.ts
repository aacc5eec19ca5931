import { expect, it } from "vitest";
import { loopSettingsSchema } from "@anneal/core/loop/settings";
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
  const [again, all] = planNextRuns({ settings, sources });
  expect(again).toMatchObject({
    key: "again",
    label: "handbook",
    settings: { sourceIds: [kept], adapterName: "documents", alias: "canary", confirmDeletions: false },
  });
  expect(all).toMatchObject({ key: "all", settings: { sourceIds: null, adapterName: "documents", alias: "canary" } });
});

it("has one way only where the last run read all sources, or none of its own is left", () => {
  const whole = { ...settings, sourceIds: null };
  expect(planNextRuns({ settings: whole, sources: null }).map(({ key }) => key)).toEqual(["all"]);
  expect(planNextRuns({ settings, sources: [{ id: removed, name: null }] }).map(({ key }) => key)).toEqual(["all"]);
});
