import { SaxesParser } from "saxes";
import { documentError } from "./document-errors.ts";

/** A small XML tree: names without prefix, attributes as written (with prefix), text nodes as strings. */
export type XmlElement = {
  name: string;
  attributes: Record<string, string>;
  children: (XmlElement | string)[];
};

/**
 * Parses one XML document. Nothing external is ever fetched and no entity but the five of XML is known.
 *
 * @param maxDepth deeper nesting is refused as hostile.
 * @throws AnnealError DOCUMENT_DAMAGED when it is not well-formed, DOCUMENT_HOSTILE for depth or entity declarations.
 */
export function parseXmlTree(text: string, name: string, maxDepth: number): XmlElement {
  const root: XmlElement = { name: "", attributes: {}, children: [] };
  const open = [root];
  const parser = new SaxesParser({ xmlns: false, position: false });
  parser.on("doctype", (doctype) => {
    if (/<!ENTITY/iu.test(doctype))
      throw documentError("DOCUMENT_HOSTILE", `${name} declares XML entities, as an entity bomb does.`);
  });
  parser.on("opentag", (tag) => {
    const element: XmlElement = {
      name: localName(tag.name),
      attributes: { ...tag.attributes },
      children: [],
    };
    open[open.length - 1]!.children.push(element);
    if (tag.isSelfClosing) return;
    if (open.length > maxDepth)
      throw documentError("DOCUMENT_HOSTILE", `${name} nests more than ${maxDepth} XML elements.`);
    open.push(element);
  });
  parser.on("closetag", (tag) => {
    if (!tag.isSelfClosing) open.pop();
  });
  const addText = (value: string) => open[open.length - 1]!.children.push(value);
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.on("error", (error) => {
    throw documentError("DOCUMENT_DAMAGED", `${name} is not well-formed XML (${error.message.slice(0, 120)}).`);
  });
  parser.write(text).close();
  const document = root.children.find((child) => typeof child !== "string");
  if (document === undefined) throw documentError("DOCUMENT_DAMAGED", `${name} holds no XML element.`);
  return document;
}

type XmlHandlers = {
  open: (name: string, attributes: Record<string, string>) => void;
  text: (value: string) => void;
  close: (name: string) => void;
};

/** Walks an inspected part without building its tree; names without prefix. @throws AnnealError DOCUMENT_DAMAGED. */
export function streamXml(text: string, partName: string, handlers: XmlHandlers): void {
  const parser = new SaxesParser({ xmlns: false, position: false });
  parser.on("opentag", (tag) => handlers.open(localName(tag.name), tag.attributes));
  parser.on("text", handlers.text);
  parser.on("cdata", handlers.text);
  parser.on("closetag", (tag) => handlers.close(localName(tag.name)));
  parser.on("error", (error) => {
    throw documentError("DOCUMENT_DAMAGED", `${partName} is not well-formed XML (${error.message.slice(0, 120)}).`);
  });
  parser.write(text).close();
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

export function elementsOf(parent: XmlElement | undefined, name?: string): XmlElement[] {
  const children = (parent?.children ?? []).filter((child) => typeof child !== "string");
  return name === undefined ? children : children.filter((child) => child.name === name);
}

export function elementOf(parent: XmlElement | undefined, ...path: string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((element, name) => elementsOf(element, name)[0], parent);
}

/** All elements of a name below, in document order; the depth is bounded by the parser's. */
export function descendantsOf(parent: XmlElement | undefined, name: string): XmlElement[] {
  return elementsOf(parent).flatMap((child) => [
    ...(child.name === name ? [child] : []),
    ...descendantsOf(child, name),
  ]);
}

export function textOf(element: XmlElement | undefined): string {
  return (element?.children ?? []).map((child) => (typeof child === "string" ? child : textOf(child))).join("");
}
