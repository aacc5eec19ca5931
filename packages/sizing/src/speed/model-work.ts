import { type Parallelism } from "../memory/parallelism.ts";
import { countTensorBytes, shardTensor, type WeightFormat } from "../memory/weight-bytes.ts";
import type { LayerGroup, Mixer, Model, Tensor } from "../models/model.ts";

/** What one layer asks of one GPU of the tensor-parallel group; `count` layers are alike. */
export type LayerWork = {
  count: number;
  mixer: Mixer;
  /** Weights that every token passes through, in bytes as stored. */
  denseBytes: number;
  /** Their FLOP for one token, by the format of the weights. */
  quantizedFlops: number;
  sixteenBitFlops: number;
  /** Elements, for one token, that go into products with dense weights that can be quantised. */
  quantizedInputs: number;
  experts: ExpertWork | null;
  /** Width of the MLP's hidden activations on this GPU, for the memory traffic between its kernels. */
  activationWidth: number;
};

export type ExpertWork = {
  /** Experts that reside on this GPU, whole or in part. */
  here: number;
  total: number;
  perToken: number;
  /** Bytes of one expert's part on this GPU, and its FLOP for one token. */
  bytes: number;
  flops: number;
};

export type ModelWork = {
  hiddenSize: number;
  layers: readonly LayerWork[];
  layerCount: number;
  expertLayerCount: number;
  /** The output head on one GPU: bytes, and FLOP for one token. */
  headBytes: number;
  headFlops: number;
};

/** Turns the inventory of weights into the work of one GPU; all layers, also where pipeline stages share them. */
export function measureWork(model: Model, parallelism: Parallelism, format: WeightFormat): ModelWork {
  const layers = model.groups.map((group) => measureLayer(group, parallelism, format));
  const count = (chosen: readonly LayerWork[]) => chosen.reduce((sum, layer) => sum + layer.count, 0);
  const head = model.outer.find((tensor) => tensor.role === "head") ?? tiedHead(model);
  const shard = shardTensor(head, null, parallelism);
  return {
    hiddenSize: model.hiddenSize,
    layers,
    layerCount: count(layers),
    expertLayerCount: count(layers.filter((layer) => layer.experts !== null)),
    headBytes: countTensorBytes(shard, format),
    headFlops: 2 * shard.in * shard.out,
  };
}

function tiedHead(model: Model): Tensor {
  const size = { in: model.hiddenSize, out: model.vocabularySize, copies: 1, active: 1, bias: 0 };
  return { module: "embed_tokens", role: "head", ...size, shard: "vocabulary", quantizable: false };
}

function measureLayer(group: LayerGroup, parallelism: Parallelism, format: WeightFormat): LayerWork {
  const shards = group.tensors.map((tensor) => shardTensor(tensor, group, parallelism));
  const dense = shards.filter((tensor) => tensor.role !== "expert");
  const experts = shards.filter((tensor) => tensor.role === "expert");
  const { mlp } = group;
  const gpus = parallelism.tensorParallel;
  return {
    count: group.count,
    mixer: group.mixer,
    denseBytes: add(dense, (tensor) => countTensorBytes(tensor, format)),
    quantizedFlops: countFlops(dense.filter((tensor) => tensor.quantizable)),
    sixteenBitFlops: countFlops(dense.filter((tensor) => !tensor.quantizable)),
    quantizedInputs: countInputs(dense.filter((tensor) => tensor.quantizable)),
    experts:
      mlp.kind === "moe"
        ? {
            here: mlp.experts / parallelism.expertParallel,
            total: mlp.experts,
            perToken: mlp.expertsPerToken,
            bytes: add(experts, (tensor) => countTensorBytes(tensor, format) / tensor.copies),
            flops: add(experts, (tensor) => 2 * tensor.in * tensor.out),
          }
        : null,
    activationWidth:
      mlp.kind === "none"
        ? 0
        : mlp.kind === "dense"
          ? mlp.intermediateSize / gpus
          : (mlp.intermediateSize * mlp.expertsPerToken + mlp.sharedIntermediateSize) / gpus,
  };
}

/** Of matrices only: a norm's vector costs traffic, not products. */
function countFlops(tensors: readonly Tensor[]): number {
  return add(tensors, (tensor) => (tensor.in > 1 ? 2 * tensor.copies * tensor.in * tensor.out : 0));
}

/** Matrices that read the same input (queries, keys and values; gate and up) count once. */
function countInputs(tensors: readonly Tensor[]): number {
  const inputs = new Map(tensors.map((tensor) => [`${tensor.role} ${tensor.shard === "row"} ${tensor.in}`, tensor.in]));
  return [...inputs.values()].reduce((sum, width) => sum + width, 0);
}

function add(tensors: readonly Tensor[], value: (tensor: Tensor) => number): number {
  return tensors.reduce((sum, tensor) => sum + value(tensor), 0);
}
