import type { Element } from "../document/element.ts";
import { normaliseText, type TextLayout } from "./normalise-text.ts";
import { removeRunningLines } from "./running-lines.ts";

const layouts: Record<Element["kind"], TextLayout> = {
  title: "prose",
  heading: "prose",
  paragraph: "prose",
  list: "prose",
  figure: "prose",
  table: "rows",
  code: "verbatim",
};

/**
 * Elements in plain, comparable text; those left empty are dropped. Where a page break is a layout matter (`fixedLines`,
 * as in PDF), lines of a paragraph are joined, words divided at a line's end are put together, and running
 * headers and footers are removed.
 */
export function normaliseElements(
  elements: readonly Element[],
  options: { fixedLines?: boolean } = {},
): { elements: Element[]; removedLines: number } {
  const sections = new Map<string, string>();
  const normaliseSection = (heading: string) => {
    const known = sections.get(heading) ?? normaliseText(heading).replaceAll("\n", " ");
    sections.set(heading, known);
    return known;
  };
  const plain = elements
    .map((element) => ({
      ...element,
      text: normaliseText(element.text, layouts[element.kind]),
      section: element.section.map(normaliseSection).filter((heading) => heading !== ""),
    }))
    .filter(({ text }) => text !== "");
  if (!options.fixedLines) return { elements: plain, removedLines: 0 };

  const { elements: body, removed } = removeRunningLines(plain);
  const compounds = findCompounds(body);
  const joined = body.map((element) => {
    if (layouts[element.kind] !== "prose") return element;
    const whole = joinDividedWords(element.text, compounds);
    return { ...element, text: element.kind === "list" ? whole : joinLines(whole) };
  });
  return { elements: joined, removedLines: removed };
}

/** Words such as "well-known" that the document writes with a hyphen in the middle of a line. */
function findCompounds(elements: readonly Element[]): Set<string> {
  const compounds = new Set<string>();
  for (const { text } of elements) {
    for (const [compound] of text.matchAll(/\p{L}{1,40}-\p{L}{1,40}/gu)) compounds.add(compound.toLowerCase());
  }
  return compounds;
}

/** After a hyphen these words show that it stands for a word's other half: "Vor- und Nachteile". */
const conjunctions = new Set([
  "und",
  "oder",
  "bzw",
  "sowie",
  "bis",
  "and",
  "or",
  "to",
  "et",
  "ou",
  "y",
  "o",
  "e",
  "en",
  "of",
  "och",
  "og",
  "eller",
]);

function joinDividedWords(text: string, compounds: ReadonlySet<string>): string {
  return text.replace(/(?<=\p{L})[-‐]\n(?=\p{Ll})/gu, (hyphen, at: number) => {
    const before = /\p{L}{1,40}$/u.exec(text.slice(Math.max(0, at - 40), at))?.[0] ?? "";
    const after = /^\p{L}{1,40}/u.exec(text.slice(at + hyphen.length, at + hyphen.length + 40))?.[0] ?? "";
    if (conjunctions.has(after)) return "- ";
    return compounds.has(`${before}-${after}`.toLowerCase()) ? "-" : "";
  });
}

const unspaced = "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}、。「」]";
const breakBetweenUnspaced = new RegExp(`(?<=${unspaced})\\n(?=${unspaced})`, "gu");

function joinLines(text: string): string {
  return text.replace(breakBetweenUnspaced, "").replaceAll("\n", " ");
}
