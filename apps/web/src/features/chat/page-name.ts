import type { ElementBox } from "@anneal/core/document/element";

/** Where somebody who opens the original finds it: the page, and about where on it, where that is known. */
export function pageName(page: number | null, box: ElementBox | undefined): string | null {
  if (page === null) return null;
  if (box === undefined) return `page ${page}`;
  const middle = box.top + box.height / 2;
  const place = middle < 1 / 3 ? "near the top" : middle > 2 / 3 ? "near the bottom" : "in the middle";
  return `page ${page}, ${place}`;
}
