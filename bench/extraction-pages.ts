import { createHash } from "node:crypto";
import { communityLayouts } from "./extraction-layouts-community.ts";
import { oddLayouts } from "./extraction-layouts-odd.ts";
import { plainLayouts } from "./extraction-layouts-plain.ts";
import { pressLayouts } from "./extraction-layouts-press.ts";
import { referenceLayouts } from "./extraction-layouts-reference.ts";
import { takeMarks } from "./extraction-parts.ts";
import { createProse } from "./extraction-prose.ts";

export type BenchPage = {
  layout: string;
  /** What an extractor gets, and the text of its main content. */
  html: string;
  gold: string;
  /** Of the half that nobody looks at while an extractor is changed: by the hash of its layout's name. */
  heldOut: boolean;
};

/** Pages as the web has them, each with the text that is what it is for; the same for the same seed. */
export function makePages(perLayout: number, seed: number): BenchPage[] {
  const layouts = [...pressLayouts, ...referenceLayouts, ...communityLayouts, ...oddLayouts, ...plainLayouts];
  return layouts.flatMap(({ name, language, make }, at) =>
    Array.from({ length: perLayout }, (_, copy) => ({
      layout: name,
      ...takeMarks(make(createProse(language, seed * 7919 + at * 101 + copy))),
      heldOut: createHash("sha256").update(name).digest()[0]! % 2 === 1,
    })),
  );
}

/** Words and numbers in small letters. The number before an item of a list is a browser's, and not in the page. */
function tokensOf(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  const unnumbered = text.toLowerCase().replace(/^\s*\p{N}+[.)]\s/gmu, "");
  for (const token of unnumbered.match(/[\p{L}\p{N}]+/gu) ?? []) counts.set(token, (counts.get(token) ?? 0) + 1);
  return counts;
}

export type Score = { precision: number; recall: number; f1: number };

/**
 * Two texts as bags of words: precision is the share of the found words that the gold text has too, each as often as it
 * has it, and recall the share of the gold text's words that were found; F1 is their harmonic mean.
 */
export function scoreText(found: string, gold: string): Score {
  const [foundTokens, goldTokens] = [tokensOf(found), tokensOf(gold)];
  const size = (counts: Map<string, number>) => [...counts.values()].reduce((sum, count) => sum + count, 0);
  let shared = 0;
  for (const [token, count] of goldTokens) shared += Math.min(count, foundTokens.get(token) ?? 0);
  const precision = shared === 0 ? 0 : shared / size(foundTokens);
  const recall = shared === 0 ? 0 : shared / size(goldTokens);
  return { precision, recall, f1: shared === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
}
