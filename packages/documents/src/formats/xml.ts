import type { ParseLimits } from "../limits.ts";
import type { Parsed } from "../sections.ts";
import { type XmlElement, elementsOf, parseXmlTree, textOf } from "../xml-tree.ts";
import { renderValue } from "./json.ts";
import { isProse, renderProse } from "./xml-prose.ts";

/**
 * XML as what it is: a text (DocBook, DITA, TEI and their like, told by markup within sentences) in its order, anything
 * else as a record: elements are fields, repeated ones are lists. Entity declarations are refused, and neither document
 * types nor inclusions are ever fetched.
 */
export function parseXml(text: string, fileName: string, limits: ParseLimits): Parsed {
  const root = parseXmlTree(text, fileName, limits.maxXmlDepth);
  if (isProse(root)) return renderProse(root, limits);
  return renderValue(valueOf(root), limits);
}

function valueOf(element: XmlElement): unknown {
  const children = elementsOf(element);
  const attributes = Object.entries(element.attributes).filter(([name]) => !/^(?:xmlns|xml|xsi)(?::|$)/u.test(name));
  const isMixed = element.children.some((child) => typeof child === "string" && child.trim() !== "");
  if (children.length === 0 || isMixed) {
    const content = tidyLines(textOf(element));
    return attributes.length === 0
      ? content
      : { ...Object.fromEntries(attributes), ...(content === "" ? {} : { text: content }) };
  }
  const groups = new Map<string, unknown[]>();
  for (const child of children) {
    const group = groups.get(child.name) ?? [];
    group.push(valueOf(child));
    groups.set(child.name, group);
  }
  const fields = [...groups].map(([name, values]): [string, unknown] => [
    name,
    values.length === 1 ? values[0] : values,
  ]);
  return Object.fromEntries([...attributes, ...fields]);
}

function tidyLines(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "").join("\n");
}
