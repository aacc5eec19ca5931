import { dtypeBytes } from "../memory/weight-bytes.ts";
import type { Mixer } from "../models/model.ts";

/** One sequence's tokens in a step: `tokens` new ones after `past` that are in the cache. */
export type Stretch = { past: number; tokens: number };

/** Bytes of cache that one GPU reads to produce one token with `context` tokens behind it. */
export function cacheBytesRead(
  mixer: Mixer,
  context: number,
  tensorParallel: number,
  cacheElementBytes: number,
): number {
  switch (mixer.kind) {
    case "attention":
      return visibleTokens(mixer.span, context) * cacheBytesPerToken(mixer, tensorParallel, cacheElementBytes);
    case "mla":
      return context * cacheBytesPerToken(mixer, tensorParallel, cacheElementBytes);
    case "recurrent":
      // Read and written back; a state of fixed size.
      return (2 * (mixer.stateElements * stateBytes(mixer) + mixer.convolutionElements * 2)) / tensorParallel;
  }
}

/** Bytes of one element of a recurrent state: 16 bits unless the config fixes more. */
function stateBytes(mixer: Extract<Mixer, { kind: "recurrent" }>): number {
  return mixer.stateDtype === undefined ? 2 : dtypeBytes[mixer.stateDtype];
}

/** What one token adds to the cache of one GPU in one layer; a recurrent state does not grow. */
function cacheBytesPerToken(mixer: Mixer, tensorParallel: number, cacheElementBytes: number): number {
  switch (mixer.kind) {
    case "attention":
      return Math.max(1, mixer.kvHeads / tensorParallel) * (mixer.headSize + mixer.valueHeadSize) * cacheElementBytes;
    case "mla":
      // One latent vector for all heads, kept by every GPU of the group (DeepSeek-V2, section 2.1.2).
      return (mixer.latentRank + mixer.ropeHeadSize) * cacheElementBytes;
    case "recurrent":
      return 0;
  }
}

/** FLOP of the scores and their product with the values, on one GPU. */
export function attentionFlops(
  mixer: Mixer,
  stretch: Stretch,
  tensorParallel: number,
  phase: "prefill" | "decode",
): number {
  const { past, tokens } = stretch;
  switch (mixer.kind) {
    case "attention": {
      const perPair = (2 * mixer.heads * (mixer.headSize + mixer.valueHeadSize)) / tensorParallel;
      return perPair * visiblePairs(mixer.span, stretch);
    }
    case "mla": {
      // A prompt is attended to in full width; a single token in the latent space, with the projections absorbed.
      const width =
        phase === "prefill"
          ? mixer.nopeHeadSize + mixer.ropeHeadSize + mixer.valueHeadSize
          : 2 * mixer.latentRank + mixer.ropeHeadSize;
      return ((2 * mixer.heads * width) / tensorParallel) * (tokens * past + (tokens * tokens) / 2);
    }
    case "recurrent":
      // Decay, outer product, read-out of the state: about three multiply-adds an element a token.
      return (6 * mixer.stateElements * tokens) / tensorParallel;
  }
}

type Span = Extract<Mixer, { kind: "attention" }>["span"];

function visibleTokens(span: Span, context: number): number {
  switch (span.kind) {
    case "full":
      return context;
    case "sliding":
      return Math.min(context, span.window);
    case "chunked":
      return context < span.chunk ? context : span.chunk / 2;
  }
}

/** Pairs of query and key of a causal stretch: all keys before the query, as far as the span reaches. */
function visiblePairs(span: Span, { past, tokens }: Stretch): number {
  const reach = span.kind === "full" ? Infinity : span.kind === "sliding" ? span.window : span.chunk / 2;
  const growing = Math.max(0, Math.min(tokens, reach - past));
  return growing * past + (growing * growing) / 2 + (growing < tokens ? (tokens - growing) * reach : 0);
}
