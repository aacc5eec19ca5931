import { escapeHtml } from "./storage-to-html.ts";

const deepestList = 20;
/** Code, links and images. No part reaches beyond the next one's beginning: a hostile text is looked at once. */
const inlineParts = /\{\{([^{}\n]+)\}\}|\[([^[\]\n]+)\]|!([^\s!|]{1,300}\.\w{1,5})(?:\|[^!\n]{0,300})?!/g;
const marks: readonly [RegExp, string][] = [
  [markedBy("*"), "strong"],
  [markedBy("_"), "em"],
  [markedBy("+"), "u"],
  [markedBy("-"), "s"],
];

/** What stands between two of the marks at the edges of words: "a-b" and "snake_case_name" are none. */
function markedBy(mark: string): RegExp {
  const one = `\\${mark}`;
  return new RegExp(String.raw`(^|[\s([>|])${one}(?=\S)([^\n${one}]*[^\s${one}])${one}(?=$|[\s.,;:!?)\]<|])`, "gm");
}

/**
 * Jira's wiki markup ("Text Formatting Notation Help") as HTML: headings, lists, tables, quotes, code, links and marks.
 * Macros are not carried out and images are not fetched; what a macro holds itself stays.
 */
export function wikiMarkupToHtml(markup: string): string {
  const text = markup.replaceAll("\r\n", "\n");
  const opening = /\{(code|noformat)(?::[^}\n]{0,500})?\}/g;
  let html = "";
  let plainFrom = 0;
  for (let opened = opening.exec(text); opened !== null; opened = opening.exec(text)) {
    const [whole, name] = opened;
    const closing = `{${name}}`;
    const end = text.indexOf(closing, opened.index + whole.length);
    // The markup's own rule: what is not closed is text. It is looked for once only.
    if (end === -1) break;
    html += blocksToHtml(text.slice(plainFrom, opened.index));
    html += `<pre>${escapeHtml(text.slice(opened.index + whole.length, end).trim())}</pre>\n`;
    plainFrom = end + closing.length;
    opening.lastIndex = plainFrom;
  }
  return html + blocksToHtml(text.slice(plainFrom));
}

type Container = "paragraph" | "list" | "table";
const starts: Record<Container, string> = { paragraph: "<p>", list: "", table: "<table>" };
const ends: Record<Container, string> = { paragraph: "</p>\n", list: "", table: "</table>\n" };

function blocksToHtml(markup: string): string {
  let html = "";
  let open: Container | null = null;
  const lists: string[] = [];
  const leave = () => {
    if (open !== null) html += closeLists(lists, 0) + ends[open];
    open = null;
  };
  /** @returns whether it was open already */
  const enter = (container: Container): boolean => {
    if (open === container) return true;
    leave();
    html += starts[container];
    open = container;
    return false;
  };
  for (const line of withoutMacros(markup).split("\n")) {
    const heading = /^\s*h([1-6])\.\s+(.*)$/.exec(line);
    const item = /^\s*([*#]+|-)\s+(\S.*)$/.exec(line);
    const quote = /^\s*bq\.\s+(.*)$/.exec(line);
    if (item !== null) {
      enter("list");
      html += startItem(lists, item[1] ?? "*") + inline(item[2] ?? "");
    } else if (/^\s*\|/.test(line)) {
      enter("table");
      html += tableRow(line.trim());
    } else if (heading !== null) {
      leave();
      // The document's own title is the first heading.
      const level = Math.min(6, Number(heading[1]) + 1);
      html += `<h${level}>${inline(heading[2] ?? "")}</h${level}>\n`;
    } else if (quote !== null) {
      leave();
      html += `<blockquote>${inline(quote[1] ?? "")}</blockquote>\n`;
    } else if (/^\s*-{4,}\s*$/.test(line)) {
      leave();
      html += "<hr>\n";
    } else if (line.trim() === "") leave();
    else {
      const goesOn = enter("paragraph");
      html += (goesOn ? "<br>\n" : "") + inline(line.trim());
    }
  }
  leave();
  return html;
}

/** Frames end what stands before them; all else that only changes the looks goes. */
function withoutMacros(markup: string): string {
  return markup
    .replaceAll(/\{(?:quote|panel)(?::[^}\n]{0,500})?\}/g, "\n\n")
    .replaceAll(/\{(?:color|anchor)(?::[^}\n]{0,500})?\}/g, "");
}

/** "*" and "-" are lists with points, "#" numbered ones; one sign for each level. */
function startItem(open: string[], marker: string): string {
  const wanted = Array.from(marker.slice(0, deepestList), (sign) => (sign === "#" ? "ol" : "ul"));
  let shared = 0;
  while (shared < open.length && open[shared] === wanted[shared]) shared += 1;
  const closed = closeLists(open, shared);
  const deeper = wanted.slice(shared);
  open.push(...deeper);
  return closed + (deeper.length === 0 ? "</li>\n<li>" : deeper.map((list) => `<${list}><li>`).join(""));
}

function closeLists(open: string[], depth: number): string {
  return open
    .splice(depth)
    .reverse()
    .map((list) => `</li></${list}>\n`)
    .join("");
}

/** "||" begins a heading, "|" a cell; in a link it belongs to that. */
function tableRow(line: string): string {
  const cells: { isHeading: boolean; text: string }[] = [];
  let inLink = false;
  for (let at = 0; at < line.length; at += 1) {
    const sign = line[at] ?? "";
    if (sign === "[" || sign === "]") inLink = sign === "[";
    if (sign === "|" && !inLink) {
      const isHeading = line[at + 1] === "|";
      if (isHeading) at += 1;
      cells.push({ isHeading, text: "" });
      continue;
    }
    const cell = cells.at(-1);
    if (cell !== undefined) cell.text += sign;
  }
  // The last sign closes the row.
  if (cells.at(-1)?.text.trim() === "") cells.pop();
  const shown = cells.map(({ isHeading, text }) => {
    const element = isHeading ? "th" : "td";
    return `<${element}>${inline(text.trim())}</${element}>`;
  });
  return `<tr>${shown.join("")}</tr>\n`;
}

function inline(text: string): string {
  let html = "";
  let from = 0;
  for (const part of text.matchAll(inlineParts)) {
    const [whole, code, link] = part;
    html += marked(text.slice(from, part.index));
    if (code !== undefined) html += `<code>${escapeHtml(code)}</code>`;
    if (link !== undefined) html += linkToHtml(link);
    from = part.index + whole.length;
  }
  return html + marked(text.slice(from));
}

/** "text|address|tip", "address", "~name of a user", "^name of a file" or "#anchor". */
function linkToHtml(link: string): string {
  const [first = "", second] = link.split("|");
  const address = second ?? first;
  const text = escapeHtml(first.replace(/^~/, "@").replace(/^[\^#]/, ""));
  return /^(https?|mailto):/i.test(address) ? `<a href="${escapeHtml(address)}">${text}</a>` : text;
}

function marked(text: string): string {
  let html = escapeHtml(text);
  for (const [pattern, element] of marks) html = html.replaceAll(pattern, `$1<${element}>$2</${element}>`);
  return html.replaceAll(/\\\\/g, "<br>").replaceAll(/\\([*_+{}[\]!|#-])/g, "$1");
}
