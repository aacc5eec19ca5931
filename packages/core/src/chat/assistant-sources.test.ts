import { describe, expect, it } from "vitest";
import { listUnreadSources, planAssistantSettings } from "./assistant-sources.ts";

describe("planAssistantSettings", () => {
  it("limits a new assistant to the run's sources, and to none when the run reads the whole workspace", () => {
    expect(planAssistantSettings(null, ["a"])).toEqual({ sourceIds: ["a"], managedByRuns: true });
    expect(planAssistantSettings(null, null)).toEqual({ managedByRuns: true });
  });

  it("widens what only runs have made, and never narrows it", () => {
    const made = planAssistantSettings(null, ["a"])!;
    const wider = planAssistantSettings({ ...made, passages: 6 }, ["b", "a"])!;
    expect(wider).toEqual({ sourceIds: ["a", "b"], managedByRuns: true, passages: 6 });
    expect(planAssistantSettings(wider, ["a"])).toBeNull();
    const whole = planAssistantSettings(wider, null)!;
    expect(whole).toEqual({ managedByRuns: true, passages: 6 });
    expect(planAssistantSettings(whole, ["c"])).toBeNull();
  });

  it("leaves alone what a person has saved", () => {
    expect(planAssistantSettings({ sourceIds: ["a"] }, ["b"])).toBeNull();
    expect(planAssistantSettings({ sourceIds: [] }, null)).toBeNull();
  });
});

it("names the sources that an assistant will not read even after a run", () => {
  expect(listUnreadSources({ sourceIds: ["a"] }, ["a", "b"])).toEqual(["b"]);
  expect(listUnreadSources({ sourceIds: ["a"], managedByRuns: true }, ["b"])).toEqual([]);
  expect(listUnreadSources({}, ["b"])).toEqual([]);
});
