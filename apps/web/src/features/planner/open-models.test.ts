import { expect, it } from "vitest";
import { countParameters } from "@anneal/sizing/models/model";
import { publishedModels } from "@anneal/sizing/models/published-models";
import { readModel } from "@anneal/sizing/models/read-model";
import { openModels } from "./open-models.ts";

/** Parameters as the models' pages on the Hugging Face Hub show them. */
const parameters = {
  "llama-3.1-8b": 8_030_261_248,
  "phi-4": 14_659_507_200,
  "gpt-oss-20b": 20_914_757_184,
  "mistral-small-3.1-24b": 24_011_361_280,
  "gemma-3-27b": 27_432_406_640,
  "qwen3-30b-a3b": 30_532_122_624,
  "llama-3.3-70b": 70_553_706_496,
  "gpt-oss-120b": 116_829_156_672,
  "qwen3-235b-a22b-fp8": 235_093_634_560,
  "deepseek-v3": 671_026_419_200,
};

it("counts the parameters of each model as it was published, the smallest first", () => {
  expect(Object.fromEntries(openModels.map(({ id, config }) => [id, countParameters(readModel(config))]))).toEqual(
    parameters,
  );
  expect(openModels.map(({ id }) => id)).toEqual(Object.keys(parameters));
});

it.each([
  ["llama-3.1-8b", "Llama-3.1-8B"],
  ["phi-4", "Phi-4"],
  ["gpt-oss-20b", "gpt-oss-20b"],
  ["mistral-small-3.1-24b", "Mistral-Small-3.1-24B"],
  ["gemma-3-27b", "gemma-3-27b"],
  ["qwen3-30b-a3b", "Qwen3-30B-A3B"],
  ["deepseek-v3", "DeepSeek-V3"],
])("has the fields of %s as sizing's own list has them", (id, name) => {
  const [, , config] = publishedModels.find((each) => each[0] === name)!;
  expect(openModels.find((each) => each.id === id)?.config).toMatchObject(config);
});
