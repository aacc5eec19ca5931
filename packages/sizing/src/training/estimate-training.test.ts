import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SizingError } from "../sizing-error.ts";
import { estimateTraining } from "./estimate-training.ts";
import type { TrainingRequest } from "./training-request.ts";

const qwen = {
  model_type: "qwen",
  vocab_size: 151_936,
  kv_channels: 128,
  no_bias: true,
  max_position_embeddings: 32_768,
  torch_dtype: "bfloat16",
};
const qwen18b = {
  ...qwen,
  hidden_size: 2048,
  num_hidden_layers: 24,
  num_attention_heads: 16,
  intermediate_size: 11_008,
};
const qwen7b = {
  ...qwen,
  hidden_size: 4096,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  intermediate_size: 22_016,
};
const qwenConfigs: Record<string, object> = { "qwen-1_8b-chat": qwen18b, "qwen-7b-chat": qwen7b };
const llama8b = {
  model_type: "llama",
  hidden_size: 4096,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  intermediate_size: 14_336,
  vocab_size: 128_256,
  max_position_embeddings: 131_072,
  tie_word_embeddings: false,
};
const mixtral = {
  model_type: "mixtral",
  hidden_size: 4096,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  intermediate_size: 14_336,
  num_local_experts: 8,
  num_experts_per_tok: 2,
  vocab_size: 32_000,
  max_position_embeddings: 32_768,
};
const base: TrainingRequest = {
  model: llama8b,
  gpu: "A100-80GB",
  method: "lora",
  maxLength: 2048,
  batch: 1,
  loraRank: 8,
  loraTargets: "all-linear",
};
const peakOf = (changes: Partial<TrainingRequest>) => estimateTraining({ ...base, ...changes }).peakGibPerGpu;
/** Out of the reach of any GPU, so that the capacity hides no difference. */
const endless = {
  id: "endless",
  vendor: "nvidia" as const,
  memoryGib: 4096,
  bandwidth: 3e12,
  flops: { bf16: 1e15 },
  link: { kind: "nvlink" as const, bandwidth: 4.5e11, domain: 8 },
  powerW: 700,
  gpusPerNode: 8,
  pricePerHour: 1,
  architecture: "hopper" as const,
};

const shared = join(import.meta.dirname, "../../../../../shared/sizing/training-memory.json");
type Row = TrainingRequest & { model: string; peakGibPerGpu: number };

describe("estimateTraining against measurements", () => {
  it.skipIf(!existsSync(shared))(
    "is within 10% in the mean of ms-swift's published peaks, without ../shared skipped",
    () => {
      const { rows }: { rows: Row[] } = JSON.parse(readFileSync(shared, "utf8"));
      const errors = rows.map((row) => {
        const estimate = estimateTraining({ ...row, model: qwenConfigs[row.model], gpu: "A100-80GB" });
        return { row, error: Math.abs(estimate.peakGibPerGpu / row.peakGibPerGpu - 1), fits: estimate.fits };
      });
      const mean = errors.reduce((sum, each) => sum + each.error, 0) / errors.length;
      expect(mean).toBeLessThan(0.05);
      // 35.11 GiB at 2,048 tokens stands between 18.62 at half and 31.62 at twice the length: the one exception.
      const far = errors.filter((each) => each.error > 0.11).map((each) => each.row.peakGibPerGpu);
      expect(far).toEqual([35.11]);
      // All of these runs went through.
      expect(errors.filter((each) => !each.fits)).toEqual([]);
    },
  );

  // ms-swift docs/source_en/LLM/Benchmark.md (Apache-2.0): A100 80 GB, torch 2.1, reserved by the allocator.
  it.each([
    { model: qwen7b, method: "lora", maxLength: 2048, loraTargets: "c_attn", measured: 27.74 },
    { model: qwen7b, method: "lora", maxLength: 8192, loraTargets: "c_attn", measured: 48.41 },
    { model: qwen18b, method: "lora", maxLength: 1024, loraTargets: "c_attn", measured: 10.71 },
    { model: qwen7b, method: "full", maxLength: 1024, loraTargets: null, measured: 73.64 },
    { model: qwen7b, method: "qlora", maxLength: 2048, loraTargets: "c_attn", measured: 23.85 },
  ] as const)("is within 10% of $measured GiB ($method, $maxLength tokens)", ({ measured, ...row }) => {
    expect(Math.abs(peakOf(row) / measured - 1)).toBeLessThan(0.1);
  });

  // LitGPT tutorials/resource-tables.md (Apache-2.0): Alpaca, whose longest example of 1,304 tokens comes first, no
  // checkpointing, A100 40 GB; GB of 10^9 bytes. Nothing is fitted on these.
  it.each([
    { hidden: 4096, layers: 32, heads: 32, intermediate: 11_008, batch: 1, measured: 21.3 },
    { hidden: 4096, layers: 32, heads: 32, intermediate: 11_008, batch: 2, measured: 29.07 },
    { hidden: 5120, layers: 40, heads: 40, intermediate: 13_824, batch: 1, measured: 38.12 },
  ])("is within 7% of $measured GB for Llama 2 in LitGPT, batch $batch", (row) => {
    const model = {
      model_type: "llama",
      hidden_size: row.hidden,
      num_hidden_layers: row.layers,
      num_attention_heads: row.heads,
      intermediate_size: row.intermediate,
      vocab_size: 32_000,
      max_position_embeddings: 4096,
    };
    const peak = peakOf({
      model,
      batch: row.batch,
      maxLength: 1304,
      packing: true,
      gradientCheckpointing: false,
      loraTargets: ["q_proj", "v_proj"],
    });
    expect(Math.abs((peak * 1024 ** 3) / (row.measured * 1e9) - 1)).toBeLessThan(0.07);
  });
});

describe("estimateTraining", () => {
  const configs = fc.constantFrom<object>(qwen18b, qwen7b, llama8b, mixtral);
  const requests = fc.record({
    model: configs,
    gpu: fc.constant(endless),
    method: fc.constantFrom("lora" as const, "qlora" as const, "dora" as const, "full" as const),
    maxLength: fc.integer({ min: 1, max: 32_768 }),
    batch: fc.integer({ min: 1, max: 64 }),
    gradientCheckpointing: fc.boolean(),
    flashAttention: fc.boolean(),
    loraRank: fc.integer({ min: 1, max: 256 }),
    gpus: fc.integer({ min: 2, max: 8 }),
    sharding: fc.constantFrom(
      null,
      "ddp" as const,
      "zero1" as const,
      "zero2" as const,
      "zero3" as const,
      "fsdp" as const,
    ),
    packing: fc.boolean(),
    optimizer: fc.constantFrom("adamw" as const, "adamw8bit" as const, "adafactor" as const, "sgd" as const),
  });
  /** The larger of two sums of floating-point numbers may be the smaller one by their last digits. */
  const atMost = (a: Partial<TrainingRequest>, b: Partial<TrainingRequest>) => {
    expect(peakOf(a)).toBeLessThanOrEqual(peakOf(b) * (1 + 1e-9));
  };

  it("never needs less for a larger batch, a longer example or a higher rank", () => {
    fc.assert(
      fc.property(requests, fc.integer({ min: 1, max: 64 }), (request, more) => {
        atMost(request, { ...request, batch: request.batch + more });
        atMost({ ...request, maxLength: Math.ceil(request.maxLength / 2) }, request);
        atMost(request, { ...request, loraRank: request.loraRank + more });
      }),
    );
  });

  it("never needs more with checkpointing, with a fused attention kernel, or packed", () => {
    fc.assert(
      fc.property(requests, (request) => {
        atMost({ ...request, gradientCheckpointing: true }, { ...request, gradientCheckpointing: false });
        atMost({ ...request, flashAttention: true }, { ...request, flashAttention: false });
        atMost({ ...request, packing: true }, { ...request, packing: false });
      }),
    );
  });

  it("shrinks from ddp to zero2 to zero3 and with every further GPU of a sharded run", () => {
    fc.assert(
      fc.property(requests, (request) => {
        atMost({ ...request, sharding: "zero3" }, { ...request, sharding: "zero2" });
        // DeepSpeed's float32 masters outweigh what it divides where the optimizer itself keeps next to nothing.
        const adamw = { ...request, optimizer: "adamw" as const };
        atMost({ ...adamw, sharding: "zero2" }, { ...adamw, sharding: "ddp" });
        atMost({ ...request, sharding: "zero3", gpus: request.gpus * 2 }, { ...request, sharding: "zero3" });
      }),
    );
  });

  it("needs no more for an adapter than for full fine-tuning", () => {
    fc.assert(
      fc.property(requests, (request) => {
        atMost({ ...request, method: "lora" }, { ...request, method: "full" });
      }),
    );
  });

  it("tells a breakdown that adds up to the peak", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const { breakdown, peakGibPerGpu } = estimateTraining(request);
        const parts = Object.values(breakdown);
        expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(peakGibPerGpu, 6);
        expect(Math.min(...parts)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it("never reserves more than the GPU has, and never calls a run fitting whose live memory exceeds it", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const { fits, requiredGib, peakGibPerGpu, reason } = estimateTraining({ ...request, gpu: "A100-80GB" });
        if (fits) {
          expect(peakGibPerGpu).toBeLessThanOrEqual(79.14);
          expect(reason).toBeUndefined();
        } else {
          expect(requiredGib).toBeGreaterThan(79.14);
          expect(reason).toContain("A100-80GB");
        }
      }),
    );
  });

  it("counts rank x (in + out) for each adapted matrix, as PEFT prints it", () => {
    const trainable = (changes: Partial<TrainingRequest>) =>
      estimateTraining({ ...base, ...changes }).trainableParameters;
    // PEFT's own count for Llama 3.1 8B, r = 16, all linear layers.
    expect(trainable({ loraRank: 16 })).toBe(41_943_040);
    // LitGPT's for Llama 2 7B, r = 8, queries and values.
    const llama2 = { ...llama8b, num_key_value_heads: 32, intermediate_size: 11_008, vocab_size: 32_000 };
    expect(trainable({ model: llama2, loraTargets: ["q_proj", "v_proj"] })).toBe(4_194_304);
    expect(trainable({ loraTargets: "q_proj, v_proj" })).toBe(trainable({ loraTargets: ["q_proj", "v_proj"] }));
    expect(trainable({ method: "dora" }) - trainable({})).toBe(32 * (4096 * 3 + 2 * 1024 + 2 * 14_336));
    expect(trainable({ method: "full" })).toBe(8_030_261_248);
  });

  it("holds 8 bytes a parameter for full fine-tuning in 16 bits, and 16 with masters in float32", () => {
    const states = (changes: Partial<TrainingRequest>) => {
      const { breakdown } = estimateTraining({ ...base, gpu: endless, method: "full", maxLength: 16_384, ...changes });
      return ((breakdown.weightsGib + breakdown.gradientsGib + breakdown.optimizerGib) * 1024 ** 3) / 8_030_261_248;
    };
    expect(states({})).toBeCloseTo(8, 6);
    expect(states({ optimizer: "adamw8bit" })).toBeCloseTo(6, 1);
    // Beside the masters, autocast's copies in 16 bits.
    expect(states({ masterWeights: true })).toBeCloseTo(18, 6);
    expect(states({ sharding: "zero3", gpus: 8 })).toBeCloseTo(2, 6);
  });

  it("divides the layers among GPUs that share no work", () => {
    const one = estimateTraining({ ...base, gpu: endless });
    const two = estimateTraining({ ...base, gpu: endless, gpus: 2 });
    expect(two.breakdown.weightsGib).toBeCloseTo(one.breakdown.weightsGib / 2, 9);
    expect(two.breakdown.logitsGib).toBe(one.breakdown.logitsGib);
  });

  it("says what would make a run fit", () => {
    const full = estimateTraining({ ...base, method: "full", gpu: "L40S" });
    expect(full).toMatchObject({ fits: false });
    expect(full.reason).toMatch(/needs about \d+\.\d GiB on each GPU; L40S has/);
    expect(full.reason).toMatch(/method "lora"/);
    expect(full.reason).toMatch(/would hold it/);
    const long = estimateTraining({
      ...base,
      method: "qlora",
      gpu: "L4",
      maxLength: 32_768,
      gradientCheckpointing: false,
    });
    expect(long.reason).toMatch(/gradientCheckpointing/);
  });
});

describe("estimateTraining given bad input", () => {
  it.each([
    [
      "a module that the model lacks",
      { loraTargets: ["q_proj", "query_key_value"] },
      /query_key_value; this model has .*q_proj/,
    ],
    ["a batch of 0", { batch: 0 }, /batch/],
    ["a broken length", { maxLength: 1.5 }, /maxLength/],
    ["an absurd length", { maxLength: 1e12 }, /maxLength/],
    ["a length beyond the model's", { maxLength: 200_000 }, /maxLength is 200000; it must be at most 131072/],
    ["an adapter without a rank", { loraRank: null }, /loraRank/],
    ["full fine-tuning of quantised weights", { method: "full", quantization: "nf4" }, /quantization is "nf4".*qlora/],
    ["no GPUs", { gpus: 0 }, /gpus/],
    ["more GPUs than layers to spread over them", { gpus: 64 }, /gpus is 64; .*this model has 32/],
    ["an unknown sharding", { sharding: "zero4" }, /sharding/],
    ["an unknown method", { method: "prefix" }, /method/],
    ["an unknown GPU", { gpu: "H9000" }, /H9000/],
    ["a model without a type", { model: {} }, /model_type/],
  ])("refuses %s in a sentence that names it", (_, changes, message) => {
    const attempt = () => estimateTraining({ ...base, ...changes } as TrainingRequest);
    expect(attempt).toThrow(SizingError);
    expect(attempt).toThrow(message);
  });

  it("refuses what is no request at all", () => {
    for (const request of [null, 7, "train", []]) {
      expect(() => estimateTraining(request as never)).toThrow(SizingError);
    }
  });
});
