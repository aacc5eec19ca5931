import fc from "fast-check";
import { expect, it } from "vitest";
import type { Mixer } from "../models/model.ts";
import { attentionFlops, cacheBytesRead } from "./attention-work.ts";

const attention = (span: Extract<Mixer, { kind: "attention" }>["span"]): Mixer => {
  return { kind: "attention", heads: 32, kvHeads: 8, headSize: 128, valueHeadSize: 128, span };
};
const full = attention({ kind: "full" });
const window = attention({ kind: "sliding", window: 1000 });
const latent: Mixer = {
  kind: "mla",
  heads: 16,
  latentRank: 512,
  ropeHeadSize: 64,
  nopeHeadSize: 128,
  valueHeadSize: 128,
};

it("reads keys and values of all heads on the GPU, and of one head where there are more GPUs than heads", () => {
  expect(cacheBytesRead(full, 5000, 1, 2)).toBe(5000 * 8 * 256 * 2);
  expect(cacheBytesRead(full, 5000, 4, 1)).toBe(5000 * 2 * 256);
  expect(cacheBytesRead(full, 5000, 16, 1)).toBe(5000 * 256);
});

it("reads no more than the window, and one latent vector on every GPU", () => {
  expect(cacheBytesRead(window, 5000, 1, 2)).toBe(cacheBytesRead(full, 1000, 1, 2));
  expect(cacheBytesRead(latent, 5000, 8, 2)).toBe(5000 * 576 * 2);
});

it("computes a causal prompt in half a square, and what is cached before it in a rectangle", () => {
  const perPair = 2 * 32 * 256;
  expect(attentionFlops(full, { past: 0, tokens: 1000 }, 1, "prefill")).toBe(perPair * 500_000);
  expect(attentionFlops(full, { past: 3000, tokens: 1000 }, 2, "prefill")).toBe((perPair * 3_500_000) / 2);
});

it("asks the same of a prompt in chunks as of the whole, with and without a window", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 9000 }), fc.double({ min: 0.01, max: 0.99, noNaN: true }), (tokens, at) => {
      const first = Math.max(1, Math.floor(tokens * at));
      for (const mixer of [full, window, latent]) {
        const whole = attentionFlops(mixer, { past: 0, tokens }, 1, "prefill");
        const parts =
          attentionFlops(mixer, { past: 0, tokens: first }, 1, "prefill") +
          attentionFlops(mixer, { past: first, tokens: tokens - first }, 1, "prefill");
        expect(parts / whole).toBeCloseTo(1, 9);
      }
    }),
  );
});
