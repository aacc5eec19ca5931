import { describe, expect, it } from "vitest";
import { readBrief } from "./brief.ts";
import { llama8b } from "../speed/example-models.ts";
import { makePlans } from "./plan.ts";

const good = { model: llama8b, peakUsers: 10 };

describe("a brief that is wrong is refused by the field, its value and what would be right", () => {
  it.each([
    ["no object", "chat for 40", /^The field brief is "chat for 40"/],
    ["nothing", undefined, /^The field brief is missing/],
    ["no model", { peakUsers: 10 }, /either the field model or the field shortlist/],
    [
      "a model and a shortlist",
      { ...good, shortlist: [{ config: llama8b }] },
      /either the field model or the field shortlist/,
    ],
    ["no load", { model: llama8b }, /exactly one of the fields headCount, peakUsers, .* has none of them/],
    ["two loads", { ...good, headCount: 5 }, /has headCount and peakUsers/],
    ["no users", { ...good, peakUsers: 0 }, /^The field peakUsers is 0: .*>=1/],
    ["absurd users", { ...good, peakUsers: 1e12 }, /^The field peakUsers is 1000000000000: .*<=1000000/],
    ["half a user", { ...good, peakUsers: 1.5 }, /^The field peakUsers is 1\.5: .*int/],
    ["a share above one", { ...good, inFlightShare: 5 }, /^The field inFlightShare is 5: .*<=1/],
    ["a negative budget", { ...good, budget: { perMonth: -1 } }, /^The field budget\.perMonth is -1: .*>0/],
    ["an unknown profile", { ...good, profile: "poetry" }, /^The field profile is "poetry": .*"chat"\|"report"/],
    ["an unknown precision", { ...good, precisions: ["int3"] }, /^The field precisions\.0 is "int3"/],
    ["a mistyped field", { ...good, bugdet: { perMonth: 1 } }, /^The field bugdet is not known\. Known: .*budget/],
    [
      "lengths beyond the context",
      { ...good, context: 1000, inputTokens: 900, outputTokens: 200 },
      /^The field context is 1000; it must be at least .* 900 \+ 200 = 1100/,
    ],
    [
      "rent on premises",
      { ...good, purchase: "rent", sovereignty: { onPremises: true } },
      /^The field purchase is "rent"; it must be "buy"/,
    ],
    [
      "money for what is not bought",
      { ...good, purchase: "rent", budget: { capex: 5 } },
      /^The field budget\.capex is 5; it must be left out/,
    ],
    ["only existing ones, of which there are none", { ...good, existingOnly: true }, /^The field existingOnly is true/],
    [
      "only existing ones, and others",
      { ...good, existingOnly: true, existingGpus: [{ gpu: "L4", count: 8 }], gpus: ["L4"] },
      /^The field gpus is 1; it must be left out/,
    ],
    [
      "production on one GPU",
      { ...good, existingOnly: true, existingGpus: [{ gpu: "L4", count: 1 }] },
      /count is 1; it must be 2 or more/,
    ],
    [
      "a model twice",
      {
        peakUsers: 1,
        shortlist: [
          { id: "a", config: llama8b },
          { id: "a", config: llama8b },
        ],
      },
      /shortlist is "a".*stands twice/,
    ],
    [
      "a load beside workloads",
      { ...good, workloads: [{ peakUsers: 1 }] },
      /^The field peakUsers is 10; it must be inside one of the workloads/,
    ],
    [
      "a day without a peak",
      { ...good, dailyLoad: Array.from({ length: 24 }, () => 0) },
      /^The field dailyLoad is \[0,.*1 in at least one hour/,
    ],
    [
      "two workloads of one name",
      {
        model: llama8b,
        workloads: [
          { profile: "chat", peakUsers: 1 },
          { profile: "chat", peakUsers: 2 },
        ],
      },
      /^The field workloads is "chat"; it must be told apart by name/,
    ],
    ["no users, by another name of the field", { model: llama8b, users: 0 }, /^The field peakUsers is 0/],
    ["a workload without load", { model: llama8b, workloads: [{ profile: "chat" }] }, /workloads\.0 has none of them/],
    [
      "a field that a workload lacks",
      { model: llama8b, workloads: [{ peakUsers: 1, gpus: ["L4"] }] },
      /^The field workloads\.0\.gpus is not known\. Known: /,
    ],
  ])("%s", (_name, brief, message) => {
    expect(() => readBrief(brief)).toThrow(
      expect.objectContaining({ code: "INVALID_REQUEST", message: expect.stringMatching(message) }),
    );
  });

  it.each([
    ["an unknown GPU", { ...good, gpus: ["H900"] }, "UNKNOWN_GPU", /no GPU "H900" in the catalogue/],
    [
      "a context longer than the model allows",
      { ...good, context: 200_000 },
      "INVALID_REQUEST",
      /context is 200000; llama allows at most 131072 tokens/,
    ],
    ["an unknown model", { ...good, model: { model_type: "gpt6" } }, "UNKNOWN_ARCHITECTURE", /"gpt6" is not known/],
    ["an unknown engine", { ...good, engine: "llama.cpp" }, "UNKNOWN_ENGINE", /llama\.cpp/],
  ])("%s", (_name, brief, code, message) => {
    expect(() => makePlans(brief)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});

describe("other spellings", () => {
  it("are read, one value standing for a list of one", () => {
    const brief = readBrief({
      model: llama8b,
      users: 40,
      contextLength: 8192,
      precision: "int8",
      slo: { ttftMs: 2000 },
      gpu: "H200",
      workload: "chat",
    });
    expect(brief).toMatchObject({ precisions: ["int8"], gpus: ["H200"] });
    expect(brief.workloads).toEqual([{ peakUsers: 40, context: 8192, slos: { ttftMs: 2000 }, profile: "chat" }]);
  });

  it("are refused beside the name that they stand for", () => {
    expect(() => readBrief({ ...good, users: 11 })).toThrow(/The field users is not known/);
    expect(() => readBrief({ model: llama8b, users: 1, concurrentUsers: 2 })).toThrow(
      /The field concurrentUsers is not known/,
    );
  });
});
