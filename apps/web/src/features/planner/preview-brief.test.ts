import { expect, it } from "vitest";
import { gpuCatalogue } from "@anneal/sizing/gpus/catalogue";
import { openModels } from "./open-models.ts";
import { defaultState, toBrief } from "./planner-state.ts";
import { previewBrief } from "./preview-brief.ts";

const llama8b = openModels.find(({ id }) => id === "llama-3.1-8b")!;
const preview = (changes: Partial<typeof defaultState>) =>
  previewBrief(toBrief({ ...defaultState, ...changes }, { config: llama8b.config }));

it("shows every GPU of the catalogue, also where a plan may choose from one only", () => {
  const { gpus } = preview({ gpus: ["L4"] });
  expect(gpus.map(({ gpu }) => gpu)).toEqual(gpuCatalogue.map(({ id }) => id));
});

it("has room for all users at once, and of a head-count for those who are planned for", () => {
  expect(preview({ amount: 40 }).requests).toBe(40);
  const staff = preview({ load: "headCount", amount: 5000 });
  expect(staff.requests).toBe(staff.workload.inFlightPlanned);
});

it("takes a usual batch where only documents an hour are known", () => {
  const bulk = preview({ load: "documentsPerHour", amount: 10_000, profile: "batch" });
  expect(bulk.workload.inFlightAtOnce).toBeNull();
  expect(bulk.requests).toBe(64);
});

it("names the field that is wrong", () => {
  expect(() => preview({ context: 999_999 })).toThrow(/context is 999999; the model allows at most 131072/);
  expect(() => preview({ inputTokens: 9000, outputTokens: 300, context: 8192 })).toThrow(/The field context is 8192/);
});
