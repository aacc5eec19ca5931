import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerSizingRequest } from "./answer.ts";
import { llama8b } from "./speed/example-models.ts";

describe("one request, one answer", () => {
  it.each([
    [
      "serving-memory",
      { gpu: "H100-80GB", maxModelLen: 8192 },
      ["weightsGibPerGpu", "kvCacheTokens", "maxConcurrency", "fits"],
    ],
    [
      "training-memory",
      { gpu: "A100-80GB", method: "lora", maxLength: 2048, loraRank: 16, loraTargets: "all-linear" },
      ["peakGibPerGpu", "breakdown", "trainableParameters", "fits"],
    ],
    [
      "latency",
      { gpu: "H100-80GB", engine: "vllm", precision: "fp8", batch: 8, isl: 1024, osl: 128 },
      ["ttftMs", "tpotMs", "tokensPerSecondPerGpu", "saturated"],
    ],
  ])("answers %s with its figures", (op, fields, keys) => {
    const answer = answerSizingRequest({ op, model: llama8b, ...fields });
    for (const key of keys) expect(answer).toHaveProperty(key);
  });

  it("answers plan with plans and rejections that survive JSON unchanged", () => {
    const answer = answerSizingRequest({
      op: "plan",
      brief: { model: llama8b, peakUsers: 20, gpus: ["L40S", "MI300X"] },
    });
    expect(answer).toMatchObject({
      plans: expect.arrayContaining([expect.objectContaining({ rank: 1 })]),
      rejected: expect.any(Array),
    });
    expect(JSON.parse(JSON.stringify(answer))).toEqual(answer);
  });

  it.each([
    ["no object", 7, "INVALID_REQUEST", /A request is an object .*not a number/],
    ["null", null, "INVALID_REQUEST", /not null/],
    ["a list", [], "INVALID_REQUEST", /not a list/],
    [
      "no op",
      {},
      "INVALID_REQUEST",
      /The field op is missing; it must be one of serving-memory, training-memory, latency, plan/,
    ],
    ["an unknown op", { op: "fly" }, "INVALID_REQUEST", /The field op is "fly"/],
    ["a name of Object's own", { op: "constructor" }, "INVALID_REQUEST", /The field op is "constructor"/],
    ["a plan without brief", { op: "plan" }, "INVALID_REQUEST", /The field brief is missing/],
    [
      "an unknown GPU",
      { op: "latency", model: llama8b, gpu: "H900", engine: "vllm", batch: 1, isl: 1, osl: 1 },
      "UNKNOWN_GPU",
      /H900/,
    ],
    [
      "an unknown model",
      { op: "serving-memory", model: { model_type: "gpt6" }, gpu: "L4" },
      "UNKNOWN_ARCHITECTURE",
      /gpt6/,
    ],
  ])("answers %s with an error", (_name, request, code, message) => {
    expect(answerSizingRequest(request)).toEqual({
      error: { code, message: expect.stringMatching(message), details: expect.any(Object) },
    });
  });

  it("never throws, whatever it is asked, and names no failure of its own", () => {
    const op = fc.constantFrom("serving-memory", "training-memory", "latency", "plan");
    const odd = fc.record(
      {
        op,
        model: fc.oneof(fc.constant(llama8b), fc.anything()),
        gpu: fc.anything(),
        brief: fc.anything(),
        batch: fc.anything(),
      },
      { requiredKeys: ["op"] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), odd), (request) => {
        const answer = answerSizingRequest(request) as { error?: { code: string } };
        expect(answer.error?.code).not.toBe("INTERNAL");
      }),
      { numRuns: 500 },
    );
  });
});
