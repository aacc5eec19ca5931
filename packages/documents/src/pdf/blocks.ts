import { type Row, isMarker } from "./segments.ts";

/** Lines that belong together: a paragraph, a heading, a list or code, told apart later by their style. */
export type Block = {
  lines: Line[];
  size: number;
  bold: boolean;
  mono: boolean;
};

export type Line = {
  text: string;
  x: number;
  right: number;
  y: number;
  size: number;
  bold: boolean;
  mono: boolean;
};

const marker = /^(\S{1,6})\s+\S/u;
/** "4.5 " before a heading's text, under which its further lines often hang. */
const sectionNumber = /^\p{N}{1,3}(?:\.\p{N}{1,3})*\.?\s/u;

/** @param leading the usual distance of two baselines in the document, in font sizes (1.2 is common). */
export function toBlocks(rows: readonly Row[], leading: number): Block[] {
  const lines = rows.map(toLine);
  const left = Math.min(...lines.map((line) => line.x));
  const right = Math.max(...lines.map((line) => line.right));
  const blocks: Block[] = [];
  lines.forEach((line, index) => {
    const block = blocks[blocks.length - 1];
    const previous = lines[index - 1];
    if (block !== undefined && previous !== undefined && continues(block, previous, line, { leading, left, right })) {
      block.lines.push(line);
      block.bold &&= line.bold;
    } else {
      blocks.push({ lines: [line], size: line.size, bold: line.bold, mono: line.mono });
    }
  });
  return blocks;
}

function toLine(row: Row): Line {
  const main = row.reduce((widest, segment) =>
    segment.right - segment.x > widest.right - widest.x ? segment : widest,
  );
  return {
    text: row.map((segment) => segment.text).join(" "),
    x: row[0]!.x,
    right: Math.max(...row.map((segment) => segment.right)),
    y: main.y,
    size: main.size,
    bold: row.every((segment) => segment.bold),
    mono: row.every((segment) => segment.mono),
  };
}

function continues(
  block: Block,
  above: Line,
  line: Line,
  column: { leading: number; left: number; right: number },
): boolean {
  const size = Math.max(above.size, line.size);
  const gap = line.y - above.y;
  if (gap < 0 || gap > column.leading * 1.3 * size) return line.mono && block.mono && gap > 0 && gap < 3 * size;
  if (Math.abs(line.size - above.size) > 0.08 * size || line.mono !== above.mono) return false;
  if (line.mono) return true;
  if (startsItem(line.text)) return false;
  if (line.bold !== above.bold && (block.bold || line.bold)) {
    // A bold word may fill one line of a paragraph by chance; a bold line after a finished one begins something.
    return !block.bold && !endsSentence(above.text);
  }
  const first = block.lines[0]!;
  if (startsItem(first.text)) return line.x > first.x + 0.3 * size;
  const isIndented = line.x - column.left > 0.7 * size && Math.abs(above.x - column.left) < 0.3 * size;
  const hangs = sectionNumber.test(first.text) && line.x > first.x + 0.3 * size && Math.abs(line.size - first.size) < 1;
  if (isIndented && !isCentred(line, column) && !(hangs && block.bold)) return false;
  return !isBreakIntended(block, above, line, column);
}

/** A line ends early on purpose when the next word had room on it: clearly after a sentence, more so without one. */
function isBreakIntended(block: Block, above: Line, line: Line, column: { left: number; right: number }): boolean {
  if (isCentred(above, column) && isCentred(line, column)) return false;
  const [word = ""] = line.text.split(" ", 1);
  const room = column.right - above.right - (word.length + 1) * 0.5 * line.size;
  const width = column.right - column.left;
  if (room <= 0) return false;
  const begins = /^[\p{Lu}\p{N}"“„(]/u.test(line.text);
  if (begins && endsSentence(above.text)) return room > 0.2 * width;
  return room > (block.bold ? 0.2 : begins ? 0.4 : 0.6) * width;
}

function isCentred(line: Line, column: { left: number; right: number }): boolean {
  return Math.abs(line.x - column.left - (column.right - line.right)) < 2;
}

function endsSentence(text: string): boolean {
  return /[.!?:;]["”’)]?$/u.test(text);
}

/** A line that begins with a bullet or an item's number. */
export function startsItem(text: string): boolean {
  const first = marker.exec(text)?.[1];
  return first !== undefined && isMarker(first);
}

/**
 * Lines to running text. A line that ends in a hyphen keeps its break, so that cleaning, which knows the language, can
 * decide whether the hyphen belongs to the word.
 */
export function joinLines(lines: readonly Pick<Line, "text">[]): string {
  return lines.reduce(
    (text, line) =>
      text === "" ? line.text : /\p{L}[-\u00AD‐]$/u.test(text) ? `${text}\n${line.text}` : `${text} ${line.text}`,
    "",
  );
}
