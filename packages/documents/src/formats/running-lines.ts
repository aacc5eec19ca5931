import type { Draft } from "../sections.ts";

const containers = { header: "Page header", footer: "Page footer" } as const;

export type RunningLine = { kind: keyof typeof containers; text: string };
/** What stands together in a line; `isCount` where it holds the number of a page or of all pages. */
export type RunningPart = { text: string; isCount: boolean };

/** "Page … of …" in most languages, and less than what a header has to say besides. */
const longestCountLetters = 12;

/** The parts in one line, without those that only count pages. */
export function lineOf(parts: readonly RunningPart[]): string {
  return parts
    .filter(({ text, isCount }) => !isCount || (text.match(/\p{L}/gu)?.length ?? 0) > longestCountLetters)
    .map(({ text }) => text.replace(/\s+/gu, " ").trim())
    .filter((text) => text !== "")
    .join(" ");
}

/** What a document prints on every page, once each, headers first. It stands under none of its headings. */
export function runningDrafts(lines: readonly RunningLine[]): Draft[] {
  const said = new Set<string>();
  const drafts = lines.flatMap(({ kind, text }): Draft[] => {
    const key = `${kind} ${text}`;
    if (!/[\p{L}\p{N}]/u.test(text) || said.has(key)) return [];
    said.add(key);
    return [{ kind: "paragraph", text, container: containers[kind], section: [] }];
  });
  return drafts.toSorted(
    (a, b) => Number(a.container === containers.footer) - Number(b.container === containers.footer),
  );
}
