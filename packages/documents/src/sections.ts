import type { Element } from "@anneal/core/document/element";

/** An element before its place under the headings is known; it has a section where that is not the headings before it. */
export type Draft = Omit<Element, "section"> & Partial<Pick<Element, "section">>;

/**
 * What every format's parser returns; the caller adds media type and sections. Where the text is beyond the limit and not all of
 * it was kept, `textLength` says how much was met.
 */
export type Parsed = {
  title: string | null;
  drafts: Draft[];
  warnings: string[];
  cutByBounds?: boolean;
  scans?: Scans;
  textLength?: number;
};

/** Pages of a PDF whose text could only be recognised (OCR), numbered from 1. */
export type Scans = {
  pageCount: number;
  /** Pages without text that can be read. */
  unreadable: number[];
  /** Pages with next to none, which may be a stamp on a scan; what it says is among the elements. */
  sparse: number[];
  /** What was filled into these pages and noted on them, which a picture of them may not show. */
  annotations: { page: number; text: string }[];
};

/**
 * Gives each element the titles and headings that it stands under. A title stands above headings of every level.
 */
export function withSections(drafts: readonly Draft[]): Element[] {
  const open: { depth: number; text: string }[] = [];
  return drafts.map((draft) => {
    const isHeading = draft.kind === "title" || draft.kind === "heading";
    const depth = draft.kind === "title" ? 0 : (draft.level ?? 1);
    if (isHeading) {
      while (open.length > 0 && open[open.length - 1]!.depth >= depth) open.pop();
    }
    const section = open.map((heading) => heading.text);
    if (isHeading) open.push({ depth, text: draft.text });
    return { ...draft, section: draft.section ?? section };
  });
}

/** A document with one level-1 heading, before all other headings, has a title there. */
export function promoteOnlyTopHeading(drafts: readonly Draft[]): Draft[] {
  if (drafts.some((draft) => draft.kind === "title")) return [...drafts];
  const headings = drafts.filter((draft) => draft.kind === "heading");
  const top = headings.filter((heading) => heading.level === 1);
  if (top.length !== 1 || headings[0] !== top[0]) return [...drafts];
  return drafts.map((draft) => (draft === top[0] ? { ...draft, kind: "title", level: 1 } : draft));
}

export function firstTitle(drafts: readonly Draft[]): string | null {
  return drafts.find((draft) => draft.kind === "title")?.text ?? null;
}
