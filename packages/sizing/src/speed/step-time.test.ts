import { expect, it } from "vitest";
import { llama70b, qwen235b } from "./example-models.ts";
import { resolveReplica } from "./latency-request.ts";
import { speedConstants } from "./speed-constants.ts";
import { timeStep } from "./step-time.ts";

const prompt = { sequences: 0, context: 0, tokensPerSequence: 1, prompts: [{ past: 0, tokens: 4096 }] };

/** Bytes that the hidden states of a prompt of 4,096 tokens move through the memory of one GPU. */
function countTraffic(request: Record<string, unknown>): number {
  const { replica } = resolveReplica(
    { gpu: "H200", engine: "vllm@0.19.0", precision: "bf16", ...request },
    speedConstants,
  );
  const bandwidth = replica.gpu.bandwidth * speedConstants.trafficBandwidthShare;
  return 1e-3 * timeStep(replica, prompt).traffic * bandwidth;
}

it("gathers and scatters a row for each expert that a token chose, undivided by tensor parallelism", () => {
  const at = (tensorParallel: number, expertParallel: number) =>
    countTraffic({ model: qwen235b, tensorParallel, expertParallel });
  // 94 layers, 8 experts a token, rows of 4,096 in 16 bits, each written and read twice.
  const rows = 94 * 4096 * 8 * 4096 * 2 * 4;
  expect(at(8, 1) - at(8, 8)).toBeCloseTo((rows * 7) / 8, 0);
  const hidden = 94 * 4096 * 2 * speedConstants.hiddenPasses * 4096;
  const activations = 94 * 4096 * 2 * 3 * ((1536 * 8) / 4);
  expect(at(4, 1)).toBeCloseTo(hidden + activations + rows, 0);
});

it("quantises the inputs of FP8 products in kernels of their own under TensorRT-LLM 1.0, of no other products", () => {
  const at = (release: string, precision: string) =>
    countTraffic({ model: llama70b, engine: `trtllm@${release}`, tensorParallel: 4, precision });
  const inputs = 8192 + 8192 + 8192 / 4 + 28_672 / 4;
  expect(at("1.0.0rc3", "fp8") - at("1.1.0", "fp8")).toBeCloseTo(80 * 4096 * 11 * inputs, 0);
  expect(at("1.0.0rc3", "bf16")).toBe(at("1.1.0", "bf16"));
});

it("sums up over NVLink as fast as all-reduce is measured alone", () => {
  const at = (gpu: string, tensorParallel: number) => {
    const { replica } = resolveReplica({ model: llama70b, gpu, engine: "vllm", tensorParallel }, speedConstants);
    return timeStep(replica, prompt).collectives / (2 * 80);
  };
  // ms for 67 MB (4,096 tokens of 8,192 in 16 bits): ai-dynamo/aiconfigurator, custom_allreduce_perf of vLLM 0.19.
  expect(Math.abs(at("H100-80GB", 2) / 0.247 - 1)).toBeLessThan(0.1);
  expect(Math.abs(at("H100-80GB", 4) / 0.325 - 1)).toBeLessThan(0.1);
  expect(Math.abs(at("H100-80GB", 8) / 0.321 - 1)).toBeLessThan(0.1);
  expect(Math.abs(at("B200", 8) / 0.222 - 1)).toBeLessThan(0.1);
});
