import { bodyOf, plainText, type BlockTree, type RichText } from "./notion-objects.ts";

/** A page as CommonMark with GFM tables, its title as the first heading, a row's values below it. */
export function renderPage(title: string, properties: readonly string[], blocks: readonly BlockTree[]): string {
  const head = [`# ${escapeText(title)}`, ...properties.map(escapeText)];
  return `${[...head, renderBlocks(blocks)].filter((part) => part !== "").join("\n\n")}\n`;
}

const listTypes = new Set(["bulleted_list_item", "numbered_list_item", "to_do"]);

function renderBlocks(trees: readonly BlockTree[]): string {
  let text = "";
  let before = "";
  let number = 0;
  for (const tree of trees) {
    const { type } = tree.block;
    number = type === "numbered_list_item" ? number + 1 : 0;
    const part = renderBlock(tree, number);
    if (part === "") continue;
    // Items of one list stand close together.
    const gap = type === before && listTypes.has(type) ? "\n" : "\n\n";
    text += text === "" ? part : gap + part;
    before = type;
  }
  return text;
}

function renderBlock(tree: BlockTree, number: number): string {
  const { block, children } = tree;
  const body = bodyOf(block);
  const withChildren = (own: string) => [own, renderBlocks(children)].filter((part) => part !== "").join("\n\n");
  const item = (marker: string) => {
    const own = renderInline(body.rich_text, " ");
    return indentAfter(marker, [own, renderBlocks(children)].filter((part) => part !== "").join("\n"));
  };
  switch (block.type) {
    case "heading_1":
    case "heading_2":
    case "heading_3":
    case "heading_4": {
      // The page's title is the only heading of the first level.
      const words = renderInline(body.rich_text, " ");
      return withChildren(words === "" ? "" : `${"#".repeat(Number(block.type.at(-1)) + 1)} ${words}`);
    }
    case "bulleted_list_item":
      return item("- ");
    case "numbered_list_item":
      return item(`${number}. `);
    case "to_do":
      return item(`- [${body.checked === true ? "x" : " "}] `);
    case "quote":
    case "callout":
      return withChildren(renderInline(body.rich_text, "\\\n")).replace(/^/gm, "> ");
    case "code":
      return renderCode(plainText(body.rich_text), body.language ?? "");
    case "equation":
      return body.expression ? renderCode(body.expression, "latex") : "";
    case "divider":
      return "---";
    case "table":
      return renderTable(children);
    case "bookmark":
    case "embed":
    case "link_preview":
      return renderLink(body.caption, body.url);
    case "image":
    case "video":
    case "audio":
    case "file":
    case "pdf":
      return renderMedia(block.type, tree);
    default:
      // Columns, toggles, synced blocks and what is not known: their own text and what is in them.
      return withChildren(renderInline(body.rich_text, "\\\n"));
  }
}

function indentAfter(marker: string, text: string): string {
  // A check box belongs to the text of its item.
  const indent = " ".repeat(marker.startsWith("-") ? 2 : marker.length);
  return marker + text.replace(/\n(?=[^\n])/g, `\n${indent}`);
}

function renderCode(code: string, language: string): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language === "plain text" ? "" : language.replaceAll(/[^\w+#-]/g, "-")}\n${code}\n${fence}`;
}

/** GFM knows no table without a heading row, so the first row is it. */
function renderTable(rows: readonly BlockTree[]): string {
  const cells = rows.map(({ block }) => (bodyOf(block).cells ?? []).map((cell) => renderInline(cell, " ")));
  const width = Math.max(0, ...cells.map((row) => row.length));
  if (width === 0) return "";
  const lines = cells.map((row) => `| ${Array.from({ length: width }, (_, at) => row[at] ?? "").join(" | ")} |`);
  lines.splice(1, 0, `|${" --- |".repeat(width)}`);
  return lines.join("\n");
}

function renderLink(caption: RichText | null | undefined, url: string | null | undefined): string {
  const words = renderInline(caption, " ");
  if (!url) return words;
  return words === "" ? renderUrl(url) : `${words} (${renderUrl(url)})`;
}

/** A file of Notion's own has an address that is a key to it for an hour, which nobody is to find in a document. */
function renderMedia(type: string, { block }: BlockTree): string {
  const body = bodyOf(block);
  const words = renderInline(body.caption, " ") || escapeText(body.name ?? "");
  const kind = `${type === "pdf" ? "PDF" : type.charAt(0).toUpperCase() + type.slice(1)}`;
  const url = body.external?.url;
  return `\\[${kind}${words === "" ? "" : `: ${words}`}${url ? ` ${renderUrl(url)}` : ""}\\]`;
}

/** @param lineBreak what a break inside the text becomes */
function renderInline(text: RichText | null | undefined, lineBreak: string): string {
  const rendered = (text ?? []).map(({ plain_text, href, annotations }) => {
    const words = annotations?.code === true ? renderInlineCode(plain_text) : escapeInline(plain_text);
    return href && /^https?:\/\//.test(href) && href !== plain_text ? `${words} (${renderUrl(href)})` : words;
  });
  return escapeStart(rendered.join("").trim())
    .split(/\r?\n/)
    .map((line, at) => (at === 0 ? line : escapeStart(line)))
    .join(lineBreak);
}

/** An escape inside an address would become a part of it. */
function renderUrl(url: string): string {
  return /^https?:\/\//.test(url) ? `<${url.replace(/[<>\s]/g, encodeURIComponent)}>` : escapeText(url);
}

function renderInlineCode(code: string): string {
  const flat = code.replaceAll(/\s+/g, " ");
  return flat.includes("`") || flat.trim() === "" ? escapeInline(flat) : `\`${flat}\``;
}

function escapeText(text: string): string {
  return escapeStart(escapeInline(text));
}

/** What people type is no Markdown. An underscore within a word means nothing, and stands in addresses. */
function escapeInline(text: string): string {
  return text.replace(/[\\`*[\]<~|]|(?<!\w)_|_(?!\w)/g, "\\$&").replace(/&(?=#?\w+;)/g, "\\&");
}

/** At a line's start, what would begin a heading, a list, a quote or a rule. */
function escapeStart(line: string): string {
  return line.replace(/^(\s*)([#>+=-])/, "$1\\$2").replace(/^(\s*\d+)([.)])(?=\s|$)/, "$1\\$2");
}
