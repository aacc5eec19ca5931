import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readModel } from "../models/read-model.ts";
import { estimateLatency } from "./estimate-latency.ts";

const folder = join(import.meta.dirname, "../../../../../shared/sizing");
const configs: Record<string, string> = {
  "meta-llama/Llama-3.1-70B": "meta-llama--Meta-Llama-3.1-70B",
  "meta-llama/Llama-3.1-8B-Instruct": "meta-llama--Meta-Llama-3.1-8B",
  "openai/gpt-oss-120b": "openai--gpt-oss-120b",
  "Qwen/Qwen3-32B": "Qwen--Qwen3-32B",
  "Qwen/Qwen3-235B-A22B-FP8": "Qwen--Qwen3-235B-A22B-FP8",
};

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** The constants are fitted on these runs; what they reach on models unseen is in the report of bench/sizing-speed.ts. */
describe.skipIf(!existsSync(folder))("measured runs (skipped without ../shared/sizing)", () => {
  it("is within 12% per token and 18% to the first token of half the runs below the knee, and reads every row", () => {
    const [header = "", ...lines] = readFileSync(join(folder, "latency.csv"), "utf8").trim().split(/\r?\n/);
    const names = header.split(",");
    const models = Object.fromEntries(
      Object.entries(configs).map(([name, file]) => {
        const config: unknown = JSON.parse(readFileSync(join(folder, "configs", `${file}.json`), "utf8"));
        return [name, readModel(config)];
      }),
    );
    const errors = lines.flatMap((line) => {
      const values = line.split(",");
      const field = (name: string) => values[names.indexOf(name)] ?? "";
      const [tensorParallel, expertParallel] = [Number(field("tp_size")), Math.max(1, Number(field("moe_ep_size")))];
      const model = models[field("model_path")];
      const isMoe = model?.groups.some(({ mlp }) => mlp.kind === "moe") ?? false;
      // Attention cut otherwise than experts is no tensor-parallel replica.
      if (tensorParallel > 8 || (isMoe && Number(field("moe_tp_size")) * expertParallel !== tensorParallel)) return [];
      const latency = estimateLatency({
        model,
        gpu: field("system"),
        engine: `${field("backend")}@${field("backend_version")}`,
        precision: field("precision"),
        tensorParallel,
        expertParallel: isMoe ? expertParallel : 1,
        batch: Number(field("batch_size")),
        isl: Number(field("isl")),
        osl: Number(field("osl")),
      });
      const [ttftMs, tpotMs] = [Number(field("silicon_ttft_ms")), Number(field("silicon_tpot_ms"))];
      const waits = ttftMs > 0.25 * Number(field("osl")) * tpotMs && ttftMs > 1500;
      return waits
        ? []
        : [{ ttft: Math.abs(latency.ttftMs / ttftMs - 1), tpot: Math.abs(latency.tpotMs / tpotMs - 1) }];
    });
    expect(errors.length).toBeGreaterThan(1400);
    expect(median(errors.map(({ tpot }) => tpot))).toBeLessThan(0.12);
    expect(median(errors.map(({ ttft }) => ttft))).toBeLessThan(0.18);
  });
});
