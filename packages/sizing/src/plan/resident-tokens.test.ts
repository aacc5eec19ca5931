import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { meanResidentTokens, residentTokens99, residentTokensOf } from "./resident-tokens.ts";

const trace = join(import.meta.dirname, "../../../../../shared/traces/azure-llm-2023-conv.csv");

it.skipIf(!existsSync(trace))("is on the safe side of Azure's conversations, by less than a factor of 2.5", () => {
  const held = readFileSync(trace, "utf8")
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => {
      const [, prompt, answer] = line.split(",");
      return { prompt: Number(prompt), answer: Number(answer) };
    });
  const limit = Math.max(...held.map(({ prompt, answer }) => prompt + answer));
  const tokens = held.map(({ prompt, answer }) => residentTokensOf(prompt, answer));
  const mean = tokens.reduce((sum, each) => sum + each, 0) / tokens.length;
  const variance = tokens.reduce((sum, each) => sum + (each - mean) ** 2, 0) / tokens.length;
  expect(meanResidentTokens(limit)).toBeGreaterThan(mean);
  expect(meanResidentTokens(limit)).toBeLessThan(2.5 * mean);
  // What the quantile counts on: the requests' lengths vary by no more than their mean.
  expect(Math.sqrt(variance) / mean).toBeLessThan(1);
});

it("lies between the mean and the reservation of every context, and shrinks relative to the mean with more requests", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 64, max: 200_000 }), (requests, context) => {
      const mean = meanResidentTokens(context);
      const held = residentTokens99(requests, mean, context);
      expect(held).toBeGreaterThanOrEqual(requests * mean);
      expect(held).toBeLessThanOrEqual(requests * context);
      expect(residentTokens99(4 * requests, mean, context) / 4).toBeLessThanOrEqual(held + 1e-6);
    }),
  );
});
