import { appendAll } from "../append-all.ts";
import { countOf } from "../document-errors.ts";
import { RowCount } from "../gfm-table.ts";
import type { ParseLimits } from "../limits.ts";
import type { Draft, Parsed } from "../sections.ts";
import { streamXml } from "../xml-tree.ts";
import { commentDraft } from "./comment-draft.ts";
import { SheetColumns } from "./sheet-columns.ts";
import { sheetDrafts, withCommentsBelow } from "./sheet-tables.ts";

/** Drawings and what belongs to the program, inside a sheet or beside it. */
const unread = new Set(["shapes", "frame", "custom-shape", "g", "tracked-changes", "forms", "dde-links"]);

type Sheet = {
  name: string;
  rows: string[][];
  columns: SheetColumns;
  unsolved: number;
  hidden: boolean;
  comments: Draft[];
};
/** `reads`: which of its parts the words at hand belong to. */
type Comment = { author: string; lines: string[]; cell: string; reads: "author" | "line" | null };
type Cell = {
  text: string;
  paragraphs: number;
  value: string;
  copies: number;
  isFormula: boolean;
  isCovered: boolean;
  rows: number;
};
/** A longer text in a merged cell would be repeated in every row for nothing but size. */
const longestSpread = 200;

/**
 * OpenDocument spreadsheets, sheet by sheet, streamed. Values are shown as formatted, formulas by their last computed
 * result. A file repeats rows and cells by a count: what that makes of few bytes ends at the limits.
 *
 * @returns also the page styles of the sheets that are shown
 */
export function parseOds(
  content: string,
  limits: ParseLimits,
): Omit<Parsed, "title"> & { pageStyles: ReadonlySet<string> } {
  const drafts: Draft[] = [];
  const warnings: string[] = [];
  const hiddenStyles = new Set<string>();
  const pageOfStyle = new Map<string, string>();
  const pageStyles = new Set<string>();
  let style: string | null = null;
  let sheet: Sheet | null = null;
  let row = new Map<number, string>();
  let rowCopies = 1;
  let cell: Cell | null = null;
  let tables = 0;
  let skipping = 0;
  let inText = false;
  let comment: Comment | null = null;
  /** How many rows and cells there are before the one at hand, those that a count repeats among them. */
  let rowsBefore = 0;
  let cellsBefore = 0;
  const count = new RowCount(limits);
  // A cell merged over several rows stands in each of them, so that every row can be read alone.
  const merged = new Map<number, { text: string; rows: number }>();

  const finishCell = (done: Cell) => {
    const shown = (done.paragraphs > 0 ? done.text : done.value).replace(/\s+/gu, " ").trim();
    if (sheet !== null && done.isFormula && shown === "") sheet.unsolved += 1;
    const room = Math.max(1, limits.maxTableColumns - cellsBefore);
    const affordable = Math.max(1, Math.floor(limits.maxTextLength / shown.length));
    if (!done.isCovered)
      merged.set(cellsBefore, { text: shown.length > longestSpread ? "" : shown, rows: done.rows - 1 });
    const spread = shown === "" && !done.isCovered ? 0 : Math.min(done.copies, room, affordable);
    for (let column = cellsBefore; column < cellsBefore + spread; column += 1) {
      const above = done.isCovered ? merged.get(column) : undefined;
      const isBelow = above !== undefined && above.rows > 0;
      if (isBelow) above.rows -= rowCopies;
      const text = isBelow ? above.text : shown;
      if (text !== "") row.set(column, text);
    }
  };
  const finishRow = (open: Sheet) => {
    const packed = open.columns.pack(row);
    if (packed.length === 0) {
      if (open.rows.at(-1)?.length !== 0) open.rows.push([]);
      return;
    }
    // What is hidden is not told, and takes nothing from what may be.
    for (let copy = 0; copy < rowCopies && !open.hidden && count.add(packed); copy += 1) open.rows.push(packed);
  };
  const finishSheet = (open: Sheet) => {
    if (open.hidden) {
      warnings.push(`The hidden sheet "${open.name}" was left out.`);
      return;
    }
    if (open.unsolved > 0) {
      warnings.push(
        `Sheet "${open.name}": ${countOf(open.unsolved, "formula")} without a stored result; open and save it once in a spreadsheet program.`,
      );
    }
    const sheetOnly = sheetDrafts(open.columns.inOrder(open.rows), open.name, limits);
    appendAll(drafts, withCommentsBelow(sheetOnly, open.comments, open.name));
  };

  streamXml(content, "content.xml", {
    open(name, attributes) {
      if (skipping > 0 || unread.has(name)) skipping += 1;
      else if (name === "style") {
        style = attributes["style:name"] ?? null;
        if (style !== null) pageOfStyle.set(style, attributes["style:master-page-name"] ?? "");
      } else if (name === "table-properties" && style !== null) {
        if (attributes["table:display"] === "false") hiddenStyles.add(style);
      } else if (name === "table") {
        tables += 1;
        if (tables > 1) return;
        const styleName = attributes["table:style-name"] ?? "";
        const hidden = hiddenStyles.has(styleName);
        if (!hidden) pageStyles.add(pageOfStyle.get(styleName) ?? "");
        sheet = {
          name: attributes["table:name"] ?? "Sheet",
          rows: [],
          columns: new SheetColumns(),
          unsolved: 0,
          hidden,
          comments: [],
        };
        rowsBefore = 0;
      } else if (tables !== 1) return;
      else if (comment !== null) {
        comment.reads = name === "creator" ? "author" : name === "p" || comment.reads === "line" ? "line" : null;
        if (name === "p") comment.lines.push("");
        else if (comment.reads === "line") comment.lines[comment.lines.length - 1] += name === "s" ? " " : "";
      } else if (cell !== null && name === "annotation") {
        comment = { author: "", lines: [], cell: `${lettersOf(cellsBefore)}${rowsBefore + 1}`, reads: null };
      } else if (name === "table-row") {
        row = new Map();
        cellsBefore = 0;
        rowCopies = countIn(attributes["table:number-rows-repeated"]);
      } else if (name === "table-cell" || name === "covered-table-cell") {
        const value =
          attributes["office:string-value"] ?? attributes["office:date-value"] ?? attributes["office:value"];
        cell = {
          text: "",
          paragraphs: 0,
          value: value ?? attributes["office:boolean-value"] ?? "",
          copies: countIn(attributes["table:number-columns-repeated"]),
          isFormula: attributes["table:formula"] !== undefined,
          isCovered: name === "covered-table-cell",
          rows: countIn(attributes["table:number-rows-spanned"]),
        };
      } else if (cell !== null && name === "p") {
        if (cell.paragraphs > 0) cell.text += " ";
        cell.paragraphs += 1;
        inText = true;
      } else if (cell !== null && (name === "s" || name === "tab" || name === "line-break")) cell.text += " ";
    },
    text(value) {
      if (skipping > 0) return;
      if (comment?.reads === "author") comment.author += value;
      else if (comment?.reads === "line") comment.lines[comment.lines.length - 1] += value;
      else if (comment === null && inText && cell !== null) cell.text += value;
    },
    close(name) {
      if (skipping > 0) skipping -= 1;
      else if (name === "style") style = null;
      else if (name === "table") {
        tables -= 1;
        if (tables === 0 && sheet !== null) finishSheet(sheet);
        if (tables === 0) merged.clear();
        if (tables === 0) sheet = null;
      } else if (tables !== 1) return;
      else if (comment !== null) {
        if (name === "creator" || name === "p") comment.reads = null;
        if (name !== "annotation") return;
        const draft = commentDraft(comment.author, comment.lines.join("\n"), comment.cell);
        if (draft !== null) sheet?.comments.push(draft);
        comment = null;
      } else if (name === "p") inText = false;
      else if (cell !== null && (name === "table-cell" || name === "covered-table-cell")) {
        finishCell(cell);
        cellsBefore += cell.copies;
        cell = null;
      } else if (name === "table-row" && sheet !== null) {
        finishRow(sheet);
        rowsBefore += rowCopies;
      }
    },
  });
  return { drafts, warnings, textLength: count.textLength, pageStyles };
}

/** 27 -> "AB". */
function lettersOf(column: number): string {
  const last = String.fromCharCode(65 + (column % 26));
  return column < 26 ? last : lettersOf(Math.floor(column / 26) - 1) + last;
}

function countIn(attribute: string | undefined): number {
  const count = Number(attribute ?? 1);
  return Number.isSafeInteger(count) && count > 0 ? count : 1;
}
