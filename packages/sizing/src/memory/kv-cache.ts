import type { EngineRelease } from "./engine-releases.ts";
import type { KvLayer } from "./kv-layers.ts";

/** Layers (by their place in the model) that share one table of blocks; `page` is what a layer takes of a block. */
export type KvGroup = { layer: KvLayer; members: readonly number[]; blockSize: number; pages: readonly number[] };

/** How an engine lays the cache out: all groups draw their blocks from one pool. */
export type KvPlan = { groups: readonly KvGroup[] };

export type KvLimits = {
  release: EngineRelease;
  /** Tokens of a block before the engine adapts it to the model. */
  blockSize: number;
  maxModelLen: number;
  maxBatchedTokens: number;
  pipelineParallel: number;
};

/** Layers of equal cache; `blockSize` and `page` as the engine adapts them. */
type Kind = { layer: KvLayer; members: number[]; blockSize: number; page: number };

/**
 * vLLM's grouping (`v1/core/kv_cache_utils.py`): layers of one kind are one group; of several kinds, they are dealt out
 * to groups of as many layers as the rarest kind has (or the commonest, if that is less than 1.5 times as many), and
 * blocks grow until all groups need the same memory for one.
 */
export function planKvCache(layers: readonly (KvLayer | null)[], limits: KvLimits): KvPlan {
  const kinds = findKinds(layers, limits);
  const [first] = kinds;
  if (!first) return { groups: [] };
  if (kinds.length === 1 || kinds.every((kind) => kind.layer.kind === "full")) {
    const members = kinds.flatMap((kind) => kind.members.map((index) => ({ index, page: kind.page })));
    const pages = members.map((member) => member.page);
    return {
      groups: [{ layer: first.layer, members: members.map(({ index }) => index), blockSize: first.blockSize, pages }],
    };
  }
  const page = Math.max(...kinds.map((kind) => kind.page));
  const counts = kinds.map((kind) => kind.members.length);
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  const width = most < fewest * 1.5 ? most : fewest;
  return { groups: kinds.flatMap((kind) => dealOut(kind, width, page)) };
}

function dealOut(kind: Kind, width: number, page: number): KvGroup[] {
  const parts = Math.ceil(kind.members.length / width);
  const growth = kind.layer.kind !== "state" && page % kind.page === 0 ? page / kind.page : 1;
  return Array.from({ length: parts }, (_, part) => {
    const members = kind.members.filter((_member, index) => index % parts === part);
    return { layer: kind.layer, members, blockSize: kind.blockSize * growth, pages: members.map(() => page) };
  });
}

function findKinds(layers: readonly (KvLayer | null)[], limits: KvLimits): Kind[] {
  const cached = layers.filter((layer) => layer !== null);
  const tokenBytes = Math.max(0, ...cached.map((layer) => (layer.kind === "state" ? 0 : layer.bytesPerToken)));
  const stateBytes = Math.max(0, ...cached.map((layer) => (layer.kind === "state" ? layer.bytes : 0)));
  // A block holds enough tokens that a page of attention is no smaller than a state (`HybridAttentionMambaModelConfig`).
  const perState = tokenBytes === 0 ? 1 : Math.ceil(stateBytes / (limits.blockSize * tokenBytes));
  const blockSize = limits.blockSize * Math.max(1, perState);
  const kinds = new Map<string, Kind>();
  for (const [index, layer] of layers.entries()) {
    if (layer === null) continue;
    const known = kinds.get(JSON.stringify(layer));
    if (known) known.members.push(index);
    else if (layer.kind !== "state") {
      kinds.set(JSON.stringify(layer), { layer, members: [index], blockSize, page: layer.bytesPerToken * blockSize });
    } else {
      const page = Math.max(stateBytes, tokenBytes * blockSize);
      const states = tokenBytes === 0 ? limits.maxModelLen : blockSize;
      kinds.set(JSON.stringify(layer), { layer, members: [index], blockSize: states, page });
    }
  }
  return [...kinds.values()];
}

/** Bytes of one block on a GPU that has the layers from `start` to before `end`: those of its widest group. */
export function countBlockBytes(plan: KvPlan, { start, end }: { start: number; end: number }): number {
  const widths = plan.groups.map(({ members, pages }) =>
    members.reduce((sum, index, each) => (index >= start && index < end ? sum + (pages[each] ?? 0) : sum), 0),
  );
  return Math.max(0, ...widths);
}

/**
 * Blocks that one sequence of `length` tokens takes (`max_memory_usage_bytes` in `v1/kv_cache_interface.py`). While a
 * prompt is computed in pieces, a window also holds the tokens of the pieces in flight.
 */
export function countBlocks(plan: KvPlan, length: number, limits: KvLimits): number {
  const batches = limits.release.overlapsBatches ? Math.max(2, limits.pipelineParallel) : 1;
  const inFlight = limits.maxBatchedTokens * batches;
  return plan.groups.reduce((sum, { layer, blockSize }) => {
    switch (layer.kind) {
      case "full":
        return sum + Math.ceil(length / blockSize);
      case "sliding":
        return sum + Math.ceil(Math.min(layer.window - 1 + inFlight, length) / blockSize) + 1;
      case "chunked":
        return sum + Math.ceil(Math.min(layer.chunk + inFlight, length) / blockSize);
      case "state":
        return sum + limits.release.blocksPerState;
    }
  }, 0);
}

/** Tokens, and sequences of `maxModelLen` tokens at once, as the engine reports them for so many blocks. */
export function reportKvCapacity(
  plan: KvPlan,
  blocks: number,
  limits: KvLimits,
): { tokens: number; maxConcurrency: number } {
  // A model that caches nothing is not limited by memory; its engine still keeps a block.
  if (!Number.isFinite(blocks)) return { tokens: Number.MAX_SAFE_INTEGER, maxConcurrency: Number.MAX_SAFE_INTEGER };
  const maxConcurrency = blocks / countBlocks(plan, limits.maxModelLen, limits);
  if (limits.release.tokenReport === "concurrency") {
    return { tokens: Math.floor(maxConcurrency * limits.maxModelLen), maxConcurrency };
  }
  const smallest = Math.min(...plan.groups.map((group) => group.blockSize));
  return { tokens: Math.floor(blocks / plan.groups.length) * smallest, maxConcurrency };
}
