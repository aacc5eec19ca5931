import { SizingError } from "../sizing-error.ts";
import { countAbove, countOf, quantileOf, type Histogram } from "./histogram.ts";
import type { ReplicaMetrics } from "./observation.ts";
import type { LatencyLimits } from "./replica-profile.ts";

/** What one scrape of vLLM's /metrics says, summed over the engines of the server. Counters count from its start. */
export type VllmSnapshot = {
  running: number;
  waiting: number;
  /** 0 to 1, of the fullest engine. */
  kvUsage: number;
  promptTokens: number;
  /** Of those, tokens that were found in a prefix cache and not computed. */
  cachedPromptTokens: number;
  outputTokens: number;
  ttft: Histogram;
  /** Null where the release has no histogram of it, or no request with a second token was served yet. */
  tpot: Histogram | null;
  /** False while the engine sleeps (`/sleep`). */
  awake: boolean;
};

/**
 * Names by release, the newest first. vLLM 0.9 to 0.12 have `gpu_cache_usage_perc` beside or before
 * `kv_cache_usage_perc`, `time_per_output_token_seconds` before `request_time_per_output_token_seconds` and
 * `inter_token_latency_seconds`, and `gpu_prefix_cache_hits`; `prompt_tokens_cached` is younger than all of them
 * (vllm/v1/metrics/loggers.py of 0.9.1, 0.11 and 0.32).
 */
const names = {
  running: ["vllm:num_requests_running"],
  waiting: ["vllm:num_requests_waiting"],
  kvUsage: ["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"],
  promptTokens: ["vllm:prompt_tokens_total"],
  cachedPromptTokens: [
    "vllm:prompt_tokens_cached_total",
    "vllm:prefix_cache_hits_total",
    "vllm:gpu_prefix_cache_hits_total",
  ],
  outputTokens: ["vllm:generation_tokens_total"],
  ttft: ["vllm:time_to_first_token_seconds_bucket"],
  tpot: [
    "vllm:request_time_per_output_token_seconds_bucket",
    "vllm:inter_token_latency_seconds_bucket",
    "vllm:time_per_output_token_seconds_bucket",
  ],
  sleep: ["vllm:engine_sleep_state"],
} as const;

type Sample = { labels: Record<string, string>; value: number };

/**
 * Reads the Prometheus text of vLLM's /metrics, releases 0.9 to 0.32.
 * @throws SizingError INVALID_REQUEST that names the metric which is missing or not a number
 */
export function readVllmMetrics(text: string): VllmSnapshot {
  const samples = readPrometheusText(text);
  const find = (wanted: readonly string[]): readonly Sample[] =>
    samples.get(wanted.find((name) => samples.has(name)) ?? "") ?? [];
  const need = (wanted: readonly string[]): number[] => {
    const found = find(wanted);
    const bad = found.find(({ value }) => !Number.isFinite(value) || value < 0);
    if (found.length === 0 || bad) {
      throw new SizingError(
        "INVALID_REQUEST",
        bad
          ? `The metric ${wanted[0]} is ${bad.value}; wanted is a number from 0 on.`
          : `The text has no metric ${wanted.join(" or ")}, which vLLM's /metrics has.`,
        { metric: wanted[0] },
      );
    }
    return found.map(({ value }) => value);
  };
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const awake = find(names.sleep).filter(({ labels }) => labels["sleep_state"] === "awake");
  return {
    running: sum(need(names.running)),
    waiting: sum(need(names.waiting)),
    kvUsage: Math.max(...need(names.kvUsage)),
    promptTokens: sum(need(names.promptTokens)),
    cachedPromptTokens: sum(find(names.cachedPromptTokens).map(({ value }) => value)),
    outputTokens: sum(need(names.outputTokens)),
    ttft: readHistogram(find(names.ttft)) ?? { bounds: [Infinity], counts: [0] },
    tpot: readHistogram(find(names.tpot)),
    awake: awake.every(({ value }) => value !== 0),
  };
}

/**
 * What the server did between two scrapes `seconds` apart. A counter that fell was set to zero by a restart in between.
 * Null while it sleeps, and for a span of time that no metrics can belong to.
 */
export function metricsBetween(
  before: VllmSnapshot,
  after: VllmSnapshot,
  seconds: number,
  limits: LatencyLimits,
): ReplicaMetrics | null {
  if (!(seconds > 0) || !Number.isFinite(seconds) || !after.awake) return null;
  const restarted = after.promptTokens < before.promptTokens || after.outputTokens < before.outputTokens;
  const grown = (read: (snapshot: VllmSnapshot) => number) =>
    Math.max(0, restarted ? read(after) : read(after) - read(before));
  const ttft = subtract(after.ttft, restarted ? null : before.ttft);
  const tpot = after.tpot && subtract(after.tpot, restarted ? null : before.tpot);
  const milliseconds = (value: number | null) => (value === null ? null : value * 1000);
  return {
    running: after.running,
    waiting: after.waiting,
    kvUsage: Math.min(1, after.kvUsage),
    promptTokensPerSecond: grown((snapshot) => snapshot.promptTokens - snapshot.cachedPromptTokens) / seconds,
    outputTokensPerSecond: grown((snapshot) => snapshot.outputTokens) / seconds,
    firstTokens: countOf(ttft),
    lateFirstTokens: countAbove(ttft, limits.ttftMs / 1000),
    ttftP99Ms: milliseconds(quantileOf(ttft, 0.99)),
    tpotP99Ms: tpot && milliseconds(quantileOf(tpot, 0.99)),
  };
}

function subtract(after: Histogram, before: Histogram | null): Histogram {
  if (before === null || before.bounds.length !== after.bounds.length) return after;
  return { bounds: after.bounds, counts: after.counts.map((count, i) => Math.max(0, count - before.counts[i]!)) };
}

/** From cumulative `le` buckets, summed over engines and models, to counts by bucket. */
function readHistogram(buckets: readonly Sample[]): Histogram | null {
  const cumulative = new Map<number, number>();
  for (const { labels, value } of buckets) {
    const bound = labels["le"] === "+Inf" ? Infinity : Number(labels["le"]);
    if (Number.isNaN(bound) || !Number.isFinite(value)) continue;
    cumulative.set(bound, (cumulative.get(bound) ?? 0) + value);
  }
  if (cumulative.size === 0) return null;
  const bounds = [...cumulative.keys()].toSorted((left, right) => left - right);
  const counts = bounds.map((bound, i) =>
    Math.max(0, cumulative.get(bound)! - (i === 0 ? 0 : cumulative.get(bounds[i - 1]!)!)),
  );
  return { bounds, counts };
}

/** Samples by name; comments, exemplars and what is no sample are passed over, as a scraper does. */
function readPrometheusText(text: string): Map<string, Sample[]> {
  const samples = new Map<string, Sample[]>();
  for (const line of text.split("\n")) {
    const [, name, labelText = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const labels: Record<string, string> = {};
    for (const [, label, labelValue] of labelText.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
      labels[label!] = labelValue!;
    }
    const sample = { labels, value: value === "+Inf" ? Infinity : value === "-Inf" ? -Infinity : Number(value) };
    const known = samples.get(name);
    if (known) known.push(sample);
    else samples.set(name, [sample]);
  }
  return samples;
}
