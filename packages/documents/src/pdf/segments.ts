/** A piece of text as the page sets it. Coordinates are points, y is the baseline counted from the top of the page. */
export type Run = {
  text: string;
  x: number;
  right: number;
  y: number;
  size: number;
  bold: boolean;
  mono: boolean;
  rtl: boolean;
  /** White space was set before it. */
  spaced: boolean;
};

/** Runs on one baseline without a wide gap: a line of prose, a cell of a table, a heading. */
export type Segment = {
  text: string;
  x: number;
  right: number;
  y: number;
  size: number;
  bold: boolean;
  mono: boolean;
};

/** Segments on one baseline, left to right. */
export type Row = Segment[];

/** Words in justified text seldom stand further apart; cells and columns do. */
const widestWordGapEm = 0.85;
const bulletMarker = /^(?:[•◦▪‣●○■□–—*·o\u{F0B7}\u{F0A7}\u{2022}-]|\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)])$/iu;

/** Runs of one page, in any order, to segments in order of baseline and then from left to right. */
export function toSegments(runs: readonly Run[]): Segment[] {
  return groupByBaseline(dropDoubled(runs)).flatMap((line) => {
    const sorted = line.toSorted((a, b) => a.x - b.x);
    const segments: Run[][] = [];
    for (const run of sorted) {
      const open = segments[segments.length - 1];
      const last = open?.[open.length - 1];
      const gap = last === undefined ? 0 : run.x - last.right;
      const size = Math.max(run.size, last?.size ?? 0);
      const afterMarker = open !== undefined && gap < 5 * size && bulletMarker.test(joinRuns(open));
      if (open === undefined || (gap > widestWordGapEm * size && !afterMarker)) segments.push([run]);
      else open.push(run);
    }
    return segments.map(toSegment);
  });
}

/** Rows of segments, top to bottom. */
export function toRows(segments: readonly Segment[]): Row[] {
  return groupByBaseline(segments).map((row) => row.toSorted((a, b) => a.x - b.x));
}

/** Items whose baselines differ by less than a raised or lowered index does. */
function groupByBaseline<T extends { y: number; size: number }>(items: readonly T[]): T[][] {
  const groups: { y: number; size: number; items: T[] }[] = [];
  for (const item of items.toSorted((a, b) => a.y - b.y)) {
    const open = groups[groups.length - 1];
    if (open === undefined || item.y - open.y > 0.45 * Math.max(open.size, item.size)) {
      groups.push({ y: item.y, size: item.size, items: [item] });
    } else {
      open.items.push(item);
      if (item.size > open.size) Object.assign(open, { y: item.y, size: item.size });
    }
  }
  return groups.map((group) => group.items);
}

/** Some producers print text twice, a hair apart, to make it bold. */
function dropDoubled(runs: readonly Run[]): Run[] {
  const seen = new Set<string>();
  return runs.filter((run) => {
    const key = `${Math.round(run.x / 2)} ${Math.round(run.y / 2)} ${run.text}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function toSegment(runs: Run[]): Segment {
  const main = runs.reduce((widest, run) => (run.right - run.x > widest.right - widest.x ? run : widest));
  const rtl = runs.filter((run) => run.rtl).length * 2 > runs.length;
  const written = runs.filter((run) => /[\p{L}\p{N}]/u.test(run.text));
  return {
    text: joinRuns(rtl ? runs.toReversed() : runs),
    x: Math.min(...runs.map((run) => run.x)),
    right: Math.max(...runs.map((run) => run.right)),
    y: main.y,
    // A word in smaller type, such as code, does not make the line smaller; a drop cap does not make it larger.
    size: Math.max(main.size, ...runs.filter((run) => run.text.length > 2).map((run) => run.size)),
    bold: written.length > 0 && written.every((run) => run.bold),
    mono: written.length > 0 ? written.every((run) => run.mono) : runs.every((run) => run.mono),
  };
}

function joinRuns(runs: readonly Run[]): string {
  let text = "";
  let last: Run | null = null;
  for (const run of runs) {
    const gap = last === null ? 0 : Math.max(run.x - last.right, last.x - run.right);
    const apart = last !== null && (run.spaced || gap > 0.12 * run.size);
    text += apart && !text.endsWith(" ") && !run.text.startsWith(" ") ? ` ${run.text}` : run.text;
    last = run;
  }
  // Leaders of a table of contents.
  return text
    .replace(/\s*(?:\.\s?){5,}/gu, " ... ")
    .replace(/\s+/gu, " ")
    .trim();
}

export function isMarker(text: string): boolean {
  return bulletMarker.test(text);
}
