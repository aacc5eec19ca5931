/** "Page 4", "Pages 1-3, 7". */
export function pageList(pages: readonly number[]): string {
  const ranges: { from: number; to: number }[] = [];
  for (const page of pages) {
    const last = ranges[ranges.length - 1];
    if (last !== undefined && page === last.to + 1) last.to = page;
    else ranges.push({ from: page, to: page });
  }
  const shown = ranges.slice(0, 20).map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
  return `Page${pages.length === 1 ? "" : "s"} ${shown.join(", ")}${ranges.length > 20 ? " and more" : ""}`;
}
