import type { DefaultTreeAdapterTypes } from "parse5";
import { appendAll } from "../append-all.ts";

export type Node = DefaultTreeAdapterTypes.ChildNode;
export type Tag = DefaultTreeAdapterTypes.Element;

/** Browsers stop at 512 levels as well; what lies deeper keeps its text and loses its structure. */
export const maxDepth = 400;
const skipped = new Set(
  "script style nav template noscript head iframe object embed svg math canvas audio video map input select textarea button datalist dialog".split(
    " ",
  ),
);
export const blocks = new Set(
  "address article aside blockquote body center details dd div dl dt fieldset figcaption figure footer form header hgroup html legend main p section summary td th tr tbody thead tfoot caption li".split(
    " ",
  ),
);

/** What page makers call the parts that lead elsewhere: a reader of the text skips them, and a table of contents repeats it. */
const chrome = /^(?:nav|navbar|nav-?header|nav-?footer|navigation|breadcrumbs?|toc|table-of-contents|skip-link)$/iu;

export function isTag(node: Node): node is Tag {
  return "tagName" in node;
}

export function childTags(tag: Tag | undefined): Tag[] {
  return (tag?.childNodes ?? []).filter(isTag);
}

export function attribute(tag: Tag, name: string): string | undefined {
  return tag.attrs.find((candidate) => candidate.name === name)?.value;
}

export function isHidden(tag: Tag): boolean {
  if (skipped.has(tag.tagName) || attribute(tag, "hidden") !== undefined || attribute(tag, "aria-hidden") === "true")
    return true;
  // A dialog stands over the page: notices about cookies, offers of a newsletter.
  if (/^(?:navigation|dialog|alertdialog|search)$/u.test(attribute(tag, "role") ?? "")) return true;
  if (attribute(tag, "aria-modal") === "true") return true;
  const names = `${attribute(tag, "class") ?? ""} ${attribute(tag, "id") ?? ""}`;
  if (tag.tagName !== "body" && names.split(/\s+/u).some((name) => chrome.test(name))) return true;
  const style = attribute(tag, "style");
  return style !== undefined && /(?:display\s*:\s*none|visibility\s*:\s*hidden)/iu.test(style);
}

/** All text below, also at any depth: iterative on purpose. */
export function flatText(top: Tag | null): string {
  let text = "";
  const pending: Node[] = top === null ? [] : [top];
  while (pending.length > 0) {
    const node = pending.pop()!;
    if (node.nodeName === "#text") text += (node as DefaultTreeAdapterTypes.TextNode).value;
    else if (isTag(node) && node.tagName === "br") text += "\n";
    else if (isTag(node) && (node === top || !isHidden(node))) appendAll(pending, node.childNodes.toReversed());
  }
  return text;
}

/** Text of a cell, heading or list item; block boundaries become line breaks. `skip` leaves out nested lists. */
export function inlineText(tag: Tag, depth: number, skip?: (tag: Tag) => boolean): string {
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

export function isList(tag: Tag): boolean {
  return tag.tagName === "ul" || tag.tagName === "ol" || tag.tagName === "menu";
}

export function holdsBlocks(tag: Tag): boolean {
  const pending: Node[] = [...tag.childNodes];
  while (pending.length > 0) {
    const node = pending.pop()!;
    if (!isTag(node)) continue;
    if (/^(?:h[1-6]|table|pre)$/u.test(node.tagName)) return true;
    appendAll(pending, node.childNodes);
  }
  return false;
}

export function collapse(text: string): string {
  return text.replace(/\s+/gu, " ").trim();
}

export function collapseLines(text: string): string {
  return text
    .split("\n")
    .map(collapse)
    .filter((line) => line !== "")
    .join("\n");
}
