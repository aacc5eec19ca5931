import { type Row, type Segment, toRows } from "./segments.ts";

type Interval = { from: number; to: number };

/**
 * The segments of a page as regions in reading order. A region is a stretch of the page that is read line by line;
 * columns of prose become regions of their own, left to right, while a table's columns stay together.
 *
 * Rows are taken top to bottom into bands: as long as one gap runs through all rows, they may be columns side by side.
 */
export function splitRegions(segments: readonly Segment[]): Segment[][] {
  const regions: { segments: Segment[]; isColumn: boolean }[] = [];
  const close = (band: readonly Row[]) => {
    const parts = band.length === 0 ? [] : splitBand(band);
    const last = regions[regions.length - 1];
    // Two bands without columns were one stretch of the page.
    if (parts.length === 1 && last?.isColumn === false) last.segments.push(...parts[0]!);
    else regions.push(...parts.map((part) => ({ segments: part, isColumn: parts.length > 1 })));
  };
  let band: Row[] = [];
  let free: Interval[] = [everything];
  for (const row of toRows(segments)) {
    const next = intersect(free, gapsOf(row));
    const hasColumns = gutters(free, band).length > 0;
    const losesColumns = hasColumns && gutters(next, [...band, row]).length === 0;
    if (losesColumns || (!hasColumns && row.length > 1 && band.length > 0)) {
      const start = losesColumns ? band.length : startOfColumns(band, row);
      close(band.slice(0, start));
      band = band.slice(start);
      free = [...band, row].reduce<Interval[]>((left, one) => intersect(left, gapsOf(one)), [everything]);
    } else {
      free = next;
    }
    band.push(row);
  }
  close(band);
  return regions.map((region) => region.segments);
}

/** Columns seldom begin on the same baseline: lines just above that stand on one side of the gap belong to them. */
function startOfColumns(band: readonly Row[], row: Row): number {
  let start = band.length;
  for (let below = row; start > 0; start -= 1) {
    const above = band[start - 1]!;
    const isNear = below[0]!.y - above[0]!.y < 2 * below[0]!.size;
    const isAside =
      above.length === 1 &&
      (above[0]!.right <= row[0]!.right + row[0]!.size || above[0]!.x >= row[1]!.x - row[1]!.size);
    if (!isNear || !isAside) break;
    below = above;
  }
  return start;
}

const everything: Interval = { from: -Infinity, to: Infinity };

function gapsOf(row: Row): Interval[] {
  const gaps: Interval[] = [];
  let from = -Infinity;
  for (const segment of row) {
    if (segment.x > from) gaps.push({ from, to: segment.x });
    from = Math.max(from, segment.right);
  }
  gaps.push({ from, to: Infinity });
  return gaps;
}

function intersect(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  return a.flatMap((one) =>
    b.flatMap((other) => {
      const from = Math.max(one.from, other.from);
      const to = Math.min(one.to, other.to);
      return to > from ? [{ from, to }] : [];
    }),
  );
}

/** The gaps with text on both sides that are wide enough to part columns. */
function gutters(free: readonly Interval[], rows: readonly Row[]): Interval[] {
  const size = rows[rows.length - 1]?.[0]?.size ?? 10;
  return free.filter(
    ({ from, to }) =>
      to - from >= 0.7 * size &&
      to - from < Infinity &&
      rows.some((row) => row.some((segment) => segment.right <= from + 0.01)) &&
      rows.some((row) => row.some((segment) => segment.x >= to - 0.01)),
  );
}

function splitBand(rows: readonly Row[]): Segment[][] {
  const all = rows.flat();
  const free = rows.reduce<Interval[]>((left, row) => intersect(left, gapsOf(row)), [everything]);
  for (const gutter of gutters(free, rows).toSorted((a, b) => b.to - b.from - (a.to - a.from))) {
    const left = all.filter((segment) => segment.right <= gutter.from + 0.01);
    const right = all.filter((segment) => segment.x >= gutter.to - 0.01);
    if (areColumns(left, right)) return [...splitBand(toRows(left)), ...splitBand(toRows(right))];
  }
  return [all];
}

/** Prose fills its column; a table's cells seldom do. Columns whose lines do not share baselines are no table either. */
function areColumns(left: readonly Segment[], right: readonly Segment[]): boolean {
  const [a, b] = [toRows(left), toRows(right)];
  if (a.length < 3 || b.length < 3) return false;
  if (isProse(a) && isProse(b)) return true;
  const shared = a.filter((row) => b.some((other) => Math.abs(other[0]!.y - row[0]!.y) < 0.2 * row[0]!.size)).length;
  return a.length >= 8 && b.length >= 8 && shared < 0.4 * Math.min(a.length, b.length);
}

function isProse(rows: readonly Row[]): boolean {
  const left = Math.min(...rows.flat().map((segment) => segment.x));
  const right = Math.max(...rows.flat().map((segment) => segment.right));
  const filling = rows.filter((row) => row[row.length - 1]!.right - row[0]!.x >= 0.6 * (right - left));
  const lettersPerRow =
    rows.reduce((sum, row) => sum + row.reduce((letters, segment) => letters + segment.text.length, 0), 0) /
    rows.length;
  return filling.length >= rows.length * 0.5 && lettersPerRow >= 18;
}
