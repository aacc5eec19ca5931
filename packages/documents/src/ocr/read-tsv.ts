import { type Edges, boxOf, edgesAround } from "../page-box.ts";
import { joinLines } from "../pdf/blocks.ts";
import type { Draft } from "../sections.ts";

/** Below this mean confidence (0 to 100) a page is more guessed than read. */
const leastConfidence = 50;
const columns = 12;
const pageLevel = "1";
const wordLevel = "5";

type Paragraph = { page: number; lines: Map<string, string>; words: Edges[] };

/**
 * Tesseract's table of pages and words (its "tsv" output: level, page, block, paragraph, line, word, left, top, width,
 * height, confidence, text) as paragraphs with their page and their place on it.
 *
 * @returns `poorPages`: the pages that could hardly be read
 */
export function readTsv(tsv: string): { drafts: Draft[]; poorPages: number[] } {
  const paragraphs = new Map<string, Paragraph>();
  const confidences = new Map<number, { sum: number; words: number }>();
  const pages = new Map<number, Edges>();
  for (const row of tsv.split(/\r?\n/u)) {
    const fields = row.split("\t");
    const [level, page = "", block, paragraph, line = ""] = fields;
    const number = Number(page);
    if (!Number.isSafeInteger(number) || number < 1) continue;
    if (level === pageLevel) pages.set(number, edgesOf(fields) ?? { left: 0, top: 0, right: 0, bottom: 0 });
    if (fields.length < columns || level !== wordLevel) continue;
    const word = fields
      .slice(columns - 1)
      .join(" ")
      .trim();
    if (word === "") continue;
    const key = `${page}/${block}/${paragraph}`;
    const open: Paragraph = paragraphs.get(key) ?? { page: number, lines: new Map(), words: [] };
    paragraphs.set(key, open);
    const edges = edgesOf(fields);
    if (edges !== null) open.words.push(edges);
    const before = open.lines.get(line);
    open.lines.set(line, before === undefined ? word : `${before} ${word}`);
    const confidence = confidences.get(number) ?? { sum: 0, words: 0 };
    confidence.sum += Number(fields[10]) || 0;
    confidence.words += 1;
    confidences.set(number, confidence);
  }
  const drafts = [...paragraphs.values()].map(({ page, lines, words }): Draft => {
    const around = edgesAround(words);
    const size = pages.get(page);
    const box =
      around === null || size === undefined ? null : boxOf(around, { width: size.right, height: size.bottom });
    return {
      kind: "paragraph",
      text: joinLines([...lines.values()].map((text) => ({ text }))),
      page,
      ...(box === null ? {} : { box }),
    };
  });
  const poorPages = [...confidences]
    .filter(([, { sum, words }]) => sum / words < leastConfidence)
    .map(([page]) => page);
  return { drafts, poorPages };
}

function edgesOf(fields: readonly string[]): Edges | null {
  const [left = Number.NaN, top = Number.NaN, width = Number.NaN, height = Number.NaN] = fields
    .slice(6, 10)
    .map(Number);
  return [left, top, width, height].every(Number.isFinite)
    ? { left, top, right: left + width, bottom: top + height }
    : null;
}
