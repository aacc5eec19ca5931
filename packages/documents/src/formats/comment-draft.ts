import type { Draft } from "../sections.ts";

/**
 * What somebody wrote beside a document's own words, said as somebody's.
 *
 * @param place what it is on, where that does not stand just before it
 * @returns null where it says nothing
 */
export function commentDraft(author: string, said: string, place?: string): Draft | null {
  const tidied = said
    .replace(/[^\S\n]+/gu, " ")
    .replace(/ ?\n[\s]*/gu, "\n")
    .trim();
  if (tidied === "") return null;
  const by = author.replace(/\s+/gu, " ").trim();
  return {
    kind: "paragraph",
    text: `Comment${by === "" ? "" : ` by ${by}`}${place === undefined ? "" : ` on ${place}`}: ${tidied}`,
  };
}
