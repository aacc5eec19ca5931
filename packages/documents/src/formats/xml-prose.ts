import { appendAll } from "../append-all.ts";
import { tableDrafts } from "../gfm-table.ts";
import type { ParseLimits } from "../limits.ts";
import { type Draft, type Parsed, firstTitle } from "../sections.ts";
import { type XmlElement, descendantsOf, elementOf, elementsOf, textOf } from "../xml-tree.ts";
import { collapse } from "./html-tree.ts";

/** What the common vocabularies (DocBook, DITA, TEI, JATS) call the parts of a text. */
const headings = new Set(["title", "head", "heading", "bridgehead"]);
const listings = new Set(["programlisting", "screen", "literallayout", "codeblock", "pre", "code", "preformat"]);
const lists = new Set(["itemizedlist", "orderedlist", "ul", "ol", "sl", "list"]);
const items = new Set(["listitem", "item", "li", "sli", "list-item"]);
const rows = new Set(["row", "tr", "sthead", "strow"]);

/** Whether text and elements stand beside each other somewhere: only a text for people has markup within sentences. */
export function isProse(element: XmlElement): boolean {
  const children = elementsOf(element);
  return (children.length > 0 && hasText(element)) || children.some(isProse);
}

/** A text's elements in their order; what a name does not tell is a paragraph where it holds text, and a container otherwise. */
export function renderProse(root: XmlElement, limits: ParseLimits): Parsed {
  const drafts: Draft[] = [];
  const warnings: string[] = [];
  walk(root, 0);
  return { title: firstTitle(drafts), drafts: drafts.filter((draft) => draft.text.trim() !== ""), warnings };

  function walk(element: XmlElement, level: number): void {
    const { name } = element;
    if (headings.has(name)) {
      const isTitle = level <= 1 && drafts.length === 0;
      drafts.push({
        kind: isTitle ? "title" : "heading",
        text: collapse(textOf(element)),
        level: isTitle ? 1 : Math.min(Math.max(level - 1, 1), 6),
      });
    } else if (listings.has(name)) {
      drafts.push({ kind: "code", text: textOf(element).replace(/^\n/u, "").trimEnd() });
    } else if (lists.has(name) && elementsOf(element).some((child) => items.has(child.name))) {
      drafts.push({ kind: "list", text: listLines(element, 0).join("\n") });
    } else if (name === "table" || name === "informaltable" || name === "simpletable") {
      table(element);
    } else if (hasText(element)) {
      drafts.push({ kind: "paragraph", text: collapse(textOf(element)) });
    } else {
      const opensSection = elementsOf(element).some((child) => headings.has(child.name));
      for (const child of elementsOf(element)) walk(child, level + (opensSection ? 1 : 0));
    }
  }

  function table(element: XmlElement): void {
    const caption = collapse(textOf(elementOf(element, "title") ?? elementOf(element, "caption")));
    drafts.push({ kind: "paragraph", text: caption });
    const grid = [...rows]
      .flatMap((name) => descendantsOf(element, name))
      .map((row) => elementsOf(row).map((cell) => collapse(textOf(cell))));
    appendAll(drafts, tableDrafts(grid, limits));
  }
}

function listLines(list: XmlElement, indent: number): string[] {
  const isNumbered = list.name === "orderedlist" || list.name === "ol";
  return elementsOf(list)
    .filter((child) => items.has(child.name))
    .flatMap((item, index) => {
      const nested = elementsOf(item).filter((child) => lists.has(child.name));
      const own = { ...item, children: item.children.filter((child) => !nested.includes(child as XmlElement)) };
      const text = collapse(textOf(own));
      const line = `${"  ".repeat(indent)}${isNumbered ? `${index + 1}.` : "-"} ${text}`;
      return [...(text === "" ? [] : [line]), ...nested.flatMap((inner) => listLines(inner, indent + 1))];
    });
}

function hasText(element: XmlElement): boolean {
  return element.children.some((child) => typeof child === "string" && child.trim() !== "");
}
