import { elementSpans, type Element, type ElementBox } from "../document/element.ts";
import { type Span, sentenceSpans, trimSpan } from "./sentences.ts";
import { lineSpans, parseTable } from "./table.ts";

export type CountTokens = (text: string) => number;

/**
 * Tokens of a text without a tokenizer: the larger of characters / 4 and words * 1.3, the two usual rules of thumb for
 * English subword vocabularies. Errs on the high side for code and long words, which is the safe side.
 */
export function approximateTokens(text: string): number {
  const words = text.match(/\S+/g)?.length ?? 0;
  return Math.ceil(Math.max(text.length / 4, words * 1.3));
}

/** The smallest piece that a chunk is packed from; [start, end) lies in `documentText(elements)`. */
export type ChunkUnit = Span & {
  tokens: number;
  kind: Element["kind"];
  /** Where the element stands; a heading stands under itself. */
  section: string[];
  page: number | null;
  /** Of the whole element. */
  box: ElementBox | null;
  container: string | null;
  /** The header of a table whose rows were split, to be repeated beside them. */
  tableHeader: string | null;
  /** A piece of a longer element, so that a chunk may overlap into it. */
  part: boolean;
};

/** Turns elements into units of at most `maxTokens` each: whole where they fit, else rows, items, lines, sentences, words. */
export function chunkUnits(
  elements: readonly Element[],
  text: string,
  maxTokens: number,
  count: CountTokens,
): ChunkUnit[] {
  const spans = elementSpans(elements);
  return elements.flatMap((element, index): ChunkUnit[] => {
    const whole = trimSpan(text, spans[index] ?? { start: 0, end: 0 });
    if (whole.start >= whole.end) return [];
    const heading = element.kind === "title" || element.kind === "heading";
    const section =
      heading && element.section.at(-1) !== element.text ? [...element.section, element.text] : element.section;
    const base = {
      kind: element.kind,
      section,
      page: element.page ?? null,
      box: element.box ?? null,
      container: element.container ?? null,
    };
    const tokens = count(text.slice(whole.start, whole.end));
    if (tokens <= maxTokens) return [{ ...base, ...whole, tokens, tableHeader: null, part: false }];

    const header = element.kind === "table" ? headerOf(text.slice(whole.start, whole.end), maxTokens, count) : null;
    const budget = maxTokens - (header ? count(header) : 0);
    return pieces(element.kind, text, whole, header)
      .flatMap((piece) => fitPiece(text, piece, budget, count))
      .map((piece) => ({
        ...base,
        ...piece,
        tokens: count(text.slice(piece.start, piece.end)),
        tableHeader: header,
        part: true,
      }));
  });
}

/** A header that would take more than half of every chunk is not repeated. */
function headerOf(table: string, maxTokens: number, count: CountTokens): string | null {
  const { header } = parseTable(table);
  if (!header) return null;
  const text = table.slice(header.start, header.end);
  return count(text) * 2 <= maxTokens ? text : null;
}

function pieces(kind: Element["kind"], text: string, whole: Span, header: string | null): Span[] {
  const raw = text.slice(whole.start, whole.end);
  const shift = ({ start, end }: Span) => trimSpan(text, { start: start + whole.start, end: end + whole.start });
  const nonEmpty = (span: Span) => span.end > span.start;
  if (kind === "table") {
    const table = parseTable(raw);
    const rows = header || !table.header ? table.rows : [table.header, ...table.rows];
    return rows.map(shift).filter(nonEmpty);
  }
  if (kind === "code") return lineSpans(raw).map(shift).filter(nonEmpty);
  return sentenceSpans(raw).map(shift);
}

/** Cuts what is still too long at spaces, and what has none at characters, never inside a surrogate pair. */
function fitPiece(text: string, piece: Span, maxTokens: number, count: CountTokens): Span[] {
  if (count(text.slice(piece.start, piece.end)) <= maxTokens) return [piece];
  const fitted: Span[] = [];
  let start = piece.start;
  while (start < piece.end) {
    const end = longestFit(text, { start, end: piece.end }, maxTokens, count);
    const span = trimSpan(text, { start, end });
    if (span.end > span.start) fitted.push(span);
    start = end;
  }
  return fitted;
}

function longestFit(text: string, { start, end }: Span, maxTokens: number, count: CountTokens): number {
  let fits = start + 1;
  let tooLong = start + 2;
  // Doubling first keeps the search, and the counting, near the length that fits.
  while (tooLong <= end && count(text.slice(start, tooLong)) <= maxTokens) {
    fits = tooLong;
    tooLong = Math.min(end + 1, start + 2 * (tooLong - start));
  }
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (count(text.slice(start, middle)) <= maxTokens) fits = middle;
    else tooLong = middle;
  }
  if (fits >= end) return end;
  const space = text.lastIndexOf(" ", fits);
  if (space > start) return space;
  const last = text.charCodeAt(fits - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return splitsPair ? fits + 1 : fits;
}
