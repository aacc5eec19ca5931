import type { Element } from "../document/element.ts";

/** Lines at the top and the bottom of a page that are looked at. */
const edgeLines = 2;
const minPages = 3;
/** Left and right pages often differ, so a running header may stand on less than half of the pages. */
const minShare = 0.4;

type Place = { element: number; line: number; page: number; text: string };

/**
 * Removes page headers and footers: lines at the edge of a page that stand on at least three pages and 40% of all. A text
 * that repeats literally stays where it first stands; a line whose number counts along with the pages
 * ("Page 3 of 12") goes everywhere. Tables and code are never touched, nor are numbered headings.
 */
export function removeRunningLines(elements: readonly Element[]): {
  elements: Element[];
  removed: number;
} {
  const edges = edgesOfPages(elements);
  const pageCount = new Set(edges.map(({ page }) => page)).size;
  if (pageCount < minPages) return { elements: [...elements], removed: 0 };

  const groups = new Map<string, Place[]>();
  for (const place of edges) {
    const numbered = elements[place.element]?.kind === "paragraph" || elements[place.element]?.kind === "list";
    for (const key of [`=${place.text}`, ...(numbered ? countingKeys(place) : [])]) {
      const group = groups.get(key) ?? [];
      group.push(place);
      groups.set(key, group);
    }
  }
  const removed = new Map<number, Set<number>>();
  for (const [key, places] of groups) {
    const pages = new Set(places.map(({ page }) => page)).size;
    if (pages < minPages || pages < pageCount * minShare) continue;
    const keepsFirst = key.startsWith("=") && /\p{L}/u.test(key);
    for (const { element, line } of keepsFirst ? places.slice(1) : places) {
      removed.set(element, (removed.get(element) ?? new Set()).add(line));
    }
  }
  let count = 0;
  const kept = elements.flatMap((element, at) => {
    const gone = removed.get(at);
    if (!gone) return [element];
    count += gone.size;
    const text = element.text
      .split("\n")
      .filter((_, line) => !gone.has(line))
      .join("\n");
    return text === "" ? [] : [{ ...element, text }];
  });
  return { elements: kept, removed: count };
}

/** In reading order; a line of a short page that is both first and last appears once. */
function edgesOfPages(elements: readonly Element[]): Place[] {
  const pages = new Map<number, Place[]>();
  for (const [element, { kind, text, page }] of elements.entries()) {
    if (page === undefined || kind === "table" || kind === "code" || kind === "figure") continue;
    const places = pages.get(page) ?? [];
    for (const [line, content] of text.split("\n").entries())
      places.push({ element, line, page, text: content.trim() });
    pages.set(page, places);
  }
  return [...pages.values()].flatMap((places) =>
    places.length <= 2 * edgeLines ? places : [...places.slice(0, edgeLines), ...places.slice(-edgeLines)],
  );
}

/** One key per number of the line: the line without its numbers, and how far that number is from the page's. */
function countingKeys({ text, page }: Place): string[] {
  if (text.length > 80) return [];
  const blanked = text.replace(/\d+/g, "#");
  return [...text.matchAll(/\d{1,6}/g)].map(([number], at) => `#${blanked}|${at}|${Number(number) - page}`);
}
