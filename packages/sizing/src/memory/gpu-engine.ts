import { gpuCatalogue } from "../gpus/catalogue.ts";
import type { Gpu } from "../gpus/gpu.ts";
import { SizingError } from "../sizing-error.ts";
import { processesBytes } from "./cpu-engine.ts";
import { contextBytes } from "./explain-misfit.ts";
import { estimateServingMemory, type ServingMemory } from "./serving-memory.ts";

const gib = 1024 ** 3;

/** Requests of the longest context that one engine should hold at once where nobody says how large its cache is to be. */
const heldRequests = 16;
/** Assumed, not measured here: main memory of CUDA's libraries and pinned buffers in each worker process. */
const hostBytesPerGpu = 1.5 * gib;
/** vLLM's own default for a GPU that it has for itself. */
const wholeGpuUtilization = 0.9;
/** vLLM takes it as it is: below these formulas' worst error a cache could miss its last block (explain-misfit.ts). */
const marginGib = { measured: 0.125, other: 0.5 };

export type GpuEngineRequest = {
  /** A Hugging Face config.json as it is. */
  model: unknown;
  gpu: Gpu;
  /** GPUs of that kind on the machine. */
  gpus: number;
  /** vLLM's --max-model-len. */
  maxModelLen: number;
  lora: { maxLoras: number; maxRank: number };
  /** For keys and values; null: room for sixteen requests of the longest context, or what the GPU has left. */
  kvCacheGib: number | null;
};

export type GpuEngineEstimate = {
  /** Of each GPU, what the engine takes of it with its CUDA context, in bytes. */
  gpuBytes: number;
  gpus: number;
  /** Thousandths of each GPU to be reserved; 1000 when there is more than one. */
  gpuMilli: number;
  /** vLLM's --gpu-memory-utilization: the share without the CUDA context, which vLLM does not count. */
  memoryUtilization: number;
  /** Main memory of its processes. */
  hostBytes: number;
  /** Of each GPU; they add up to `gpuBytes`. */
  breakdown: Record<
    | "weightsBytes"
    | "kvCacheBytes"
    | "activationsBytes"
    | "lorasBytes"
    | "graphsBytes"
    | "librariesBytes"
    | "contextBytes"
    | "marginBytes",
    number
  >;
};

/**
 * What one vLLM engine takes of a GPU machine: a share of one GPU where that is enough, so that trainings find room
 * beside it, else whole GPUs, as few as hold it.
 * @throws SizingError DOES_NOT_FIT with the numbers and the catalogue's GPU that would hold it; what
 * `estimateServingMemory` throws for a model that cannot be read
 */
export function estimateGpuEngine(request: GpuEngineRequest): GpuEngineEstimate {
  let misfit = "";
  for (const gpus of [1, 2, 4, 8].filter((count) => count <= Math.max(1, request.gpus))) {
    const estimate = tryEngine(request, gpus);
    if (typeof estimate !== "string") return estimate;
    misfit ||= estimate;
  }
  const holder = gpuCatalogue
    .filter(({ memoryGib, vendor }) => vendor === request.gpu.vendor && memoryGib > request.gpu.memoryGib)
    .toSorted((left, right) => left.memoryGib - right.memoryGib)
    .find((gpu) => typeof tryEngine({ ...request, gpu }, 1) !== "string");
  const found = request.gpus === 1 ? "one" : `${request.gpus}`;
  throw new SizingError(
    "DOES_NOT_FIT",
    `The engine does not fit on the ${found} ${request.gpu.name} (${request.gpu.memoryGib.toFixed(1)} GiB) of this machine. ${misfit}${holder ? ` One ${holder.name} (${holder.memoryGib} GiB) would hold it.` : ""}`,
    { gpu: request.gpu.id, memoryGib: request.gpu.memoryGib, gpus: request.gpus, holder: holder?.id ?? null },
  );
}

/** On so many GPUs; else why not. */
function tryEngine(request: GpuEngineRequest, gpus: number): GpuEngineEstimate | string {
  const { gpu } = request;
  const contextShare = contextBytes / gib / gpu.memoryGib;
  const most = roundDown(1 - contextShare);
  let whole: ServingMemory;
  try {
    whole = estimateAt(request, gpus, most);
  } catch (error) {
    // A model that cannot be cut into so many parts may be cut into more or fewer.
    if (error instanceof SizingError && error.code === "DOES_NOT_DIVIDE") return error.message;
    throw error;
  }
  if (!whole.fits) return whole.reason ?? "";
  const margin = gpu.architecture === "hopper" ? marginGib.measured : marginGib.other;
  const wanted = Math.min(wantedCacheGib(request, whole) + margin, whole.kvCacheGib);
  // All that is not the cache stays the same, whatever the cache is allowed.
  const utilization =
    gpus > 1 ? Math.min(wholeGpuUtilization, most) : most - (whole.kvCacheGib - wanted) / gpu.memoryGib;
  const gpuMilli = gpus > 1 ? 1000 : Math.min(1000, Math.ceil((utilization + contextShare) * 1000));
  const memoryUtilization = roundDown(gpuMilli / 1000 - contextShare);
  const granted = gpus > 1 ? Math.min(wholeGpuUtilization, memoryUtilization) : memoryUtilization;
  const serving = estimateAt(request, gpus, granted);
  if (!serving.fits) return serving.reason ?? "";
  return describe(serving, { gpu, gpus, gpuMilli, memoryUtilization: granted, margin });
}

/** To what a person can read; of the largest GPU the last digit is 3 MiB. */
const roundDown = (share: number) => Math.floor(share * 1e5) / 1e5;

function estimateAt({ model, gpu, maxModelLen, lora }: GpuEngineRequest, gpus: number, utilization: number) {
  return estimateServingMemory({
    model,
    gpu,
    engine: "vllm",
    dtype: "bfloat16",
    maxModelLen,
    lora,
    tensorParallel: gpus,
    gpuMemoryUtilization: utilization,
  });
}

function wantedCacheGib({ kvCacheGib }: GpuEngineRequest, whole: ServingMemory): number {
  if (kvCacheGib !== null) return kvCacheGib;
  // A model that caches nothing holds any number of requests.
  return whole.maxConcurrency > 0 && Number.isFinite(whole.maxConcurrency)
    ? (heldRequests * whole.kvCacheGib) / whole.maxConcurrency
    : 0;
}

function describe(
  serving: ServingMemory,
  place: Pick<GpuEngineEstimate, "gpus" | "gpuMilli" | "memoryUtilization"> & { gpu: Gpu; margin: number },
): GpuEngineEstimate {
  const { gpu, gpus, gpuMilli, memoryUtilization } = place;
  const inBytes = (sizeGib: number) => Math.round(sizeGib * gib);
  const parts = {
    weightsBytes: inBytes(serving.weightsGibPerGpu),
    kvCacheBytes: inBytes(serving.kvCacheGib - place.margin),
    activationsBytes: inBytes(serving.activationPeakGib),
    lorasBytes: inBytes(serving.loraGib),
    graphsBytes: inBytes(serving.cudaGraphGib),
    librariesBytes: inBytes(serving.nonTorchGib),
    contextBytes,
  };
  const gpuBytes = inBytes(memoryUtilization * gpu.memoryGib) + contextBytes;
  const named = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
  return {
    gpuBytes,
    gpus,
    gpuMilli,
    memoryUtilization,
    hostBytes: processesBytes + gpus * hostBytesPerGpu,
    breakdown: { ...parts, marginBytes: gpuBytes - named },
  };
}
