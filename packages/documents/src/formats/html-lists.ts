import { appendAll } from "../append-all.ts";
import {
  type Node,
  type Tag,
  attribute,
  childTags,
  collapse,
  collapseLines,
  flatText,
  inlineText,
  isHidden,
  isList,
  isTag,
  maxDepth,
} from "./html-tree.ts";

/** A list as one line an item, nested lists indented. */
export function listLines(list: Tag, indent: number, depth: number): string[] {
  if (depth > maxDepth) return [collapse(flatText(list))];
  const lines: string[] = [];
  let number = Number.parseInt(attribute(list, "start") ?? "1", 10) || 1;
  for (const item of childTags(list)) {
    if (isHidden(item)) continue;
    if (isList(item)) {
      appendAll(lines, listLines(item, indent + 1, depth + 1));
      continue;
    }
    const marker = list.tagName === "ol" ? `${number}.` : "-";
    number += 1;
    const text = collapseLines(inlineText(item, depth + 1, isList))
      .split("\n")
      .join(" ");
    if (text !== "") lines.push(`${"  ".repeat(indent)}${marker} ${text}`);
    for (const nested of nestedLists(item))
      appendAll(lines, listLines(nested, text === "" ? indent : indent + 1, depth + 1));
  }
  return lines;
}

/** Whether the list has at least two items and each is nothing but a link of a few words. */
export function linksOnly(list: Tag): boolean {
  const items = childTags(list).filter((item) => !isHidden(item) && collapse(flatText(item)) !== "");
  return items.length >= 2 && items.every((item) => isLink(item));
}

const maxLinkWords = 5;

function isLink(item: Tag): boolean {
  const text = collapse(flatText(item));
  const linked: string[] = [];
  const pending: Node[] = item.childNodes.toReversed();
  while (pending.length > 0) {
    const node = pending.pop()!;
    if (!isTag(node) || isHidden(node)) continue;
    if (node.tagName === "a") linked.push(collapse(flatText(node)));
    else appendAll(pending, node.childNodes.toReversed());
  }
  return collapse(linked.join(" ")) === text && text.split(" ").length <= maxLinkWords;
}

/** The lists directly inside an item, also through wrappers such as <div>, but not those inside these lists. */
function nestedLists(item: Tag): Tag[] {
  const found: Tag[] = [];
  const pending: Node[] = item.childNodes.toReversed();
  while (pending.length > 0) {
    const node = pending.pop()!;
    if (!isTag(node) || isHidden(node)) continue;
    if (isList(node)) found.push(node);
    else appendAll(pending, node.childNodes.toReversed());
  }
  return found;
}

export function definitionLines(list: Tag, depth: number): string[] {
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
