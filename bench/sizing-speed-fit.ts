/**
 * Fits the constants of `packages/sizing/src/speed/speed-constants.ts`: least squares of logarithms with Huber's loss,
 * each constant held near what is known of it from elsewhere (kernel tables, sources named there) by a prior.
 */
import { findEngineProfile } from "@anneal/sizing/speed/engine-profile";
import type { SpeedConstants } from "@anneal/sizing/speed/speed-constants";
import { predict, type Run } from "./sizing-speed-data.ts";

/** A constant by its path, what it is before any run is seen, and how far (as a logarithm) it may well be from that. */
type Prior = { path: string; value: number; sigma: number };

const prior = (path: string, value: number, sigma: number): Prior => ({ path, value, sigma });

const engines = ["vllm", "trtllm", "sglang"].flatMap((engine) => [
  prior(`engines.${engine}.layerUs`, 40, 0.25),
  prior(`engines.${engine}.expertLayerUs`, 35, 0.3),
  prior(`engines.${engine}.stepUs`, 400, 0.5),
  prior(`engines.${engine}.sequenceUs`, 6, 0.6),
  prior(`engines.${engine}.promptLayerUs`, 60, 0.6),
  prior(`engines.${engine}.firstTokenExpertLayerUs`, 300, 0.5),
]);

/** Lengths that vary keep requests apart; runs of equal lengths travel in waves. */
const release = (path: string, waveDepth: number, burstShare = 0.053) => [
  prior(`${path}.waveDepth`, waveDepth, 0.3),
  prior(`${path}.burstShare`, burstShare, 0.15),
];

/**
 * Shares of FP8 and FP4 are of the product alone: of the tables' times a part goes with the product's input, not with
 * its output, and is quantising. What is measured alone or counted (links, `expertPasses`, `quantizeBytes`) has no prior.
 */
const priors: readonly Prior[] = [
  prior("weightBandwidthShare.wide", 0.84, 0.05),
  prior("weightBandwidthShare.fourBit", 0.6, 0.08),
  prior("computeShare.bf16", 0.76, 0.06),
  prior("computeShare.fp8", 0.68, 0.12),
  prior("computeShare.fp4", 0.5, 0.12),
  prior("computeShare.weightOnly", 0.35, 0.3),
  prior("expertBandwidthShare.weightOnly", 0.7, 0.2),
  prior("expertComputeShare", 0.5, 0.2),
  prior("weightOnlyExpertUs", 10, 0.7),
  prior("routingVariety", 0.95, 0.05),
  prior("imbalance", 1, 0.3),
  prior("cacheBandwidthShare", 0.83, 0.06),
  prior("attentionComputeShare", 0.55, 0.1),
  prior("hiddenPasses", 6, 0.2),
  prior("allReduceUs", 5, 0.15),
  prior("firstTokenMs", 10, 0.4),
  prior("firstTokenLayerUs", 250, 0.3),
  ...engines,
  ...release("engines.vllm.releases.1", 1.3),
  ...release("engines.vllm.releases.2", 0.2),
  prior("engines.vllm.releases.1.expertFactor", 2, 0.5),
  prior("engines.vllm.releases.2.expertFactor", 0.7, 0.4),
  ...release("engines.trtllm.releases.0", 1.3),
  ...release("engines.trtllm.releases.1", 0.2),
  ...release("engines.trtllm.releases.2", 0.2),
  prior("engines.trtllm.releases.2.expertFactor", 0.7, 0.4),
  ...release("engines.sglang.releases.0", 4, 0.4),
  ...release("engines.sglang.releases.1", 4),
];

/** Weights: clusters of the same engine, model and GPU count alike from this many runs on. */
const clusterSize = 60;
const priorWeight = 2;
const tolerance = { tpot: 0.1, ttft: 0.2 };

/** @param start where to begin; the priors where it is not given */
export function fitConstants(runs: readonly Run[], base: SpeedConstants, iterations: number): SpeedConstants {
  const sizes = new Map<string, number>();
  for (const run of runs) sizes.set(nameCluster(run), (sizes.get(nameCluster(run)) ?? 0) + 1);
  const weights = runs.map((run) => Math.sqrt(Math.min(1, clusterSize / (sizes.get(nameCluster(run)) ?? 1))));
  const residualsOf = (run: Run, weight: number, constants: SpeedConstants): [number, number] => {
    const state = predict(run, constants);
    const tpot = huber(Math.log(state.tpotMs / run.tpotMs), tolerance.tpot) / tolerance.tpot;
    const ttft = huber(Math.log(state.ttftMs / run.ttftMs), tolerance.ttft) / tolerance.ttft;
    return [weight * tpot, isOdd(run) ? 0 : weight * ttft];
  };
  const evaluate = (logs: readonly number[], only?: (run: Run) => boolean, before?: readonly number[]) => {
    const constants = buildConstants(base, logs);
    const data = runs.flatMap((run, index) =>
      before && only && !only(run)
        ? [before[2 * index] ?? 0, before[2 * index + 1] ?? 0]
        : residualsOf(run, weights[index] ?? 1, constants),
    );
    return [
      ...data,
      ...priors.map(({ value, sigma }, index) => (priorWeight * ((logs[index] ?? 0) - Math.log(value))) / sigma),
    ];
  };
  const concerns = priors.map(({ path }) => {
    const [, family = "", , index = ""] = /^engines\.(\w+)(\.releases\.(\d))?/.exec(path) ?? [];
    return (run: Run) =>
      (family === "" || run.family === family) &&
      (index === "" || base.engines[run.family as "vllm"].releases[Number(index)]?.from === releaseOf(run, base));
  });
  return buildConstants(
    base,
    descend(
      priors.map(({ value }) => Math.log(value)),
      evaluate,
      concerns,
      iterations,
    ),
  );
}

function releaseOf(run: Run, base: SpeedConstants): string {
  return findEngineProfile(run.engine, base).from;
}

function nameCluster(run: Run): string {
  return [run.engine, run.model, run.gpu, run.precision].join(" ");
}

/**
 * Times to the first token that no request describes: answers that were streamed 20 tokens at a time (TensorRT-LLM,
 * Llama 70B, 1024/1024: exactly 19 steps more), and one more client than places (Llama 8B: one life / batch more).
 */
export function isOdd(run: Run): boolean {
  const isStreamed =
    run.engine === "trtllm" && run.model.endsWith("70B") && run.inputTokens === 1024 && run.outputTokens === 1024;
  return (
    (isStreamed && run.tensorParallel < 8) ||
    (run.engine === "trtllm@1.0.0rc3" && run.precision === "" && run.batch !== 32 && run.batch !== 64)
  );
}

function huber(error: number, limit: number): number {
  const size = Math.abs(error);
  return size < limit ? error : Math.sign(error) * Math.sqrt(2 * limit * size - limit * limit);
}

function buildConstants(base: SpeedConstants, logs: readonly number[]): SpeedConstants {
  const built: unknown = structuredClone(base);
  priors.forEach(({ path }, index) => {
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    const owner = keys.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], built);
    (owner as Record<string, number>)[last] = Math.exp(logs[index] ?? 0);
  });
  return built as SpeedConstants;
}

type Evaluate = (logs: readonly number[], only?: (run: Run) => boolean, before?: readonly number[]) => number[];

/** Levenberg-Marquardt with forward differences; a constant that only some runs know is tried on those only. */
function descend(
  start: readonly number[],
  evaluate: Evaluate,
  concerns: readonly ((run: Run) => boolean)[],
  iterations: number,
): number[] {
  const step = 1e-3;
  let logs = [...start];
  let residuals = evaluate(logs);
  let cost = sumSquares(residuals);
  let damping = 1e-2;
  for (let iteration = 0; iteration < iterations; iteration++) {
    const slopes = logs.map((_, column) => {
      const moved = logs.map((value, index) => (index === column ? value + step : value));
      return evaluate(moved, concerns[column], residuals).map((value, row) => (value - (residuals[row] ?? 0)) / step);
    });
    const normal = slopes.map((left) => slopes.map((right) => dot(left, right)));
    const gradient = slopes.map((slope) => dot(slope, residuals));
    let improved = false;
    for (let attempt = 0; attempt < 6 && !improved; attempt++) {
      const damped = normal.map((row, i) => row.map((value, j) => (i === j ? value * (1 + damping) + 1e-9 : value)));
      const change = solve(
        damped,
        gradient.map((value) => -value),
      );
      const next = logs.map((value, index) => value + Math.max(-0.5, Math.min(0.5, change[index] ?? 0)));
      const nextResiduals = evaluate(next);
      const nextCost = sumSquares(nextResiduals);
      if (nextCost < cost) {
        improved = true;
        const gain = (cost - nextCost) / cost;
        [logs, residuals, cost, damping] = [next, nextResiduals, nextCost, damping / 4];
        if (gain < 1e-4) return logs;
      } else damping *= 4;
    }
    if (!improved) return logs;
  }
  return logs;
}

const sumSquares = (values: readonly number[]) => dot(values, values);

function dot(left: readonly number[], right: readonly number[]): number {
  let sum = 0;
  for (let index = 0; index < left.length; index++) sum += (left[index] ?? 0) * (right[index] ?? 0);
  return sum;
}

/** Gauss with pivots. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, index) => [...row, right[index] ?? 0]);
  const size = rows.length;
  const at = (row: number, column: number) => rows[row]?.[column] ?? 0;
  for (let pivot = 0; pivot < size; pivot++) {
    let best = pivot;
    for (let row = pivot + 1; row < size; row++) if (Math.abs(at(row, pivot)) > Math.abs(at(best, pivot))) best = row;
    [rows[pivot], rows[best]] = [rows[best] ?? [], rows[pivot] ?? []];
    for (let row = pivot + 1; row < size; row++) {
      const factor = at(row, pivot) / at(pivot, pivot);
      rows[row] = (rows[row] ?? []).map((value, column) => value - factor * at(pivot, column));
    }
  }
  const result: number[] = [];
  for (let row = size - 1; row >= 0; row--) {
    let sum = at(row, size);
    for (let column = row + 1; column < size; column++) sum -= at(row, column) * (result[column] ?? 0);
    result[row] = sum / at(row, row);
  }
  return result;
}
