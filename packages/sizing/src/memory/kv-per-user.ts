import type { Model } from "../models/model.ts";
import { type KvLayer, type KvOptions, listKvLayers } from "./kv-layers.ts";

/**
 * Bytes of cache on one GPU that one sequence of `length` tokens needs: each layer keeps what it still attends to, all
 * tokens, the last `window`, those of the current chunk, or a state of constant size. Without an engine's blocks, which
 * add up to one block a group.
 */
export function countSequenceKvBytes(model: Model, length: number, options: KvOptions): number {
  return listKvLayers(model, options).reduce((sum, layer) => sum + countLayerBytes(layer, length), 0);
}

function countLayerBytes(layer: KvLayer | null, length: number): number {
  switch (layer?.kind) {
    case undefined:
      return 0;
    case "full":
      return length * layer.bytesPerToken;
    case "sliding":
      return Math.min(length, layer.window) * layer.bytesPerToken;
    case "chunked":
      return Math.min(length, layer.chunk) * layer.bytesPerToken;
    case "state":
      return layer.bytes;
  }
}

/** Bytes that one more token takes on one GPU while all layers still keep everything: 2 x layers x heads x size x bytes. */
export function countTokenKvBytes(model: Model, options: KvOptions): number {
  return listKvLayers(model, options).reduce(
    (sum, layer) => sum + (layer === null || layer.kind === "state" ? 0 : layer.bytesPerToken),
    0,
  );
}

/**
 * What paging wins (PagedAttention, Kwon 2023): without it an engine reserves the longest sequence for each user, with it
 * a user takes the blocks that its tokens fill. `users` is how many times as many fit into the same memory.
 */
export function comparePagingWithReservation(
  model: Model,
  use: { lengths: readonly number[]; maxLength: number; blockSize: number },
  options: KvOptions,
): { reservedBytes: number; pagedBytes: number; users: number } {
  const reservedBytes = use.lengths.length * countSequenceKvBytes(model, use.maxLength, options);
  const pagedBytes = use.lengths.reduce((sum, length) => {
    const filled = Math.min(use.maxLength, Math.ceil(length / use.blockSize) * use.blockSize);
    return sum + countSequenceKvBytes(model, filled, options);
  }, 0);
  return { reservedBytes, pagedBytes, users: pagedBytes === 0 ? 1 : reservedBytes / pagedBytes };
}
