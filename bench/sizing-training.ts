/**
 * The training-memory estimate against published measurements: `node sizing-training.ts` prints one JSON object with the
 * mean absolute error over all rows of ../shared/sizing/training-memory.json (in-sample: two constants are fitted on ten
 * of them), the errors when those constants come from one model and the other is predicted, and every residual. Without
 * ../shared there is nothing to compare with: `{ "skipped": ... }`.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type SlackCalibration, slackCalibration } from "@anneal/sizing/training/allocator-slack";
import { estimateTraining } from "@anneal/sizing/training/estimate-training";
import type { TrainingRequest } from "@anneal/sizing/training/training-request";

type Row = Omit<TrainingRequest, "model"> & { model: string; peakGibPerGpu: number };

const path = join(import.meta.dirname, "../../shared/sizing/training-memory.json");

/** Qwen 1's config.json, as far as it is sized (QwenLM, Qwen-1_8B-Chat and Qwen-7B-Chat). */
const qwen = {
  model_type: "qwen",
  vocab_size: 151_936,
  kv_channels: 128,
  no_bias: true,
  max_position_embeddings: 32_768,
};
const configs: Record<string, object> = {
  "qwen-1_8b-chat": {
    ...qwen,
    hidden_size: 2048,
    num_hidden_layers: 24,
    num_attention_heads: 16,
    intermediate_size: 11_008,
  },
  "qwen-7b-chat": {
    ...qwen,
    hidden_size: 4096,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    intermediate_size: 22_016,
  },
};

console.log(
  JSON.stringify(existsSync(path) ? measure() : { skipped: "../shared/sizing/training-memory.json is absent" }),
);

function measure() {
  const { rows }: { rows: Row[] } = JSON.parse(readFileSync(path, "utf8"));
  const models = [...new Set(rows.map((row) => row.model))];
  return {
    rows: rows.length,
    inSample: meanPercent(rows, slackCalibration),
    crossModel: Object.fromEntries(
      models.map((model) => {
        const fitted = fit(rows.filter((row) => row.model !== model));
        const unseen = rows.filter((row) => row.model === model);
        return [model, { error: meanPercent(unseen, fitted), fittedOnTheOther: fitted }];
      }),
    ),
    refusedAlthoughTheyRan: rows.filter((row) => !estimate(row, slackCalibration).fits).length,
    residuals: rows.map((row) => ({
      run: `${row.model} ${row.method} ${row.quantization ?? ""} ${row.maxLength}x${row.batch}`.replace(/ +/g, " "),
      checkpointing: row.gradientCheckpointing,
      flashAttention: row.flashAttention,
      measured: row.peakGibPerGpu,
      estimated: round(estimate(row, slackCalibration).peakGibPerGpu),
      percent: round(100 * errorOf(row, slackCalibration)),
    })),
  };
}

function estimate(row: Row, calibration: SlackCalibration) {
  return estimateTraining({ ...row, model: configs[row.model], gpu: "A100-80GB" }, calibration);
}

function errorOf(row: Row, calibration: SlackCalibration): number {
  return estimate(row, calibration).peakGibPerGpu / row.peakGibPerGpu - 1;
}

function meanPercent(rows: readonly Row[], calibration: SlackCalibration): number {
  return round((100 * rows.reduce((sum, row) => sum + Math.abs(errorOf(row, calibration)), 0)) / rows.length);
}

/** Least squares of the relative errors on a grid, over the LoRA runs of one example a batch with all else at its default. */
function fit(rows: readonly Row[]): SlackCalibration {
  const used = rows.filter(
    (row) =>
      row.method === "lora" &&
      row.batch === 1 &&
      row.gradientCheckpointing &&
      row.flashAttention &&
      row.loraRank === 8 &&
      row.loraTargets === "c_attn",
  );
  const grid = range(1, 6, 0.1).flatMap((atZeroLength) =>
    range(1000, 12_000, 250).map((halvedAtLength) => ({ atZeroLength, halvedAtLength })),
  );
  const loss = (calibration: SlackCalibration) => used.reduce((sum, row) => sum + errorOf(row, calibration) ** 2, 0);
  const scored = grid.map((calibration) => ({ calibration, loss: loss(calibration) }));
  return scored.reduce((best, each) => (each.loss < best.loss ? each : best)).calibration;
}

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.round((to - from) / step) + 1 }, (_, index) => round(from + index * step));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
