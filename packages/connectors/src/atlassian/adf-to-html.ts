import { z } from "zod";
import { escapeHtml } from "./storage-to-html.ts";

/**
 * A node of the Atlassian Document Format. What it contains is looked at one level at a time: a document may be nested
 * deeper than a parser of all of it can go.
 */
const nodeSchema = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  attrs: z.record(z.string(), z.unknown()).optional(),
  marks: z.array(z.looseObject({ type: z.string(), attrs: z.record(z.string(), z.unknown()).optional() })).optional(),
  content: z.array(z.unknown()).optional(),
});
type AdfNode = z.infer<typeof nodeSchema>;

const deepestNode = 100;

const elements: Record<string, string> = {
  paragraph: "p",
  bulletList: "ul",
  orderedList: "ol",
  listItem: "li",
  taskList: "ul",
  taskItem: "li",
  decisionList: "ul",
  decisionItem: "li",
  blockquote: "blockquote",
  panel: "blockquote",
  table: "table",
  tableRow: "tr",
  tableHeader: "th",
  tableCell: "td",
};

const markElements: Record<string, string> = {
  strong: "strong",
  em: "em",
  code: "code",
  strike: "s",
  underline: "u",
};

/** New kinds of nodes appear without notice: unknown ones give the text that they hold, and what is no node gives none. */
export function adfToHtml(document: unknown, depth = 0): string {
  const { success, data: node } = nodeSchema.safeParse(document);
  if (!success || depth > deepestNode) return "";
  const inner = () => (node.content ?? []).map((child) => adfToHtml(child, depth + 1)).join("");
  const element = elements[node.type];
  if (element !== undefined) return `<${element}>${inner()}</${element}>${element === "td" ? "" : "\n"}`;
  switch (node.type) {
    case "text":
      return markedText(node);
    case "heading": {
      // The document's own title is the first heading.
      const level = Math.min(6, Number(node.attrs?.level ?? 1) + 1);
      return `<h${level}>${inner()}</h${level}>\n`;
    }
    case "codeBlock":
      return `<pre>${inner()}</pre>\n`;
    case "hardBreak":
      return "<br>";
    case "rule":
      return "<hr>\n";
    case "expand":
    case "nestedExpand":
      return `<p>${attribute(node, "title")}</p>\n${inner()}`;
    case "mention":
    case "status":
    case "placeholder":
      return attribute(node, "text");
    case "emoji":
      return attribute(node, "text") || attribute(node, "shortName");
    case "date":
      return dateOf(node.attrs?.timestamp);
    case "inlineCard":
    case "blockCard":
    case "embedCard":
      return attribute(node, "url");
    case "media":
      return attribute(node, "alt");
    default:
      return inner();
  }
}

function attribute(node: AdfNode, name: string): string {
  const value = node.attrs?.[name];
  return typeof value === "string" ? escapeHtml(value) : "";
}

function markedText({ text = "", marks = [] }: AdfNode): string {
  let html = escapeHtml(text);
  for (const { type, attrs } of marks) {
    const element = markElements[type];
    if (element !== undefined) html = `<${element}>${html}</${element}>`;
    const href = type === "link" ? attrs?.href : undefined;
    if (typeof href === "string" && /^(https?|mailto):/i.test(href)) html = `<a href="${escapeHtml(href)}">${html}</a>`;
  }
  return html;
}

function dateOf(timestamp: unknown): string {
  const date = new Date(Number(timestamp));
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(0, 10);
}
