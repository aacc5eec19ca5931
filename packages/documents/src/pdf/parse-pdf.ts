import type { ElementBox } from "@anneal/core/document/element";
import { tableDrafts } from "../gfm-table.ts";
import type { ParseLimits } from "../limits.ts";
import { type ParsePart, readParts } from "../nested-parts.ts";
import { boxOf, edgesAround } from "../page-box.ts";
import { type Draft, type Parsed, type Scans, firstTitle } from "../sections.ts";
import { type Block, joinLines, startsItem, toBlocks } from "./blocks.ts";
import { splitRegions } from "./columns.ts";
import { findTables } from "./find-tables.ts";
import { type HeadingMark, markHeadings } from "./headings.ts";
import { type PdfPage, readPdf } from "./read-pdf.ts";
import { dropRunningLines } from "./running-lines.ts";
import { toRows } from "./segments.ts";

type Piece = { page: number; box: ElementBox | null } & (
  | { kind: "block"; block: Block; opensRegion: boolean }
  | { kind: "table" | "note"; text: string }
);

/** Below this many letters and digits a page may be a scan with a stamp on it. */
const sparseLetters = 60;

/**
 * A PDF's text as elements: lines are grouped to paragraphs by where they stand, columns are read one after the other,
 * headings are told by their type. Works on text only: `scans` names the pages that have none or next to none. Files that
 * are attached to it follow, each as the document that it is.
 */
export async function parsePdf(bytes: Uint8Array, limits: ParseLimits, parseFile: ParsePart): Promise<Parsed> {
  const pdf = await readPdf(bytes, limits);
  const numbersOf = (pages: readonly PdfPage[]) => pages.map((page) => page.page);
  const scans: Scans = {
    pageCount: pdf.pages.length,
    unreadable: numbersOf(pdf.pages.filter((page) => !isReadable(page))),
    sparse: hasPictures(bytes)
      ? numbersOf(pdf.pages.filter((page) => isReadable(page) && lettersOf(page) < sparseLetters))
      : [],
    annotations: [],
  };
  const recognised = new Set([...scans.unreadable, ...scans.sparse]);
  for (const { page, annotations } of pdf.pages) {
    if (recognised.has(page)) scans.annotations.push(...annotations.map((text) => ({ page, text })));
  }
  const warnings = [...pdf.warnings];
  const { pages, dropped } = dropRunningLines(pdf.pages);
  if (dropped.length > 0)
    warnings.push(
      `Running headers and footers left out: ${dropped
        .slice(0, 4)
        .map((text) => `"${text.slice(0, 80)}"`)
        .join(", ")}.`,
    );

  const leading = usualLeading(pages);
  const pieces = pages.flatMap((page) => readPage(page, leading, limits));
  const marks = markHeadings(
    pieces.flatMap((piece) => (piece.kind === "block" ? [piece] : [])),
    pdf.outline,
  );
  const drafts = toDrafts(pieces, marks);
  const attached = await readParts(pdf.files, "attachment", limits.maxAttachments, limits, parseFile, drafts);
  warnings.push(...attached.warnings);
  // Pages are those of this document.
  const files = attached.drafts.map(({ page: _page, box: _box, ...draft }) => draft);
  const { cutByBounds } = attached;
  return { title: pdf.title ?? firstTitle(drafts), drafts: [...drafts, ...files], warnings, scans, cutByBounds };
}

/** A picture's record is never packed, so its kind stands in the file as it is. */
function hasPictures(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return file.includes("/Subtype /Image") || file.includes("/Subtype/Image");
}

function lettersOf(page: PdfPage): number {
  return page.printed.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
}

/** Fonts without a character map give private-use and control characters: what looks like text cannot be read. */
function isReadable(page: PdfPage): boolean {
  const good = page.printed.match(/[\p{L}\p{N}\p{P}\p{S}]/gu)?.length ?? 0;
  return good > page.printed.replace(/\s/gu, "").length / 2;
}

function readPage(page: PdfPage, leading: number, limits: ParseLimits): Piece[] {
  const pieces = splitRegions(page.segments).flatMap((region) =>
    findTables(toRows(region)).flatMap((piece, index): Piece[] => {
      if (piece.kind === "rows") {
        return toBlocks(piece.rows, leading).map((block, order) => ({
          kind: "block",
          block,
          opensRegion: index === 0 && order === 0,
          page: page.page,
          box: placeOf(block.lines, page),
        }));
      }
      const box = placeOf(piece.rows.flat(), page);
      return tableDrafts(piece.cells, limits).map(({ text }) => ({ kind: "table", text, page: page.page, box }));
    }),
  );
  return [...pieces, ...page.notes.map((text): Piece => ({ kind: "note", text, page: page.page, box: null }))];
}

/** Where lines stand on their page, by what letters usually reach above and below their baseline. */
function placeOf(
  lines: readonly { x: number; right: number; y: number; size: number }[],
  page: PdfPage,
): ElementBox | null {
  if (page.isTurned) return null;
  const around = edgesAround(
    lines.map(({ x, right, y, size }) => ({ left: x, top: y - 0.8 * size, right, bottom: y + 0.2 * size })),
  );
  return around === null ? null : boxOf(around, page);
}

/** The most common distance between two lines of the same size, in font sizes. */
function usualLeading(pages: readonly PdfPage[]): number {
  const ratios: number[] = [];
  for (const page of pages.slice(0, 50)) {
    for (const region of splitRegions(page.segments)) {
      const rows = toRows(region);
      rows.slice(1).forEach((row, index) => {
        const [above, line] = [rows[index]![0]!, row[0]!];
        if (above.size === line.size && line.size > 0)
          ratios.push(Math.round(((line.y - above.y) / line.size) * 20) / 20);
      });
    }
  }
  const counts = new Map<number, number>();
  for (const ratio of ratios) if (ratio >= 0.9 && ratio <= 2.2) counts.set(ratio, (counts.get(ratio) ?? 0) + 1);
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best), [1.2, 0])[0];
}

function toDrafts(pieces: readonly Piece[], marks: ReadonlyMap<Block, HeadingMark>): Draft[] {
  const drafts: Draft[] = [];
  for (const piece of pieces) {
    const place = { page: piece.page, ...(piece.box === null ? {} : { box: piece.box }) };
    const { page } = place;
    if (piece.kind !== "block") {
      drafts.push({ kind: piece.kind === "table" ? "table" : "paragraph", text: piece.text, ...place });
      continue;
    }
    const { block } = piece;
    const mark = marks.get(block);
    const last = drafts[drafts.length - 1];
    if (mark !== undefined) {
      drafts.push({ ...mark, text: joinLines(block.lines), ...place });
    } else if (block.mono && block.lines.length > 1) {
      drafts.push({ kind: "code", text: codeText(block), ...place });
    } else if (startsItem(block.lines[0]!.text)) {
      const item = itemText(block);
      // Items stand in blocks of their own; those that follow each other on a page are one list.
      if (last?.kind === "list" && last.page === page) {
        last.text += `\n${item}`;
        delete last.box;
      } else drafts.push({ kind: "list", text: item, ...place });
    } else if (
      piece.opensRegion &&
      last?.kind === "paragraph" &&
      last.page === page &&
      isCutOff(last.text, block.lines[0]!.text)
    ) {
      last.text = joinLines([last, ...block.lines]);
      delete last.box;
    } else {
      drafts.push({ kind: "paragraph", text: joinLines(block.lines), ...place });
    }
  }
  return drafts;
}

/** A sentence that goes on at the top of the next column. Over a page break it stays parted: each part has its page. */
function isCutOff(above: string, below: string): boolean {
  return /[\p{L},-]$/u.test(above) && /^\p{Ll}/u.test(below);
}

function itemText(block: Block): string {
  return joinLines(block.lines).replace(/^[^\p{L}\p{N}(]\s+|^o\s+/u, "- ");
}

/** Code keeps its lines and, by their distance from the left edge, its indentation. */
function codeText(block: Block): string {
  const left = Math.min(...block.lines.map((line) => line.x));
  return block.lines.map((line) => " ".repeat(Math.round((line.x - left) / (line.size * 0.6))) + line.text).join("\n");
}
