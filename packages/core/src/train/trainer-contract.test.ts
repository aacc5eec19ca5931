import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { errorCodes } from "../errors.ts";
import { lossWindow } from "./loss-window.ts";
import { trainerConfigSchema } from "./trainer-config.ts";
import { trainerEventSchema, trainerFailureCodes } from "./trainer-events.ts";

const read = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");

const minimal = {
  baseModel: "tiny-llama",
  trainFile: "train.jsonl",
  evalFile: "eval.jsonl",
  outputDir: "out",
  batchTokens: 2048,
};

test("parses a run that the trainer recorded, and every kind of event is in it", () => {
  const kinds = read("trainer-events.sample.ndjson")
    .trimEnd()
    .split("\n")
    .map((line) => trainerEventSchema.parse(JSON.parse(line)).type);
  expect(new Set(kinds)).toEqual(
    new Set(["log", "started", "samples", "eval", "step", "checkpoint", "finished", "failed", "stopped"]),
  );
});

test("has the trainer's defaults, and no field more or less", () => {
  expect(trainerConfigSchema.parse(minimal)).toEqual(JSON.parse(read("trainer-config.sample.json")));
});

test.each([
  [{ rnak: 8 }, "rnak"],
  [{ batchSize: 4 }, "exactly one of"],
  [{ batchTokens: null }, "exactly one of"],
  [{ batchTokens: 64 }, "at least maxLength"],
  [{ evalFile: null, earlyStopping: { patience: 1 } }, "earlyStopping needs an evalFile"],
])("refuses %j as the trainer would", (changes, words) => {
  const result = trainerConfigSchema.safeParse({ ...minimal, ...changes });
  expect(result.error?.message).toContain(words);
});

test.each([
  [1, 1],
  [3, 1],
  [8, 4],
  [19, 9],
  [20, 10],
  [1000, 10],
])("averages the loss of %i steps over %i at either end, as the trainer does", (steps, window) => {
  expect(lossWindow(steps)).toBe(window);
});

test("every failure code of the trainer is one of the product's", () => {
  expect(errorCodes).toEqual(expect.arrayContaining([...trainerFailureCodes]));
});
