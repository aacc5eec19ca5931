type Element = { start: number; end: number; text: string };
type Source = { charStart: number; charEnd: number; quote: string };

/**
 * Where a pair's words stand in the document's text as it is now. A document may have changed since: then the words are
 * looked for, and what is not there any more has no place.
 * @returns character offsets into the document's text, as its elements carry them
 */
export function locateSpan(
  elements: readonly Element[],
  { charStart, charEnd, quote }: Source,
): { start: number; end: number } | null {
  const text = textOf(elements);
  if (sameWords(text.slice(charStart, charEnd), quote)) return { start: charStart, end: charEnd };
  const found = quote === "" ? -1 : text.indexOf(quote);
  return found < 0 ? null : { start: found, end: found + quote.length };
}

/** The elements at their offsets, with line breaks between them. */
function textOf(elements: readonly Element[]): string {
  let text = "";
  for (const element of elements) text = text.padEnd(element.start, "\n") + element.text;
  return text;
}

function sameWords(left: string, right: string): boolean {
  return collapse(left) === collapse(right) && right !== "";
}

function collapse(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
