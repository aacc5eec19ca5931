import { readFileSync } from "node:fs";
import { join } from "node:path";
import { estimateCacheCapacity } from "@anneal/sizing/speed/cache-capacity";
import { type ResolvedReplica, resolveReplica } from "@anneal/sizing/speed/latency-request";
import { type SpeedConstants, speedConstants } from "@anneal/sizing/speed/speed-constants";
import { solveSteadyState, type SteadyState } from "@anneal/sizing/speed/steady-state";
import { findEngineProfile } from "@anneal/sizing/speed/engine-profile";
import { readModel } from "@anneal/sizing/models/read-model";

/** One measured run, with the replica that it ran on. */
export type Run = {
  engine: string;
  family: string;
  model: string;
  gpu: string;
  precision: string;
  tensorParallel: number;
  expertParallel: number;
  batch: number;
  inputTokens: number;
  outputTokens: number;
  ttftMs: number;
  tpotMs: number;
  resolved: ResolvedReplica;
  /** Sequences that the KV cache is estimated to hold. */
  capacity: number;
};

const configs: Readonly<Record<string, string>> = {
  "meta-llama/Llama-3.1-70B": "meta-llama--Meta-Llama-3.1-70B",
  "meta-llama/Llama-3.1-8B-Instruct": "meta-llama--Meta-Llama-3.1-8B",
  "openai/gpt-oss-120b": "openai--gpt-oss-120b",
  "Qwen/Qwen3-32B": "Qwen--Qwen3-32B",
  "Qwen/Qwen3-235B-A22B-FP8": "Qwen--Qwen3-235B-A22B-FP8",
};

/** The runs of latency.csv that one replica of a tensor-parallel group describes; what is left out is counted. */
export function readRuns(folder: string): { runs: Run[]; leftOut: Record<string, number> } {
  const [header = "", ...lines] = readFileSync(join(folder, "latency.csv"), "utf8").trim().split(/\r?\n/);
  const names = header.split(",");
  const models = new Map(
    Object.entries(configs).map(([name, file]) => {
      const config: unknown = JSON.parse(readFileSync(join(folder, "configs", `${file}.json`), "utf8"));
      return [name, readModel(config)];
    }),
  );
  const runs: Run[] = [];
  const leftOut: Record<string, number> = {};
  for (const line of lines) {
    const values = line.split(",");
    const field = (name: string) => values[names.indexOf(name)] ?? "";
    const model = models.get(field("model_path"));
    const tensorParallel = Number(field("tp_size"));
    const expertParallel = Math.max(1, Number(field("moe_ep_size")));
    const hasExperts = model?.groups.some(({ mlp }) => mlp.kind === "moe") ?? false;
    const reason =
      model === undefined
        ? "no config"
        : tensorParallel > 8
          ? "tensor parallelism that its group of experts contradicts"
          : hasExperts && Math.max(1, Number(field("moe_tp_size"))) * expertParallel !== tensorParallel
            ? "attention cut otherwise than experts"
            : null;
    if (reason !== null || model === undefined) {
      leftOut[reason ?? ""] = (leftOut[reason ?? ""] ?? 0) + 1;
      continue;
    }
    const version = field("backend_version");
    const family = field("backend");
    const engine = version === "" ? family : `${family}@${version}`;
    const length = { inputTokens: Number(field("isl")), outputTokens: Number(field("osl")) };
    const resolved = resolveReplica(
      {
        model,
        gpu: field("system"),
        engine,
        precision: field("precision"),
        tensorParallel,
        expertParallel: hasExperts ? expertParallel : 1,
      },
      speedConstants,
    );
    runs.push({
      engine,
      family,
      model: field("model_path"),
      gpu: field("system"),
      precision: field("precision"),
      tensorParallel,
      expertParallel,
      batch: Number(field("batch_size")),
      ...length,
      ttftMs: Number(field("silicon_ttft_ms")),
      tpotMs: Number(field("silicon_tpot_ms")),
      resolved,
      capacity: estimateCacheCapacity(resolved.model, resolved.replica, length).sequences,
    });
  }
  return { runs, leftOut };
}

/** As `estimateLatency` has it below the knee, with other constants. */
export function predict(run: Run, constants: SpeedConstants): SteadyState {
  const replica = { ...run.resolved.replica, constants, engine: findEngineProfile(run.engine, constants) };
  return solveSteadyState(replica, {
    batch: run.batch,
    cachedTokens: 0,
    inputTokens: run.inputTokens,
    outputTokens: run.outputTokens,
    tokensPerStep: 1,
    verifiedPerStep: 1,
    disaggregated: false,
  });
}

/**
 * The measurement says that requests waited for a place: a good part of an answer's time, and longer than computing the
 * prompts of all requests in flight explains.
 */
export function isSaturated(run: Run): boolean {
  const promptsMs = run.batch * predict(run, speedConstants).prefillMs;
  return run.ttftMs > 0.2 * run.outputTokens * run.tpotMs && run.ttftMs > 1000 + 1.2 * promptsMs;
}
