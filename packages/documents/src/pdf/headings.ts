import type { Block } from "./blocks.ts";
import { joinLines, startsItem } from "./blocks.ts";
import type { OutlineItem } from "./read-pdf.ts";

export type HeadingMark = { kind: "title" | "heading"; level: number };

/**
 * Which blocks are headings, and of which level: those in the document's outline by their depth there, and those that
 * are set larger than the body, or in bold on a line of their own, by the rank of their style. The largest on the first
 * page is the title when nothing else is as large.
 */
export function markHeadings(
  blocks: readonly { block: Block; page: number }[],
  outline: readonly OutlineItem[],
): Map<Block, HeadingMark> {
  const body = bodySize(blocks.map(({ block }) => block));
  const depths = new Map(outline.map((item) => [normalise(item.title), item.level]));
  const candidates = blocks.filter(
    ({ block }) => looksLikeHeading(block, body) || (depths.has(normalise(joinLines(block.lines))) && isBrief(block)),
  );
  const byStyle = new Map<string, { size: number; bold: boolean; blocks: Block[]; outlined: number[] }>();
  for (const { block } of candidates) {
    const key = styleOf(block);
    const style = byStyle.get(key) ?? {
      size: block.size,
      bold: block.bold,
      blocks: [],
      outlined: [],
    };
    style.blocks.push(block);
    const depth = depths.get(normalise(joinLines(block.lines)));
    if (depth !== undefined) style.outlined.push(depth);
    byStyle.set(key, style);
  }
  const styles = [...byStyle.values()].toSorted((a, b) => b.size - a.size || Number(b.bold) - Number(a.bold));
  const marks = new Map<Block, HeadingMark>();

  const first = candidates[0];
  const isTitle =
    first !== undefined &&
    styles[0]?.blocks.length === 1 &&
    styles[0].blocks[0] === first.block &&
    first.page === blocks[0]?.page &&
    first.block.size >= 1.2 * body &&
    blocks.length > 1;
  const ranked = isTitle ? styles.slice(1) : styles;
  if (isTitle) marks.set(first.block, { kind: "title", level: 1 });
  ranked.forEach((style, rank) => {
    const level = style.outlined.length > 0 ? middle(style.outlined) : rank + 1;
    for (const block of style.blocks) {
      const depth = depths.get(normalise(joinLines(block.lines)));
      marks.set(block, { kind: "heading", level: Math.min(depth ?? level, 6) });
    }
  });
  return marks;
}

/** The size that most letters are set in. */
export function bodySize(blocks: readonly Block[]): number {
  const letters = new Map<number, number>();
  for (const block of blocks) {
    for (const line of block.lines) {
      const size = Math.round(line.size * 2) / 2;
      letters.set(size, (letters.get(size) ?? 0) + line.text.length);
    }
  }
  return [...letters].reduce((best, entry) => (entry[1] > best[1] ? entry : best), [10, 0])[0];
}

function looksLikeHeading(block: Block, body: number): boolean {
  const text = joinLines(block.lines);
  if (!isBrief(block) || block.mono || !/\p{L}{2}/u.test(text) || / \.\.\. (?:\d+|[ivxl]+)$/u.test(text)) return false;
  if (block.size >= 1.12 * body) return !/[,;]$/u.test(text) && !(text.endsWith(".") && text.length > 80);
  const isItem = startsItem(text) && !/^\d/u.test(text);
  return (
    block.bold &&
    block.size >= 0.95 * body &&
    block.lines.length <= 2 &&
    text.length <= 120 &&
    !isItem &&
    !/[.,;:]$/u.test(text)
  );
}

function isBrief(block: Block): boolean {
  return block.lines.length <= 3 && joinLines(block.lines).length <= 200;
}

function styleOf(block: Block): string {
  return `${Math.round(block.size * 2)} ${block.bold}`;
}

function normalise(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "");
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
