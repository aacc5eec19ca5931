import { appendAll } from "../append-all.ts";
import type { ParseLimits } from "../limits.ts";
import { tableDrafts } from "../gfm-table.ts";
import type { Draft } from "../sections.ts";
import { type XmlElement, elementOf, elementsOf, textOf } from "../xml-tree.ts";
import { commentDraft } from "./comment-draft.ts";
import { collapse, collapseLines } from "./html-tree.ts";
import type { OdfStyles } from "./odf-styles.ts";

/** Containers without a meaning of their own. */
const wrappers = new Set([
  "section",
  "bibliography",
  "index-body",
  "numbered-paragraph",
  "page-sequence",
  "list-header",
]);
const shapes = new Set(
  "frame g custom-shape rect circle ellipse polygon path regular-polygon caption text-box a connector line".split(" "),
);
/** Deleted text that change tracking keeps, and what is only there for the program. */
const unread = new Set(["annotation-end", "tracked-changes", "change", "forms", "event-listeners"]);
const codeStyles = /^(?:Preformatted_20_Text|Source_20_(?:Code|Text)|HTML_20_Preformatted)$/u;
/** A longer text in a merged cell would be repeated in every row for nothing but size. */
const longestSpread = 200;

/** Reads the blocks of OpenDocument texts, text boxes and cells. The depth of the tree is bounded by whoever parsed it. */
export class OdfReader {
  readonly warnings: string[] = [];
  /** Foot- and endnotes that were met, one line each. */
  readonly notes: string[] = [];
  /** Comments that were met and not said yet; what is said of a list or a table stands after the whole of it. */
  private readonly comments: Draft[] = [];
  private inside = 0;
  private readonly styles: OdfStyles;
  private readonly limits: ParseLimits;
  private lastNumber = 0;

  constructor(styles: OdfStyles, limits: ParseLimits) {
    this.styles = styles;
    this.limits = limits;
  }

  blocks(parent: XmlElement): Draft[] {
    const drafts: Draft[] = [];
    for (const child of elementsOf(parent)) {
      const next = this.block(child);
      const [first] = next;
      const last = drafts[drafts.length - 1];
      // Every line of a listing is a paragraph of its own.
      if (last?.kind === "code" && first?.kind === "code") {
        last.text += `\n${first.text}`;
        next.shift();
      }
      for (const draft of [...next, ...this.said()]) drafts.push(draft);
    }
    return drafts.filter((draft) => draft.text.trim() !== "");
  }

  private block(element: XmlElement): Draft[] {
    if (element.attributes["text:display"] === "none") return [];
    if (element.name === "h" || element.name === "p") return this.paragraph(element);
    if (element.name === "list") return this.within(() => this.list(element));
    if (element.name === "table") return this.within(() => this.table(element));
    if (element.name === "annotation") this.comment(element);
    if (wrappers.has(element.name)) return this.blocks(element);
    return shapes.has(element.name) ? this.shape(element) : [];
  }

  /** The comments on what was just read, but for what is only a part of it. */
  said(): Draft[] {
    return this.inside > 0 ? [] : this.comments.splice(0);
  }

  private within<T>(read: () => T): T {
    this.inside += 1;
    try {
      return read();
    } finally {
      this.inside -= 1;
    }
  }

  comment(element: XmlElement): void {
    const author = textOf(elementOf(element, "creator"));
    const lines = this.within(() => this.blocks(element)).map((draft) => draft.text);
    const draft = commentDraft(author, lines.join("\n"));
    if (draft !== null) this.comments.push(draft);
  }

  private paragraph(element: XmlElement): Draft[] {
    const beside: Draft[] = [];
    const raw = this.inline(element, beside);
    return [{ ...this.kindOf(element), text: collapseLines(raw) }, ...beside].map((draft) =>
      draft.kind === "code" ? { ...draft, text: raw.trimEnd() } : draft,
    );
  }

  private kindOf(element: XmlElement): Pick<Draft, "kind" | "level"> {
    const chain = this.styles.chainOf(element.attributes["text:style-name"]);
    if (chain.includes("Title")) return { kind: "title", level: 1 };
    if (element.name === "h") {
      return { kind: "heading", level: clamp(Number(element.attributes["text:outline-level"] ?? 1), 1, 6) };
    }
    const heading = chain.map((name) => /^Heading_20_(\d+)$/u.exec(name)?.[1]).find((level) => level !== undefined);
    if (heading !== undefined) return { kind: "heading", level: clamp(Number(heading), 1, 6) };
    return { kind: chain.some((name) => codeStyles.test(name)) ? "code" : "paragraph" };
  }

  /** A paragraph's text; what floats beside it (text boxes, pictures with a description) is added to `beside`. */
  private inline(element: XmlElement, beside: Draft[]): string {
    let text = "";
    for (const child of element.children) {
      if (typeof child === "string") text += child.replace(/\s+/gu, " ");
      else if (child.name === "s") text += " ".repeat(clamp(Number(child.attributes["text:c"] ?? 1), 1, 64));
      else if (child.name === "tab") text += "\t";
      else if (child.name === "line-break") text += "\n";
      else if (child.name === "note") text += this.within(() => this.note(child));
      else if (child.name === "annotation") this.comment(child);
      else if (child.name === "ruby") text += textOf(elementOf(child, "ruby-base"));
      // A link is "a" in a text as well as around a drawing.
      else if (shapes.has(child.name) && child.name !== "a") appendAll(beside, this.shape(child));
      else if (!unread.has(child.name)) text += this.inline(child, beside);
    }
    return text;
  }

  private note(element: XmlElement): string {
    const mark = collapse(textOf(elementOf(element, "note-citation")));
    const body = elementOf(element, "note-body");
    const text =
      body === undefined
        ? ""
        : this.blocks(body)
            .map((draft) => draft.text)
            .join(" ");
    this.notes.push(`- [${mark}] ${collapse(text)}`);
    return `[${mark}]`;
  }

  /** A drawing: its text where it has any, else the description that somebody gave the picture. */
  shape(element: XmlElement): Draft[] {
    const drafts = this.within(() => elementsOf(element).flatMap((child) => this.block(child)));
    if (drafts.some((draft) => draft.text.trim() !== "")) return drafts;
    const text = collapse(textOf(elementOf(element, "desc") ?? elementOf(element, "title")));
    return text === "" ? [] : [{ kind: "figure", text }];
  }

  private list(element: XmlElement): Draft[] {
    const drafts: Draft[] = [];
    if (element.attributes["text:continue-numbering"] !== "true") this.lastNumber = 0;
    this.items(element, element.attributes["text:style-name"], 1, drafts);
    return drafts;
  }

  private items(list: XmlElement, style: string | undefined, level: number, drafts: Draft[]): void {
    const isNumbered = this.styles.isNumbered(style, level);
    let number = level === 1 ? this.lastNumber : 0;
    for (const item of elementsOf(list)) {
      let isFirst = true;
      for (const child of elementsOf(item)) {
        if (child.name === "list") {
          this.items(child, child.attributes["text:style-name"] ?? style, level + 1, drafts);
          continue;
        }
        for (const draft of this.block(child)) {
          if (draft.text.trim() === "") continue;
          const last = drafts[drafts.length - 1];
          if (draft.kind !== "paragraph") {
            // Numbered headings are lists of one heading; they stay headings.
            drafts.push(draft);
          } else if (!isFirst && last?.kind === "list") {
            last.text += ` ${collapse(draft.text)}`;
          } else {
            if (item.name === "list-item") number += 1;
            const marker = isNumbered && item.name === "list-item" ? `${number}.` : "-";
            const line = `${"  ".repeat(level - 1)}${marker} ${collapse(draft.text)}`;
            if (last?.kind === "list") last.text += `\n${line}`;
            else drafts.push({ kind: "list", text: line });
          }
          isFirst = false;
        }
      }
    }
    if (level === 1) this.lastNumber = number;
  }

  private table(element: XmlElement): Draft[] {
    const rows: string[][] = [];
    // A cell merged over several rows stands in each of them; one over several columns stands once.
    const spread = new Map<number, { text: string; rows: number }>();
    for (const row of rowsOf(element)) rows.push(this.row(row, spread));
    return tableDrafts(rows, this.limits);
  }

  private row(row: XmlElement, spread: Map<number, { text: string; rows: number }>): string[] {
    const cells: string[] = [];
    for (const cell of elementsOf(row)) {
      if (cell.name !== "table-cell" && cell.name !== "covered-table-cell") continue;
      const column = cells.length;
      const above = cell.name === "covered-table-cell" ? spread.get(column) : undefined;
      if (above !== undefined && above.rows > 0) {
        above.rows -= 1;
        cells.push(above.text);
        continue;
      }
      const text = this.blocks(cell)
        .map((draft) => draft.text)
        .join(" ");
      const spanned = Number(cell.attributes["table:number-rows-spanned"] ?? 1);
      spread.set(column, { text: text.length > longestSpread ? "" : text, rows: spanned - 1 });
      cells.push(text);
      const copies = clamp(
        Number(cell.attributes["table:number-columns-repeated"] ?? 1),
        1,
        Math.max(1, this.limits.maxTableColumns - column),
      );
      for (let copy = 1; copy < copies; copy += 1) cells.push("");
    }
    return cells;
  }
}

/** Rows in their order, through header rows and groups. */
function rowsOf(table: XmlElement): XmlElement[] {
  return elementsOf(table).flatMap((child) => {
    if (child.name === "table-row") return [child];
    return /^table-(?:header-rows|rows|row-group)$/u.test(child.name) ? rowsOf(child) : [];
  });
}

function clamp(value: number, least: number, most: number): number {
  return Number.isFinite(value) ? Math.min(Math.max(Math.trunc(value), least), most) : least;
}
