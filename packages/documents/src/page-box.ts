import type { ElementBox } from "@anneal/core/document/element";

/** Distances from a page's left and top, in whatever unit the page is measured in. */
export type Edges = { left: number; top: number; right: number; bottom: number };

/** Edges as shares of the page, kept inside it; null for a page without a size. */
export function boxOf(edges: Edges, page: { width: number; height: number }): ElementBox | null {
  if (!(page.width > 0 && page.height > 0)) return null;
  const share = (value: number, whole: number) => Math.min(1, Math.max(0, value / whole));
  const [left, right] = [share(edges.left, page.width), share(edges.right, page.width)];
  const [top, bottom] = [share(edges.top, page.height), share(edges.bottom, page.height)];
  return {
    left: round(left),
    top: round(top),
    width: round(Math.max(0, right - left)),
    height: round(Math.max(0, bottom - top)),
  };
}

export function edgesAround(edges: readonly Edges[]): Edges | null {
  return edges.reduce<Edges | null>(
    (around, { left, top, right, bottom }) =>
      around === null
        ? { left, top, right, bottom }
        : {
            left: Math.min(around.left, left),
            top: Math.min(around.top, top),
            right: Math.max(around.right, right),
            bottom: Math.max(around.bottom, bottom),
          },
    null,
  );
}

/** A tenth of a millimetre of a page. */
function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
