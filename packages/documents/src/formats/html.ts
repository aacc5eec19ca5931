import { plainTitle } from "@anneal/core/document/plain-title";
import { type DefaultTreeAdapterTypes, parse } from "parse5";
import { appendAll } from "../append-all.ts";
import { tableDrafts } from "../gfm-table.ts";
import type { ParseLimits } from "../limits.ts";
import { type Draft, type Parsed, firstTitle, promoteOnlyTopHeading } from "../sections.ts";

import { isAllLinks, isFurniture, staysInPage, withoutColophon, withoutLinkRows, withoutMenus } from "./html-chrome.ts";
import { definitionLines, linksOnly, listLines } from "./html-lists.ts";
import { isLayoutTable, mergeHeader, tableGrid } from "./html-tables.ts";
import {
  type Node,
  type Tag,
  attribute,
  blocks,
  childTags,
  collapse,
  collapseLines,
  flatText,
  holdsBlocks,
  inlineText,
  isHidden,
  isTag,
  maxDepth,
} from "./html-tree.ts";

/** A class that the DOCX parser gives to paragraphs of style "Title"; no page in the wild uses it. */
export const titleClass = "anneal-document-title";

/** Fewer stand in a text as well: "See A and B". */
const minRowLinks = 3;

/** HTML to elements, by a walk of the tree that a browser would build. Scripts, navigation and hidden parts are left out. */
export function parseHtml(html: string, limits: ParseLimits): Parsed {
  const source = isXhtml(html) ? withEndTags(html) : html;
  const document = parse(source);
  const root = document.childNodes.find((node): node is Tag => isTag(node) && node.tagName === "html");
  const head = childTags(root).find((tag) => tag.tagName === "head");
  const body = childTags(root).find((tag) => tag.tagName === "body");
  const name = plainTitle(collapse(flatText(childTags(head).find((tag) => tag.tagName === "title") ?? null)), source);
  if (body === undefined) return { title: name || null, drafts: [], warnings: [] };
  const walker = new HtmlWalker(limits, name);
  walker.walk(mainContent(body) ?? body, 0);
  walker.flush();
  const text = withoutLinkRows(withoutColophon(withoutMenus(walker.drafts, walker, name)), walker.linkRows);
  const drafts = promoteOnlyTopHeading(withoutColophon(text));
  return { title: name || firstTitle(drafts), drafts, warnings: walker.warnings };
}

function isXhtml(html: string): boolean {
  return /^\s*(?:<\?xml\b|(?:<!--(?:(?!-->)[\s\S])*-->\s*|<!doctype[^>]*>\s*)*<html\b[^>]*\bxmlns\s*=)/iu.test(
    html.slice(0, 4096),
  );
}

const voidTags = /^(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)$/iu;

/**
 * XHTML closes what is empty within its tag, which HTML does not see: all that follows <title/> or <script/> would be the
 * title's or the script's.
 */
function withEndTags(xhtml: string): string {
  return xhtml.replace(
    /<([a-z][\w:.-]*)((?:[^<>"']|"[^"<]*"|'[^'<]*')*?)\/>/giu,
    (tag, name: string, attributes: string) => (voidTags.test(name) ? tag : `<${name}${attributes}></${name}>`),
  );
}

class HtmlWalker {
  readonly drafts: Draft[] = [];
  readonly warnings: string[] = [];
  /** Lists in which every item is nothing but a link, and paragraphs that are. */
  readonly linked = new Set<Draft>();
  /** Of these the lists whose links stay in the page. */
  readonly contents = new Set<Draft>();
  /** Paragraphs that are nothing but links, three or more. */
  readonly linkRows = new Set<Draft>();
  readonly title: string;
  private readonly limits: ParseLimits;
  private inline = "";
  /** What the paragraph that is being gathered has: links, and words outside of them. */
  private links = 0;
  private isLink = false;
  private hasOwnWords = false;
  /** A heading was read. */
  opened = false;

  constructor(limits: ParseLimits, title: string) {
    this.limits = limits;
    this.title = title;
  }

  walk(node: Node, depth: number): void {
    if (node.nodeName === "#text") {
      const text = (node as DefaultTreeAdapterTypes.TextNode).value.replace(/\s+/gu, " ");
      this.inline += text;
      this.hasOwnWords ||= !this.isLink && /[\p{L}\p{N}]/u.test(text);
      return;
    }
    if (!isTag(node) || isHidden(node) || isFurniture(node, this)) return;
    if (depth > maxDepth) {
      this.inline += ` ${collapse(flatText(node))} `;
      return;
    }
    const name = node.tagName;
    if (name === "br") {
      this.inline += "\n";
    } else if (/^h[1-6]$/u.test(name)) {
      this.flush();
      this.opened = true;
      const isTitle = attribute(node, "class") === titleClass;
      this.push({
        kind: isTitle ? "title" : "heading",
        text: collapse(inlineText(node, depth)),
        level: Number(name[1]),
      });
    } else if (name === "pre" || name === "listing") {
      this.flush();
      this.push({ kind: "code", text: flatText(node).replace(/^\n/u, "").trimEnd() });
    } else if ((name === "ul" || name === "ol" || name === "menu") && !holdsBlocks(node)) {
      this.flush();
      const list: Draft = { kind: "list", text: listLines(node, 0, depth).join("\n") };
      if (linksOnly(node)) {
        this.linked.add(list);
        if (staysInPage(node)) this.contents.add(list);
      }
      this.push(list);
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
      const before = this.drafts.length;
      for (const child of node.childNodes) this.walk(child, depth + 1);
      this.flush();
      const [only] = this.drafts.slice(before);
      if (!this.opened && only !== undefined && this.drafts.length === before + 1 && isAllLinks(node))
        this.linked.add(only);
    } else if (name === "a" && !this.isLink) {
      this.links += 1;
      this.isLink = true;
      for (const child of node.childNodes) this.walk(child, depth + 1);
      this.isLink = false;
    } else {
      for (const child of node.childNodes) this.walk(child, depth + 1);
    }
  }

  /** Ends the paragraph that inline content has gathered. */
  flush(): void {
    const text = collapseLines(this.inline);
    const draft: Draft = { kind: "paragraph", text };
    if (this.links >= minRowLinks && !this.hasOwnWords) this.linkRows.add(draft);
    this.inline = "";
    this.links = 0;
    this.hasOwnWords = false;
    this.push(draft);
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
    const { rows, headerRows } = tableGrid(table, depth, this.limits);
    appendAll(this.drafts, tableDrafts(mergeHeader(rows, headerRows), this.limits));
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
    else appendAll(pending, node.childNodes);
  }
  return found.length === 1 && flatText(found[0]!).trim() !== "" ? found[0]! : null;
}
