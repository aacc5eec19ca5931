import { expect, it } from "vitest";
import { readBrief } from "./brief.ts";
import { llama70b, llama8b } from "../speed/example-models.ts";
import { qwen235b } from "./example-configs.ts";
import { selectModels } from "./model-selection.ts";
import { makePlans } from "./plan.ts";

const shortlist = [
  { id: "small", config: llama8b, licence: "llama3.1", languages: ["en", "de"], toolUse: false, quality: 60 },
  {
    id: "large",
    config: qwen235b,
    licence: "Apache 2.0",
    languages: ["en", "de", "ar"],
    toolUse: true,
    quality: { mmlu: 80, own: 90 },
  },
  { id: "middle", config: llama70b, licence: "llama3.1", languages: ["en"], toolUse: true, quality: 75 },
  { id: "strange", config: { model_type: "gpt6" }, licence: "apache-2.0", quality: 99 },
];
const select = (changes: Record<string, unknown>, context = 8192) => {
  const { selected, rejected } = selectModels(readBrief({ shortlist, peakUsers: 1, ...changes }), context);
  return {
    ids: selected.map(({ id }) => id),
    selected,
    rejected: Object.fromEntries(rejected.map(({ option, reason }) => [option.model, reason])),
  };
};

it("puts the best model first, and leaves out what it cannot read", () => {
  const { ids, rejected } = select({});
  expect(ids).toEqual(["large", "middle", "small"]);
  expect(rejected["strange"]).toContain('model_type "gpt6" is not known');
});

it("keeps to licence, language, tools, context and quality, and says which one decided", () => {
  expect(select({ sovereignty: { licences: ["apache-2.0", "mit"] } })).toMatchObject({
    ids: ["large"],
    rejected: { small: "The licence of small is llama3.1; apache-2.0 or mit is asked for." },
  });
  expect(select({ languages: ["de"] })).toMatchObject({
    ids: ["large", "small"],
    rejected: { middle: "middle does not cover the language de; its languages: en." },
  });
  expect(select({ toolUse: true }).rejected["small"]).toBe("small does not call tools, and the brief asks for it.");
  expect(select({}, 100_000).rejected["large"]).toBe(
    "The context of 100000 tokens is longer than the 40960 that large allows.",
  );
  expect(select({ qualityFloor: 70 })).toMatchObject({
    ids: ["large", "middle"],
    rejected: { small: "small scores 60, below the floor of 70." },
  });
});

it("takes a language for its dialect, and asks to test it", () => {
  const { selected } = select({ languages: ["ar-AE"] });
  expect(selected.map(({ id, notes }) => [id, notes])).toEqual([
    ["large", ["Whether it is good at ar-AE is not stated: test it on your own texts."]],
  ]);
});

it("holds nothing against the one model of a brief that nobody stated about it", () => {
  const brief = readBrief({
    model: llama8b,
    peakUsers: 1,
    languages: ["fi"],
    toolUse: true,
    sovereignty: { licences: ["mit"] },
  });
  const { selected, rejected } = selectModels(brief, 8192);
  expect(rejected).toEqual([]);
  expect(selected[0]!.notes).toHaveLength(3);
});

it("does not let quantisation fall below the floor that the model itself passes", () => {
  const { plans, rejected } = makePlans({
    shortlist: shortlist.slice(0, 1),
    peakUsers: 5,
    qualityFloor: 59.5,
    gpus: ["L40S"],
  });
  expect(new Set(plans.map(({ precision }) => precision))).toEqual(new Set(["bf16", "fp8"]));
  expect(rejected.find(({ option }) => option.precision === "int4")?.reason).toBe(
    "In INT4 small keeps about 57.6 of its score of 60; the floor is 59.5.",
  );
});
