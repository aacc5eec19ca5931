import { type DefaultTreeAdapterTypes, parse } from "parse5";
import { limitRows, renderTable } from "../gfm-table.ts";
import type { ParseLimits } from "../limits.ts";
import { type Draft, type Parsed, firstTitle, promoteOnlyTopHeading } from "../sections.ts";

type Node = DefaultTreeAdapterTypes.ChildNode;
type Tag = DefaultTreeAdapterTypes.Element;

/** A class that the DOCX parser gives to paragraphs of style "Title"; no page in the wild uses it. */
export const titleClass = "anneal-document-title";

/** Browsers stop at 512 levels as well; what lies deeper keeps its text and loses its structure. */
const maxDepth = 400;
const skipped = new Set(
  "script style nav template noscript head iframe object embed svg math canvas audio video map input select textarea button datalist dialog".split(" "),
);
const blocks = new Set(
  "address article aside blockquote body center details dd div dl dt fieldset figcaption figure footer form header hgroup html legend main p section summary td th tr tbody thead tfoot caption li".split(
    " ",
  ),
);

/** HTML to elements, by a walk of the tree that a browser would build. Scripts, navigation and hidden parts are left out. */
export function parseHtml(html: string, limits: ParseLimits): Parsed {
  const document = parse(html);
  const root = document.childNodes.find((node): node is Tag => isTag(node) && node.tagName === "html");
  const head = childTags(root).find((tag) => tag.tagName === "head");
  const body = childTags(root).find((tag) => tag.tagName === "body");
  const name = collapse(flatText(childTags(head).find((tag) => tag.tagName === "title") ?? null));
  if (body === undefined) return { title: name || null, drafts: [], warnings: [] };
  const walker = new HtmlWalker(limits);
  walker.walk(mainContent(body) ?? body, 0);
  walker.flush();
  const drafts = promoteOnlyTopHeading(walker.drafts);
  return { title: name || firstTitle(drafts), drafts, warnings: walker.warnings };
}

class HtmlWalker {
  readonly drafts: Draft[] = [];
  readonly warnings: string[] = [];
  private readonly limits: ParseLimits;
  private inline = "";

  constructor(limits: ParseLimits) {
    this.limits = limits;
  }

  walk(node: Node, depth: number): void {
    if (node.nodeName === "#text") {
      this.inline += (node as DefaultTreeAdapterTypes.TextNode).value.replace(/\s+/gu, " ");
      return;
    }
    if (!isTag(node) || isHidden(node)) return;
    if (depth > maxDepth) {
      this.inline += ` ${collapse(flatText(node))} `;
      return;
    }
    const name = node.tagName;
    if (name === "br") {
      this.inline += "\n";
    } else if (/^h[1-6]$/u.test(name)) {
      this.flush();
      const isTitle = attribute(node, "class") === titleClass;
      this.push({ kind: isTitle ? "title" : "heading", text: collapse(inlineText(node, depth)), level: Number(name[1]) });
    } else if (name === "pre" || name === "listing") {
      this.flush();
      this.push({ kind: "code", text: flatText(node).replace(/^\n|\s+$/gu, "") });
    } else if ((name === "ul" || name === "ol" || name === "menu") && !holdsBlocks(node)) {
      this.flush();
      this.push({ kind: "list", text: listLines(node, 0, depth).join("\n") });
    } else if (name === "dl" && !holdsBlocks(node)) {
      this.flush();
      this.push({ kind: "list", text: definitionLines(node, depth).join("\n") });
    } else if (name === "table" && !isLayoutTable(node)) {
      this.flush();
      this.table(node, depth);
    } else if (name === "img") {
      this.image(node);
    } else if (name === "hr") {
      this.flush();
    } else if (blocks.has(name) || name === "ul" || name === "ol" || name === "dl" || name === "table") {
      this.flush();
      for (const child of node.childNodes) this.walk(child, depth + 1);
      this.flush();
    } else {
      for (const child of node.childNodes) this.walk(child, depth + 1);
    }
  }

  /** Ends the paragraph that inline content has gathered. */
  flush(): void {
    const text = collapseLines(this.inline);
    this.inline = "";
    this.push({ kind: "paragraph", text });
  }

  private push(draft: Draft): void {
    if (draft.text.trim() !== "") this.drafts.push(draft);
  }

  /** A picture on its own is a figure when somebody described it; inside a sentence it is decoration. */
  private image(node: Tag): void {
    const text = collapse(attribute(node, "alt") ?? "");
    if (this.inline.trim() === "" && text.includes(" ")) this.push({ kind: "figure", text });
  }

  private table(table: Tag, depth: number): void {
    const caption = childTags(table).find((tag) => tag.tagName === "caption");
    if (caption !== undefined) this.push({ kind: "paragraph", text: collapse(inlineText(caption, depth)) });
    const { rows, headerRows, total } = tableGrid(table, depth, this.limits);
    const limited = limitRows(mergeHeader(rows, headerRows), total - Math.max(0, headerRows - 1), "Table", this.limits);
    this.warnings.push(...limited.warnings);
    const text = renderTable(limited.rows);
    if (text !== null) this.push({ kind: "table", text });
  }
}

/** The one <main> of the page, when it holds any text; what stands around it is chrome. */
function mainContent(body: Tag): Tag | null {
  const found: Tag[] = [];
  const pending: Node[] = [...body.childNodes];
  while (pending.length > 0) {
    const node = pending.pop()!;
    if (!isTag(node) || isHidden(node)) continue;
    if (node.tagName === "main" || attribute(node, "role") === "main") found.push(node);
    else pending.push(...node.childNodes);
  }
  return found.length === 1 && flatText(found[0]!).trim() !== "" ? found[0]! : null;
}

function isTag(node: Node): node is Tag {
  return "tagName" in node;
}

function childTags(tag: Tag | undefined): Tag[] {
  return (tag?.childNodes ?? []).filter(isTag);
}

function attribute(tag: Tag, name: string): string | undefined {
  return tag.attrs.find((candidate) => candidate.name === name)?.value;
}

function isHidden(tag: Tag): boolean {
  if (skipped.has(tag.tagName) || attribute(tag, "hidden") !== undefined || attribute(tag, "aria-hidden") === "true") return true;
  if (attribute(tag, "role") === "navigation") return true;
  const style = attribute(tag, "style");
  return style !== undefined && /(?:display\s*:\s*none|visibility\s*:\s*hidden)/iu.test(style);
}

/** All text below, also at any depth: iterative on purpose. */
function flatText(top: Tag | null): string {
  let text = "";
  const pending: Node[] = top === null ? [] : [top];
  while (pending.length > 0) {
    const node = pending.pop()!;
    if (node.nodeName === "#text") text += (node as DefaultTreeAdapterTypes.TextNode).value;
    else if (isTag(node) && node.tagName === "br") text += "\n";
    else if (isTag(node) && (node === top || !isHidden(node))) pending.push(...node.childNodes.toReversed());
  }
  return text;
}

/** Text of a cell, heading or list item; block boundaries become line breaks. `skip` leaves out nested lists. */
function inlineText(tag: Tag, depth: number, skip?: (tag: Tag) => boolean): string {
  if (depth > maxDepth) return flatText(tag);
  let text = "";
  for (const node of tag.childNodes) {
    if (node.nodeName === "#text") text += (node as DefaultTreeAdapterTypes.TextNode).value.replace(/\s+/gu, " ");
    else if (isTag(node) && !isHidden(node) && skip?.(node) !== true) {
      if (node.tagName === "br") text += "\n";
      else if (blocks.has(node.tagName) || isList(node)) text += `\n${inlineText(node, depth + 1, skip)}\n`;
      else text += inlineText(node, depth + 1, skip);
    }
  }
  return text;
}

function isList(tag: Tag): boolean {
  return tag.tagName === "ul" || tag.tagName === "ol" || tag.tagName === "menu";
}

function holdsBlocks(tag: Tag): boolean {
  const pending: Node[] = [...tag.childNodes];
  while (pending.length > 0) {
    const node = pending.pop()!;
    if (!isTag(node)) continue;
    if (/^(?:h[1-6]|table|pre)$/u.test(node.tagName)) return true;
    pending.push(...node.childNodes);
  }
  return false;
}

function listLines(list: Tag, indent: number, depth: number): string[] {
  if (depth > maxDepth) return [collapse(flatText(list))];
  const lines: string[] = [];
  let number = Number.parseInt(attribute(list, "start") ?? "1", 10) || 1;
  for (const item of childTags(list)) {
    if (isHidden(item)) continue;
    if (isList(item)) {
      lines.push(...listLines(item, indent + 1, depth + 1));
      continue;
    }
    const marker = list.tagName === "ol" ? `${number}.` : "-";
    number += 1;
    const text = collapseLines(inlineText(item, depth + 1, isList)).split("\n").join(" ");
    if (text !== "") lines.push(`${"  ".repeat(indent)}${marker} ${text}`);
    for (const nested of nestedLists(item)) lines.push(...listLines(nested, text === "" ? indent : indent + 1, depth + 1));
  }
  return lines;
}

/** The lists directly inside an item, also through wrappers such as <div>, but not those inside these lists. */
function nestedLists(item: Tag): Tag[] {
  const found: Tag[] = [];
  const pending: Node[] = item.childNodes.toReversed();
  while (pending.length > 0) {
    const node = pending.pop()!;
    if (!isTag(node) || isHidden(node)) continue;
    if (isList(node)) found.push(node);
    else pending.push(...node.childNodes.toReversed());
  }
  return found;
}

function definitionLines(list: Tag, depth: number): string[] {
  const lines: string[] = [];
  let terms: string[] = [];
  const entries = childTags(list).flatMap((tag) => (tag.tagName === "div" ? childTags(tag) : [tag]));
  for (const entry of entries) {
    const text = collapse(inlineText(entry, depth + 1));
    if (entry.tagName === "dt") terms.push(text);
    else if (text !== "") {
      lines.push(`- ${terms.length > 0 ? `${terms.join(", ")}: ` : ""}${text}`);
      terms = [];
    }
  }
  if (terms.length > 0) lines.push(`- ${terms.join(", ")}`);
  return lines;
}

/** Tables that only place things: nested tables, headings in cells, one column, one row. Their cells are read as blocks. */
function isLayoutTable(table: Tag): boolean {
  if (attribute(table, "role") === "presentation" || holdsBlocks(table)) return true;
  const rows = tableRows(table);
  const widest = rows.reduce((most, row) => Math.max(most, cellsOf(row.row).length), 0);
  return rows.length < 2 || widest < 2;
}

type TableRow = { row: Tag; inHead: boolean };

function tableRows(table: Tag): TableRow[] {
  return childTags(table).flatMap((part) => {
    if (part.tagName === "tr") return [{ row: part, inHead: false }];
    if (!/^t(?:head|body|foot)$/u.test(part.tagName)) return [];
    return childTags(part).flatMap((row) => (row.tagName === "tr" ? [{ row, inHead: part.tagName === "thead" }] : []));
  });
}

function cellsOf(row: Tag): Tag[] {
  return childTags(row).filter((cell) => cell.tagName === "td" || cell.tagName === "th");
}

/**
 * The table as a grid. A cell that spans rows stands in each of them, so that every row can be read alone; one that
 * spans columns is repeated in the header, where it names each of them, and stands once in the body.
 */
function tableGrid(table: Tag, depth: number, limits: ParseLimits): { rows: string[][]; headerRows: number; total: number } {
  const source = tableRows(table);
  const rows: string[][] = [];
  const hanging: { text: string; left: number }[] = [];
  let headerRows = 0;
  let reading = true;
  for (const { row, inHead } of source.slice(0, limits.maxTableRows + 1)) {
    const cells = cellsOf(row);
    const isHeader = inHead || (rows.length === headerRows && cells.length > 0 && cells.every((cell) => cell.tagName === "th"));
    reading &&= isHeader;
    if (reading) headerRows += 1;
    const line: string[] = [];
    const takeHanging = () => {
      for (let held = hanging[line.length]; held !== undefined && held.left > 0; held = hanging[line.length]) {
        held.left -= 1;
        line.push(held.text);
      }
    };
    for (const cell of cells) {
      takeHanging();
      const text = collapse(inlineText(cell, depth + 1));
      const columns = span(cell, "colspan", limits.maxTableColumns);
      const hangs = span(cell, "rowspan", source.length) - 1;
      for (let column = 0; column < columns && line.length <= limits.maxTableColumns; column += 1) {
        const shown = column === 0 || isHeader ? text : "";
        hanging[line.length] = { text: shown, left: hangs };
        line.push(shown);
      }
    }
    takeHanging();
    rows.push(line);
  }
  return { rows, headerRows, total: source.length };
}

function span(cell: Tag, name: string, most: number): number {
  const value = Number.parseInt(attribute(cell, name) ?? "1", 10);
  if (name === "rowspan" && value === 0) return most;
  return Math.min(Math.max(value || 1, 1), Math.max(most, 1));
}

/** A header of several rows becomes one: "2026 / Q1". */
function mergeHeader(rows: string[][], headerRows: number): string[][] {
  if (headerRows < 2) return rows;
  const header = rows.slice(0, headerRows);
  const width = Math.max(...header.map((row) => row.length));
  const merged = Array.from({ length: width }, (_, column) =>
    [...new Set(header.map((row) => row[column] ?? "").filter((text) => text !== ""))].join(" / "),
  );
  return [merged, ...rows.slice(headerRows)];
}

function collapse(text: string): string {
  return text.replace(/\s+/gu, " ").trim();
}

function collapseLines(text: string): string {
  return text
    .split("\n")
    .map(collapse)
    .filter((line) => line !== "")
    .join("\n");
}
