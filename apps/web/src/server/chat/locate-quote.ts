/** Where a quote stands in a text now. "moved": elsewhere than when it was cited. "gone": the text no longer has it. */
export type QuotePlace =
  | { kind: "exact"; start: number; end: number }
  | { kind: "moved"; start: number; end: number }
  | { kind: "gone" };

/**
 * A document may have changed since it was cited: the quote is looked for at its place first, then anywhere, the
 * occurrence nearest to its old place winning. Offsets are UTF-16 code units of `text`.
 */
export function locateQuote(text: string, quote: string, charStart: number): QuotePlace {
  if (quote === "") return { kind: "gone" };
  const end = charStart + quote.length;
  if (text.slice(charStart, end) === quote) return { kind: "exact", start: charStart, end };
  const before = text.lastIndexOf(quote, charStart);
  const after = text.indexOf(quote, charStart);
  const nearest = [before, after]
    .filter((start) => start >= 0)
    .toSorted((left, right) => Math.abs(left - charStart) - Math.abs(right - charStart))[0];
  return nearest === undefined ? { kind: "gone" } : { kind: "moved", start: nearest, end: nearest + quote.length };
}
