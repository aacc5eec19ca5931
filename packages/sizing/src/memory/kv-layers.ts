import type { Dtype, LayerGroup, Model } from "../models/model.ts";
import { countKvHeadsPerGpu } from "./parallelism.ts";
import { dtypeBytes } from "./weight-bytes.ts";

export type KvCacheDtype = "auto" | "fp8";

/** `dtype` is that of the model, which "auto" caches in; FP8 halves keys and values, not states. */
export type KvOptions = { dtype: Dtype; kvCacheDtype: KvCacheDtype; tensorParallel: number };

/** What one layer keeps for a sequence on one GPU. */
export type KvLayer =
  | { kind: "full"; bytesPerToken: number }
  | { kind: "sliding"; bytesPerToken: number; window: number }
  | { kind: "chunked"; bytesPerToken: number; chunk: number }
  /** A state of constant size. */
  | { kind: "state"; bytes: number };

/**
 * The cache of each layer, in the order of the layers, on one GPU of a tensor-parallel group; null where a layer keeps
 * nothing. Keys and values of its heads (GQA, Ainslie 2023), one compressed vector whatever the number of GPUs (MLA,
 * DeepSeek-V2), or its part of a recurrent state.
 */
export function listKvLayers(model: Model, options: KvOptions): (KvLayer | null)[] {
  const perGroup = model.groups.map((group) => describeLayer(group, options));
  return model.layerOrder.map((index) => perGroup[index] ?? null);
}

function describeLayer({ mixer }: LayerGroup, options: KvOptions): KvLayer | null {
  const { dtype, tensorParallel } = options;
  const bytes = options.kvCacheDtype === "fp8" ? 1 : dtypeBytes[dtype];
  switch (mixer.kind) {
    case "mla":
      return { kind: "full", bytesPerToken: (mixer.latentRank + mixer.ropeHeadSize) * bytes };
    case "recurrent": {
      const state = mixer.stateElements * dtypeBytes[mixer.stateDtype ?? dtype];
      const total = (state + mixer.convolutionElements * dtypeBytes[dtype]) / tensorParallel;
      return total > 0 ? { kind: "state", bytes: total } : null;
    }
    case "attention": {
      const heads = countKvHeadsPerGpu(mixer.kvHeads, tensorParallel);
      const bytesPerToken = heads * (mixer.headSize + mixer.valueHeadSize) * bytes;
      if (mixer.span.kind === "sliding") return { kind: "sliding", bytesPerToken, window: mixer.span.window };
      if (mixer.span.kind === "chunked") return { kind: "chunked", bytesPerToken, chunk: mixer.span.chunk };
      return { kind: "full", bytesPerToken };
    }
  }
}
