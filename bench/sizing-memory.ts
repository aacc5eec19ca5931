/**
 * The serving-memory estimate against start-ups of vLLM 0.19 on an H100: KV cache bytes from the config alone, tokens when
 * the bytes are given, and whether everything that started is said to fit. Prints one JSON object. Without
 * ../shared/sizing there is nothing to compare with: `{ "skipped": ... }`.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { estimateServingMemory } from "@anneal/sizing/memory/serving-memory";

type Boot = {
  model: string;
  quantization: string | null;
  engineVersion: string;
  measured: { kvCacheGib: number; kvCacheTokens: number };
};

const data = join(import.meta.dirname, "../../shared/sizing");
const configOf: Record<string, string> = {
  "deepseek-ai/DeepSeek-V2-Lite-Chat": "deepseek-ai--DeepSeek-V2-Lite-Chat",
  "RedHatAI/Llama-3.3-70B-Instruct-fp8-dynamic": "meta-llama--Meta-Llama-3.1-70B",
  "google/gemma-2-9b-it": "google--gemma-2-9b-it",
  "meta-llama/Llama-3.1-8B-Instruct": "meta-llama--Meta-Llama-3.1-8B",
  "Qwen/Qwen2.5-7B-Instruct": "Qwen--Qwen2.5-7B-Instruct",
  "RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w4a16": "meta-llama--Meta-Llama-3.1-8B",
};
/** What each of the engine's methods means in these files. */
const formatOf: Record<string, string> = { fp8: "fp8", "compressed-tensors": "fp8", gptq_marlin: "int4" };

console.log(JSON.stringify(existsSync(data) ? measure() : { skipped: "../shared/sizing is absent" }));

function measure() {
  const { rows } = JSON.parse(readFileSync(join(data, "kv-boots.json"), "utf8")) as { rows: Boot[] };
  const kvErrors: number[] = [];
  const tokenErrors: number[] = [];
  let saidNotToFit = 0;
  for (const boot of rows) {
    const request = {
      ...boot,
      model: JSON.parse(readFileSync(join(data, "configs", `${configOf[boot.model]}.json`), "utf8")) as unknown,
      engine: `vllm@${boot.engineVersion}`,
      quantization: boot.quantization === null ? null : formatOf[boot.quantization],
    };
    const { kvCacheGib, kvCacheTokens } = boot.measured;
    const estimate = estimateServingMemory(request);
    if (!estimate.fits) saidNotToFit += 1;
    kvErrors.push(Math.abs(estimate.kvCacheGib / kvCacheGib - 1));
    tokenErrors.push(Math.abs(estimateServingMemory({ ...request, kvCacheGib }).kvCacheTokens / kvCacheTokens - 1));
  }
  const percent = (value: number) => Number((100 * value).toFixed(3));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    boots: rows.length,
    kvBytesMeanErrorPercent: percent(mean(kvErrors)),
    kvBytesWorstErrorPercent: percent(Math.max(...kvErrors)),
    tokensWorstErrorPercent: percent(Math.max(...tokenErrors)),
    saidNotToFit,
  };
}
