import type { ListItem, Nodes, RootContent, Table } from "mdast";
import remarkGfm from "remark-gfm";
import remarkParse from "remark-parse";
import { unified } from "unified";
import { appendAll } from "../append-all.ts";
import { tableDrafts } from "../gfm-table.ts";
import type { ParseLimits } from "../limits.ts";
import { type Draft, type Parsed, firstTitle, promoteOnlyTopHeading } from "../sections.ts";
import { parseHtml } from "./html.ts";

const processor = unified().use(remarkParse).use(remarkGfm);

/** Markdown (CommonMark with GFM). Of the front matter only the title is kept. HTML inside is read as HTML. */
export function parseMarkdown(markdown: string, limits: ParseLimits): Parsed {
  const { title, body } = splitFrontMatter(markdown.replace(/\r\n?/gu, "\n"));
  const warnings: string[] = [];
  const drafts = promoteOnlyTopHeading(readBlocks(processor.parse(body).children, limits, warnings));
  return { title: title ?? firstTitle(drafts), drafts, warnings };
}

function splitFrontMatter(markdown: string): { title: string | null; body: string } {
  const match = /^---[ \t]*\n([\s\S]*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)/u.exec(markdown);
  const yaml = match?.[1] ?? "";
  // A rule followed by prose is not front matter.
  if (match === null || !/^[\w-]+[ \t]*:/mu.test(yaml)) return { title: null, body: markdown };
  const title = /^title[ \t]*:[ \t]*(.+)$/imu
    .exec(yaml)?.[1]
    ?.trim()
    .replace(/^(["'])(.*)\1$/u, "$2");
  return {
    title: title === undefined || title === "" ? null : title,
    body: markdown.slice(match[0].length),
  };
}

function readBlocks(nodes: readonly RootContent[], limits: ParseLimits, warnings: string[]): Draft[] {
  return nodes.flatMap((node) => readBlock(node, limits, warnings)).filter((draft) => draft.text.trim() !== "");
}

function readBlock(node: RootContent, limits: ParseLimits, warnings: string[]): Draft[] {
  switch (node.type) {
    case "heading":
      return [{ kind: "heading", text: oneLine(textOf(node)), level: node.depth }];
    case "code":
      return [{ kind: "code", text: node.value }];
    case "list":
      return [
        {
          kind: "list",
          text: listLines(node.children, node.ordered === true ? (node.start ?? 1) : null, 0).join("\n"),
        },
      ];
    case "table":
      return readTable(node, limits);
    case "html": {
      const inner = parseHtml(node.value, limits);
      appendAll(warnings, inner.warnings);
      return inner.drafts.map((draft) => (draft.kind === "title" ? { ...draft, kind: "heading" } : draft));
    }
    case "blockquote":
      return readBlocks(node.children, limits, warnings);
    case "footnoteDefinition":
      return readBlocks(node.children, limits, warnings).map((draft) => ({
        ...draft,
        text: `[${node.identifier}] ${draft.text}`,
      }));
    case "paragraph": {
      const [only] = node.children;
      if (node.children.length === 1 && only?.type === "image") return [{ kind: "figure", text: only.alt ?? "" }];
      return [{ kind: "paragraph", text: tidyLines(textOf(node)) }];
    }
    case "definition":
    case "thematicBreak":
      return [];
    default:
      return [{ kind: "paragraph", text: tidyLines(textOf(node)) }];
  }
}

function readTable(table: Table, limits: ParseLimits): Draft[] {
  const rows = table.children.map((row) => row.children.map((cell) => oneLine(textOf(cell))));
  return tableDrafts(rows, limits);
}

function listLines(items: readonly ListItem[], first: number | null, indent: number): string[] {
  return items.flatMap((item, index) => {
    const marker = first === null ? "-" : `${first + index}.`;
    const box = item.checked === true ? "[x] " : item.checked === false ? "[ ] " : "";
    const own: string[] = [];
    const nested: string[] = [];
    for (const child of item.children) {
      if (child.type === "list")
        appendAll(nested, listLines(child.children, child.ordered === true ? (child.start ?? 1) : null, indent + 1));
      else own.push(child.type === "code" ? child.value : oneLine(textOf(child)));
    }
    const prefix = "  ".repeat(indent);
    const text = own
      .filter((part) => part !== "")
      .join("\n")
      .replaceAll("\n", `\n${prefix}  `);
    return [`${prefix}${marker} ${box}${text}`.trimEnd(), ...nested];
  });
}

/** The words of a node without their marks. Tags inside a sentence are dropped, <br> and hard breaks end a line. */
function textOf(node: Nodes): string {
  switch (node.type) {
    case "break":
      return "\n";
    case "html":
      return /^<br\b/iu.test(node.value) ? "\n" : "";
    case "image":
    case "imageReference":
      return node.alt ?? "";
    case "footnoteReference":
      return `[${node.identifier}]`;
    case "text":
      // A soft break is a space to the reader.
      return node.value.replaceAll("\n", " ");
    default:
      if ("value" in node) return node.value;
      if (!("children" in node)) return "";
      return node.children.map(textOf).join(node.type === "blockquote" || node.type === "listItem" ? "\n" : "");
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/gu, " ").trim();
}

function tidyLines(text: string): string {
  return text
    .replace(/[ \t]+/gu, " ")
    .replace(/ ?\n ?/gu, "\n")
    .trim();
}
