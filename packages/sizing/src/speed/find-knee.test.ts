import { expect, it } from "vitest";
import { estimateLatency } from "./estimate-latency.ts";
import { llama70b, llama8b } from "./example-models.ts";
import { findKnee } from "./find-knee.ts";
import { replicaCapacity } from "./replica-capacity.ts";

const replica = { model: llama70b, gpu: "H200", engine: "trtllm", precision: "fp8", tensorParallel: 1 };

/**
 * Runs of ai-dynamo/aiconfigurator (silicon_sample.csv, Apache-2.0) whose time to the first token jumps to tens of
 * seconds between the first batch and the second.
 */
it.each([
  [{ ...replica }, { isl: 1024, osl: 8192 }, [32, 64]],
  [{ ...replica }, { isl: 8192, osl: 1024 }, [32, 64]],
  [{ ...replica, engine: "vllm" }, { isl: 8192, osl: 1024 }, [32, 64]],
  [{ ...replica, gpu: "B200" }, { isl: 8192, osl: 1024 }, [64, 128]],
  [{ ...replica, gpu: "B200", precision: "fp4" }, { isl: 1024, osl: 8192 }, [64, 128]],
])("puts the knee of %j at %j between the batches where it was measured: %j", (setup, length, [below, above]) => {
  const { batch, limit } = findKnee({ ...setup, ...length });
  expect(batch).toBeGreaterThanOrEqual(below!);
  expect(batch).toBeLessThan(above!);
  expect(limit).toBe("kv-cache");
});

it("is the last batch that is not saturated, and nothing beyond it is efficient", () => {
  const request = { ...replica, isl: 4000, osl: 500 };
  const knee = findKnee(request);
  expect(knee.latency).toMatchObject({ ...estimateLatency({ ...request, batch: knee.batch }), saturated: false });
  expect(estimateLatency({ ...request, batch: knee.batch + 1 }).saturated).toBe(true);
  expect(knee.efficientBatch).toBeLessThanOrEqual(knee.batch);
});

it("calls the engine's own limit by its name", () => {
  expect(findKnee({ model: llama8b, gpu: "B200", engine: "vllm", isl: 16, osl: 16 })).toMatchObject({
    batch: 1024,
    limit: "engine-limit",
  });
});

it("tells planners and autoscalers what one replica can do, in line with its latencies", () => {
  const length = { isl: 2000, osl: 400 };
  const capacity = replicaCapacity(replica, length);
  const knee = findKnee({ ...replica, ...length });
  expect(capacity).toMatchObject({ maxBatch: knee.batch, saturationBatch: knee.efficientBatch, stepTokens: 8192 });
  expect(capacity.cacheTokens).toBeGreaterThan(capacity.maxBatch * 2000);
  const alone = estimateLatency({ ...replica, ...length, batch: 1 });
  expect(capacity.decodeStepMs(1)).toBeCloseTo(alone.breakdown.decode.total, 9);
  expect(capacity.decodeStepMs(64)).toBeGreaterThan(capacity.decodeStepMs(1));
  // Prompts that share steps are computed at least as fast as one beside a sequence that decodes.
  expect(capacity.prefillTokensPerSecond).toBeGreaterThan(
    (0.9 * (1e3 * 2000)) / (alone.breakdown.prefillMs + alone.tpotMs),
  );
});
