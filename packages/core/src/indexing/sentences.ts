export type Span = { start: number; end: number };

const segmenter = new Intl.Segmenter("und", { granularity: "sentence" });

/** A full stop after one of these does not end a sentence; Unicode's rules know no abbreviations. */
const abbreviation =
  /(?:^|[\s(])(?:\p{Lu}|e\.g|i\.e|etc|vs|approx|no|nos|nr|art|sec|fig|eq|cf|ca|bzw|bspw|usw|vgl|abs|ziff|z\.\s?b|d\.\s?h|u\.\s?a|p\.\s?ex|n\.\s?b|sra?|dra?|mr|mrs|ms|dr|prof|st|inc|ltd|co|jr|sr|dept|est|tel|p|pp|vol|ed|al)\.\s*$/iu;
const ordinal = /(?:^|[\s(])\p{N}{1,2}\.\s*$/u;
const listMarker = /^\s*(?:[-*+•▪◦–]|\p{N}{1,3}[.)]|\p{L}[.)]|\|)\s*/u;

/**
 * Sentence spans of a text, trimmed, in order. A line that starts a list item or a table row, and a blank line, always
 * begins anew; a single line break inside prose is only a space. Unicode Standard Annex 29 with abbreviations joined.
 */
export function sentenceSpans(text: string): Span[] {
  return blockSpans(text).flatMap((block) => sentencesOfBlock(text, block));
}

/** Spans between blank lines, list markers and table rows. */
function blockSpans(text: string): Span[] {
  const blocks: Span[] = [];
  let start = 0;
  for (const match of text.matchAll(/\n/g)) {
    const next = match.index + 1;
    const lineEnd = text.indexOf("\n", next);
    const line = text.slice(next, lineEnd === -1 ? text.length : lineEnd);
    const before = text.slice(start, match.index);
    if (line.trim() !== "" && !listMarker.test(line) && !/^\s*\|/.test(before)) continue;
    blocks.push({ start, end: match.index });
    start = next;
  }
  blocks.push({ start, end: text.length });
  return blocks.filter((block) => text.slice(block.start, block.end).trim() !== "");
}

function sentencesOfBlock(text: string, block: Span): Span[] {
  const raw = text.slice(block.start, block.end);
  if (raw.trimStart().startsWith("|")) return [trimSpan(text, block)];
  const marker = listMarker.exec(raw)?.[0].length ?? 0;
  // Same length, so that offsets hold: the segmenter would end a sentence at every line break.
  const flat = raw.replace(/\s/g, " ");
  const spans: Span[] = [];
  let open: number | null = 0;
  for (const { segment, index } of segmenter.segment(flat)) {
    const end = index + segment.length;
    open ??= index;
    // Only the last word decides; looking at all of a long run of initials each time would be quadratic.
    const tail = flat.slice(Math.max(open, end - 16), end);
    const joins = end <= marker || abbreviation.test(tail) || ordinal.test(tail);
    if (joins && end < flat.length) continue;
    spans.push(trimSpan(text, { start: block.start + open, end: block.start + end }));
    open = null;
  }
  return spans.filter((span) => span.end > span.start);
}

export function trimSpan(text: string, { start, end }: Span): Span {
  let from = start;
  let to = end;
  while (from < to && /\s/.test(text[from] ?? "")) from += 1;
  while (to > from && /\s/.test(text[to - 1] ?? "")) to -= 1;
  return { start: from, end: to };
}
