import { profileOf, type LatencyLimits } from "@anneal/sizing/autoscale/replica-profile";
import type { ServingProfile } from "@anneal/sizing/autoscale/controller-settings";
import { findGpu } from "@anneal/sizing/gpus/catalogue";
import { SizingError } from "@anneal/sizing/sizing-error";
import { replicaCapacity } from "@anneal/sizing/speed/replica-capacity";
import type { BaseModel } from "./base-model.ts";

type ReplicaTraits = Omit<ServingProfile, "order">;
type Model = Pick<BaseModel, "name" | "config" | "weightBytes">;

/**
 * The default model on vLLM's CPU build. Measured on two cores (x86-64 with AVX-512 BF16): 30 tokens/s alone and 234 with
 * 16 in flight, so a step takes 33 ms and 2.3 ms more for each sequence; prompts at about 420 tokens/s, and
 * at 165 with an adapter. A new engine answers after some 40 seconds on a quiet machine, and twice that on a busy one.
 */
const measuredOnCpu: ReplicaTraits = {
  profile: {
    name: "SmolLM2-135M-Instruct on two CPU cores",
    gpus: 1,
    prefillTokensPerSecond: 420,
    decodeBaseMs: 31,
    decodePerSequenceMs: 2.3,
    maxBatch: 64,
    stepTokens: 64,
    kvTokens: 46_592,
  },
  limits: { ttftMs: 5000, tpotMs: 500 },
  coldStartSeconds: 80,
};

/** Chat with passages: the prompt carries them, the answer is a few sentences. */
const typicalRequest = { isl: 1500, osl: 250 };
const gpuLimits: LatencyLimits = { ttftMs: 2000, tpotMs: 100 };
/** Starting vLLM, capturing its graphs and reading weights at 1 GB/s, as from a disk of a server. */
const engineStartSeconds = 90;
const weightBytesPerSecond = 1e9;

/**
 * What a replica can do: by the sizing model on GPUs, by measurement on the CPU.
 * @param gpus of one replica: "H100-80GB", "2xH100-80GB", or "cpu"
 * @param cacheGibPerGpu of its KV cache, where it was given a part of its GPUs only
 * @throws SizingError for GPUs that the catalogue lacks and for a model that does not fit on them
 */
export function describeReplica(gpus: string, model: Model, cacheGibPerGpu?: number): ReplicaTraits {
  if (gpus === "cpu") return measuredOnCpu;
  const [, count = "1", id = gpus] = /^(\d+)x(.+)$/.exec(gpus) ?? [];
  const tensorParallel = Number(count);
  const gpu = findGpu(id.trim());
  const cache = cacheGibPerGpu === undefined ? {} : { cacheGibPerGpu };
  const replica = { model: model.config, gpu, engine: "vllm", tensorParallel, ...cache };
  const capacity = replicaCapacity(replica, typicalRequest);
  const name = `${model.name} on ${tensorParallel > 1 ? `${tensorParallel} x ` : ""}${gpu.name}`;
  return {
    profile: profileOf(capacity, { name, gpus: tensorParallel, limits: gpuLimits }),
    limits: gpuLimits,
    coldStartSeconds: engineStartSeconds + Math.round(model.weightBytes / weightBytesPerSecond),
  };
}

/**
 * What a replica can do: by what a person has set, else by the GPUs that this machine has. Null when neither is known, or
 * when the model cannot be sized on GPUs that nobody has named.
 * @throws SizingError for GPUs that a person has set
 */
export function describeEngines(
  set: string | null,
  found: string | null,
  model: Model,
  cacheGibPerGpu?: number,
): ReplicaTraits | null {
  if (set !== null) return describeReplica(set, model);
  if (found === null) return null;
  try {
    return describeReplica(found, model, cacheGibPerGpu);
  } catch (error) {
    if (error instanceof SizingError) return null;
    throw error;
  }
}
