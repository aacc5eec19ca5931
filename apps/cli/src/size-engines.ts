import { AnnealError } from "@anneal/core/errors";
import type { PoolNode } from "@anneal/db/schema";
import type { Stack } from "@anneal/local-stack/stack";
import { estimateCpuEngine } from "@anneal/sizing/memory/cpu-engine";
import { estimateGpuEngine } from "@anneal/sizing/memory/gpu-engine";
import { SizingError } from "@anneal/sizing/sizing-error";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { EngineSizing } from "./follow-serving-target.ts";

/** What one of this machine's engines takes of main memory, where they run on the CPU. */
export async function sizeCpuEngine(modelDir: string, kvCacheGib: number): Promise<EngineSizing> {
  const weights = (await readdir(modelDir)).filter((name) => name.endsWith(".safetensors"));
  const sizes = await Promise.all(weights.map(async (name) => (await stat(join(modelDir, name))).size));
  return estimateCpuEngine({ weightBytes: sizes.reduce((sum, size) => sum + size, 0), kvCacheGib });
}

/**
 * What one of this machine's engines takes of its GPUs.
 * @param node this machine, as the worker has declared it
 * @throws AnnealError ADMISSION_REFUSED with the numbers and the GPU that would hold it, PREREQUISITE_MISSING when the
 * machine has no GPU that can be used
 */
export async function sizeGpuEngine(
  modelDir: string,
  engine: NonNullable<Stack["gpuEngine"]>,
  node: PoolNode | undefined,
): Promise<EngineSizing> {
  const devices = node?.devices;
  if (devices === undefined) {
    throw new AnnealError("PREREQUISITE_MISSING", "nvidia-smi is installed here and lists no GPU that can be used.", {
      action:
        "Look at what `nvidia-smi` says and at the worker's log; with ANNEAL_GPUS=none in the shell everything runs on the CPU.",
    });
  }
  const model: unknown = JSON.parse(await readFile(join(modelDir, "config.json"), "utf8"));
  // CUDA shows a program one MIG slice at most.
  const gpus = devices.isSlice ? 1 : devices.ids.length;
  try {
    const estimate = estimateGpuEngine({ ...engine, model, gpu: devices.gpu, gpus });
    const { gpuMilli, memoryUtilization, hostBytes } = estimate;
    return {
      totalBytes: estimate.gpuBytes * estimate.gpus,
      breakdown: estimate.breakdown,
      gpu: { gpus: estimate.gpus, gpuMilli, memoryUtilization, hostBytes },
    };
  } catch (error) {
    if (!(error instanceof SizingError)) throw error;
    throw new AnnealError("ADMISSION_REFUSED", error.message, {
      action:
        "Take a smaller base model (ANNEAL_BASE_MODEL), a shorter context (ANNEAL_MAX_CONTEXT_TOKENS) or a smaller cache (ANNEAL_KV_CACHE_GIB), or a larger GPU.",
      details: error.details,
    });
  }
}
