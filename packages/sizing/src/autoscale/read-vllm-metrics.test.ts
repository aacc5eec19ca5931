import { expect, it } from "vitest";
import { metricsBetween, readVllmMetrics } from "./read-vllm-metrics.ts";

const limits = { ttftMs: 2000, tpotMs: 200 };

/** Lines of a vLLM 0.32 server (CPU build, 50 requests served), shortened: of each histogram the buckets that say something. */
const release32 = `
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="SmolLM2-135M-Instruct"} 3.0
vllm:num_requests_waiting{engine="0",model_name="SmolLM2-135M-Instruct"} 2.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="SmolLM2-135M-Instruct",reason="capacity"} 2.0
vllm:engine_sleep_state{engine="0",model_name="SmolLM2-135M-Instruct",sleep_state="awake"} 1.0
vllm:engine_sleep_state{engine="0",model_name="SmolLM2-135M-Instruct",sleep_state="weights_offloaded"} 0.0
vllm:kv_cache_usage_perc{engine="0",model_name="SmolLM2-135M-Instruct"} 0.25
vllm:prefix_cache_hits_total{engine="0",model_name="SmolLM2-135M-Instruct"} 6144.0
vllm:prompt_tokens_total{engine="0",model_name="SmolLM2-135M-Instruct"} 8586.0
vllm:prompt_tokens_created{engine="0",model_name="SmolLM2-135M-Instruct"} 1.7958653020154045e+09
vllm:prompt_tokens_cached_total{engine="0",model_name="SmolLM2-135M-Instruct"} 6144.0
vllm:generation_tokens_total{engine="0",model_name="SmolLM2-135M-Instruct"} 622.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.25",model_name="SmolLM2-135M-Instruct"} 5.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.5",model_name="SmolLM2-135M-Instruct"} 25.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="1.0",model_name="SmolLM2-135M-Instruct"} 40.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="2.5",model_name="SmolLM2-135M-Instruct"} 46.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",model_name="SmolLM2-135M-Instruct"} 50.0
vllm:request_time_per_output_token_seconds_bucket{engine="0",le="0.075",model_name="SmolLM2-135M-Instruct"} 11.0
vllm:request_time_per_output_token_seconds_bucket{engine="0",le="0.1",model_name="SmolLM2-135M-Instruct"} 48.0
vllm:request_time_per_output_token_seconds_bucket{engine="0",le="+Inf",model_name="SmolLM2-135M-Instruct"} 50.0
`;

/** The names of vLLM 0.9 (vllm/v1/metrics/loggers.py of that release), two engines of one server. */
const release9 = `
vllm:num_requests_running{engine="0",model_name="m"} 4.0
vllm:num_requests_running{engine="1",model_name="m"} 6.0
vllm:num_requests_waiting{engine="0",model_name="m"} 0.0
vllm:num_requests_waiting{engine="1",model_name="m"} 1.0
vllm:gpu_cache_usage_perc{engine="0",model_name="m"} 0.5
vllm:gpu_cache_usage_perc{engine="1",model_name="m"} 0.75
vllm:gpu_prefix_cache_hits_total{engine="0",model_name="m"} 100.0
vllm:prompt_tokens_total{engine="0",model_name="m"} 1000.0
vllm:prompt_tokens_total{engine="1",model_name="m"} 2000.0
vllm:generation_tokens_total{engine="0",model_name="m"} 10.0
vllm:generation_tokens_total{engine="1",model_name="m"} 30.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="1.0",model_name="a \\"quoted\\" {name}"} 1.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",model_name="a \\"quoted\\" {name}"} 1.0
vllm:time_per_output_token_seconds_bucket{engine="0",le="0.1",model_name="m"} 7.0
vllm:time_per_output_token_seconds_bucket{engine="0",le="+Inf",model_name="m"} 7.0
`;

it("reads a release of today", () => {
  expect(readVllmMetrics(release32)).toEqual({
    running: 3,
    waiting: 2,
    kvUsage: 0.25,
    promptTokens: 8586,
    cachedPromptTokens: 6144,
    outputTokens: 622,
    ttft: { bounds: [0.25, 0.5, 1, 2.5, Infinity], counts: [5, 20, 15, 6, 4] },
    tpot: { bounds: [0.075, 0.1, Infinity], counts: [11, 37, 2] },
    awake: true,
  });
});

it("reads the older names, and adds up the engines of one server", () => {
  expect(readVllmMetrics(release9)).toMatchObject({
    running: 10,
    waiting: 1,
    kvUsage: 0.75,
    promptTokens: 3000,
    cachedPromptTokens: 100,
    outputTokens: 40,
    ttft: { counts: [1, 0] },
    tpot: { counts: [7, 0] },
  });
});

it("tells what happened between two scrapes, with latencies of that time alone", () => {
  const before = readVllmMetrics(release32);
  const later = release32
    .replace(/8586\.0/, "11586.0")
    .replace(/622\.0/, "1222.0")
    .replace(/(le="2.5"[^}]*\}) 46\.0/, "$1 56.0")
    .replace(/(time_to_first_token_seconds_bucket[^}]*le="\+Inf"[^}]*\}) 50\.0/, "$1 60.0");
  const metrics = metricsBetween(before, readVllmMetrics(later), 15, limits)!;
  expect(metrics).toMatchObject({ promptTokensPerSecond: 200, outputTokensPerSecond: 40, firstTokens: 10 });
  // All ten lie between 1 and 2.5 s; a third of that is beyond two.
  expect(metrics.lateFirstTokens).toBeCloseTo(10 / 3);
  expect(metrics.ttftP99Ms).toBeCloseTo(1000 + 1500 * 0.99);
  expect(metrics.tpotP99Ms).toBeNull();
});

it("counts from zero after a restart, and knows nothing while the engine sleeps", () => {
  const before = readVllmMetrics(release32);
  const restarted = readVllmMetrics(release32.replace(/8586\.0/, "150.0").replaceAll("6144.0", "0.0"));
  expect(metricsBetween(before, restarted, 15, limits)).toMatchObject({ promptTokensPerSecond: 10, firstTokens: 50 });
  const asleep = readVllmMetrics(release32.replace(/(sleep_state="awake"\}) 1\.0/, "$1 0.0"));
  expect(metricsBetween(before, asleep, 15, limits)).toBeNull();
  expect(metricsBetween(before, before, 0, limits)).toBeNull();
});

it("names the metric that is missing or is no number", () => {
  expect(() => readVllmMetrics("<html>503</html>")).toThrow(/no metric vllm:num_requests_running/);
  expect(() => readVllmMetrics(release32.replaceAll("kv_cache_usage_perc", "other"))).toThrow(
    /vllm:kv_cache_usage_perc or vllm:gpu_cache_usage_perc/,
  );
  expect(() => readVllmMetrics(release32.replace(/(num_requests_running\S*) 3\.0/, "$1 NaN"))).toThrow(
    /vllm:num_requests_running is NaN/,
  );
});
