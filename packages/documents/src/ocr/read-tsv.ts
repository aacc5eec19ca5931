import { countOf } from "../document-errors.ts";
import { joinLines } from "../pdf/blocks.ts";
import type { Draft } from "../sections.ts";

/** Below this mean confidence (0 to 100) a page is more guessed than read. */
const leastConfidence = 50;
const columns = 12;
const wordLevel = "5";

/**
 * Tesseract's table of words (its "tsv" output: level, page, block, paragraph, line, word, left, top, width, height,
 * confidence, text) as paragraphs with their page.
 */
export function readTsv(tsv: string): { drafts: Draft[]; warnings: string[] } {
  const paragraphs = new Map<string, { page: number; lines: Map<string, string> }>();
  const confidences = new Map<number, { sum: number; words: number }>();
  for (const row of tsv.split(/\r?\n/u)) {
    const fields = row.split("\t");
    if (fields.length < columns || fields[0] !== wordLevel) continue;
    const [, page = "", block, paragraph, line = ""] = fields;
    const word = fields
      .slice(columns - 1)
      .join(" ")
      .trim();
    const number = Number(page);
    if (word === "" || !Number.isSafeInteger(number) || number < 1) continue;
    const key = `${page}/${block}/${paragraph}`;
    const open = paragraphs.get(key) ?? { page: number, lines: new Map<string, string>() };
    paragraphs.set(key, open);
    const before = open.lines.get(line);
    open.lines.set(line, before === undefined ? word : `${before} ${word}`);
    const confidence = confidences.get(number) ?? { sum: 0, words: 0 };
    confidence.sum += Number(fields[10]) || 0;
    confidence.words += 1;
    confidences.set(number, confidence);
  }
  const drafts = [...paragraphs.values()].map(({ page, lines }): Draft => ({
    kind: "paragraph",
    text: joinLines([...lines.values()].map((text) => ({ text }))),
    page,
  }));
  const poor = [...confidences.values()].filter(({ sum, words }) => sum / words < leastConfidence).length;
  const warnings = ["The text was recognised in a picture (OCR); it can hold wrong letters."];
  if (poor > 0) warnings.push(`${countOf(poor, "page")} could hardly be read; check the text against the picture.`);
  return drafts.length === 0 ? { drafts, warnings: ["No text was recognised in the picture."] } : { drafts, warnings };
}
