import type { PdfPage } from "./read-pdf.ts";
import { type Row, type Segment, toRows } from "./segments.ts";

/** Headers and footers stand in the outer tenth of a page, among its first or last two lines. */
const margin = 0.1;

/**
 * Takes away the lines that repeat at the top or bottom of pages (numbers aside) and bare page numbers, which would
 * otherwise cut through sentences and stand in every passage.
 */
export function dropRunningLines(pages: readonly PdfPage[]): {
  pages: PdfPage[];
  dropped: string[];
} {
  const counts = new Map<string, number>();
  for (const page of pages) {
    for (const key of new Set(
      outerRows(page)
        .flat()
        .map((segment) => keyOf(segment, page)),
    ))
      counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const dropped = new Map<string, string>();
  const kept = pages.map((page) => {
    const gone = new Set<Segment>();
    for (const row of outerRows(page)) {
      const others = row.filter((segment) => !isPageNumber(segment.text));
      // Beside a page number, a chapter's name on two pages is enough.
      const least = others.length > 0 && others.length < row.length ? 2 : Math.max(3, pages.length * 0.3);
      const running = others.filter(
        (segment) => (counts.get(keyOf(segment, page)) ?? 0) >= least && !isSentence(segment.text),
      );
      for (const segment of running) {
        gone.add(segment);
        // One example of each is enough for the warning.
        dropped.set(withoutNumbers(segment.text), segment.text);
      }
      // A number beside anything else is a cell of a table.
      if (running.length === others.length) for (const segment of row) gone.add(segment);
    }
    return gone.size === 0 ? page : { ...page, segments: page.segments.filter((segment) => !gone.has(segment)) };
  });
  return { pages: kept, dropped: [...dropped.values()] };
}

function outerRows(page: PdfPage): Row[] {
  const rows = toRows(page.segments);
  const top = rows.slice(0, 2).filter((row) => row[0]!.y < page.height * margin);
  const bottom = rows.slice(-2).filter((row) => row[0]!.y > page.height * (1 - margin));
  return [...new Set([...top, ...bottom])];
}

function keyOf(segment: Segment, page: PdfPage): string {
  const where = segment.y < page.height / 2 ? "top" : "bottom";
  return `${where}${Math.round(segment.y / 4)} ${withoutNumbers(segment.text)}`;
}

/** A chapter's name changes from chapter to chapter, and is no less a header for it. */
const chapterName =
  /^(chapter|appendix|kapitel|anhang|chapitre|annexe|capítulo|anexo|capitolo|part|teil)\s+[\p{N}A-Z]{1,4}\b.*$/iu;

function withoutNumbers(text: string): string {
  return text.replace(chapterName, "$1 #").replace(/\d+/gu, "#");
}

function isPageNumber(text: string): boolean {
  return /^(?:(?:page|seite|p\.?)\s*)?[-–—\s]*(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:\/|of|von)\s*\d{1,4})?[-–—\s]*$/iu.test(
    text,
  );
}

/** Sentences that differ in a number only are content: "Step 3 takes 10 minutes." */
function isSentence(text: string): boolean {
  return text.length > 40 && /[.!?:;]$/u.test(text);
}
