import { type XmlElement, elementOf, elementsOf, textOf } from "../xml-tree.ts";
import { type RunningLine, type RunningPart, lineOf } from "./running-lines.ts";

/**
 * What the pages of an OpenDocument file print, by its page styles.
 *
 * @param used names of the page styles that somebody chose; the one that the others are made from counts as used, and one that
 * follows another
 */
export function odfHeadersAndFooters(styles: XmlElement | undefined, used: ReadonlySet<string>): RunningLine[] {
  const pages = elementsOf(elementOf(styles, "master-styles"), "master-page");
  const byName = new Map(pages.map((page) => [page.attributes["style:name"] ?? "", page]));
  const shown = new Set([byName.get("Standard") ?? pages[0], ...[...used].map((name) => byName.get(name))]);
  // A set hands out what is added to it on the way.
  for (const page of shown) shown.add(byName.get(page?.attributes["style:next-style-name"] ?? ""));
  return [...shown].flatMap((page) =>
    elementsOf(page).flatMap((part): RunningLine[] => {
      const kind = /^(header|footer)(?:-left|-first)?$/u.exec(part.name)?.[1] as RunningLine["kind"] | undefined;
      if (kind === undefined || part.attributes["style:display"] === "false") return [];
      return linesIn(part).map((text) => ({ kind, text }));
    }),
  );
}

/** A row of a table is a line: what is put side by side belongs together. */
function linesIn(element: XmlElement): string[] {
  return elementsOf(element).flatMap((child) => {
    if (child.name === "p" || child.name === "h") return paragraphLines(child);
    if (child.name === "table-row") {
      const cells = elementsOf(child).map((cell) => linesIn(cell).join(" "));
      return [cells.filter((text) => text !== "").join(" | ")];
    }
    return unread.has(child.name) ? [] : linesIn(child);
  });
}

const unread = new Set(
  "annotation annotation-end tracked-changes change change-start change-end forms note".split(" "),
);
/** What a spreadsheet does not keep: question marks stand in its place. */
const unkept = new Set(["sheet-name", "file-name"]);
const counts = new Set(["page-number", "page-count", "page-continuation"]);

/** The parts between its tabs in one line, without those that only count pages, then what its text boxes say. */
function paragraphLines(paragraph: XmlElement): string[] {
  const parts: RunningPart[] = [{ text: "", isCount: false }];
  const boxes: string[] = [];
  const walk = (element: XmlElement): void => {
    for (const child of element.children) {
      const part = parts.at(-1)!;
      if (typeof child === "string") part.text += child;
      else if (child.name === "tab") parts.push({ text: "", isCount: false });
      else if (child.name === "s" || child.name === "line-break") part.text += " ";
      else if (child.name === "text-box") for (const line of linesIn(child)) boxes.push(line);
      else if (counts.has(child.name)) {
        part.text += textOf(child);
        part.isCount = true;
      } else if (child.name === "date" || child.name === "time") {
        // One that is not fixed says when it was looked at.
        if (child.attributes["text:fixed"] === "true") part.text += textOf(child);
      } else if (!unread.has(child.name) && !unkept.has(child.name)) walk(child);
    }
  };
  walk(paragraph);
  return [lineOf(parts), ...boxes];
}
