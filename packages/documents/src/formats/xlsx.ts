import { appendAll } from "../append-all.ts";
import { countOf } from "../document-errors.ts";
import { RowCount } from "../gfm-table.ts";
import type { ParseLimits } from "../limits.ts";
import type { OoxmlPackage } from "../ooxml-package.ts";
import type { Draft, Parsed } from "../sections.ts";
import { elementOf, elementsOf, streamXml } from "../xml-tree.ts";
import { formatNumber } from "./number-format.ts";
import { type RunningLine, runningDrafts } from "./running-lines.ts";
import { SheetColumns } from "./sheet-columns.ts";
import { sheetDrafts, withCommentsBelow } from "./sheet-tables.ts";
import { readSheetComments } from "./xlsx-comments.ts";
import { SheetHeadersFooters } from "./xlsx-headers-footers.ts";

/** What a sheet's cells refer to. */
type Workbook = {
  strings: string[];
  /** Per cell style: its number format. */
  styles: { formatId: number; code: string | undefined }[];
  date1904: boolean;
};

/**
 * Workbooks, sheet by sheet. The sheets are streamed; values are shown as formatted, formulas by their last computed result.
 */
export function parseXlsx(office: OoxmlPackage, limits: ParseLimits): Parsed {
  const root = office.tree(office.mainPart);
  const targets = office.relationships(office.mainPart);
  const partOfType = (type: string) => targets.find((relationship) => relationship.type === type)?.target;
  const workbook: Workbook = {
    strings: readStrings(office, partOfType("sharedStrings")),
    styles: readStyles(office, partOfType("styles")),
    date1904: /^(?:1|true)$/u.test(elementOf(root, "workbookPr")?.attributes["date1904"] ?? ""),
  };
  const commentsOf = readSheetComments(office);
  const drafts: Draft[] = [];
  const warnings: string[] = [];
  const count = new RowCount(limits);
  const running: RunningLine[] = [];
  for (const sheet of elementsOf(elementOf(root, "sheets"), "sheet")) {
    const { name = "Sheet", state, "r:id": id } = sheet.attributes;
    const target = targets.find((relationship) => relationship.id === id);
    const text = target?.type === "worksheet" ? office.text(target.target) : undefined;
    if (state === "hidden" || state === "veryHidden") warnings.push(`The hidden sheet "${name}" was left out.`);
    else if (text !== undefined) {
      const { rows, unsolved, lines } = readSheet(text, name, workbook, count);
      if (unsolved > 0)
        warnings.push(
          `Sheet "${name}": ${countOf(unsolved, "formula")} without a stored result; open and save it once in a spreadsheet program.`,
        );
      appendAll(running, lines);
      const sheetOnly = sheetDrafts(rows, name, limits);
      appendAll(drafts, withCommentsBelow(sheetOnly, commentsOf(target!.target), name));
    }
  }
  appendAll(drafts, runningDrafts(running));
  return { title: office.title, drafts, warnings: [...office.warnings, ...warnings], textLength: count.textLength };
}

function readStrings(office: OoxmlPackage, partName: string | undefined): string[] {
  const text = partName === undefined ? undefined : office.text(partName);
  if (text === undefined) return [];
  const strings: string[] = [];
  let current: string | null = null;
  let inText = false;
  let inPhonetic = false;
  streamXml(text, partName!, {
    open(name) {
      if (name === "si") current = "";
      else if (name === "t") inText = !inPhonetic;
      else if (name === "rPh") inPhonetic = true;
    },
    text(value) {
      if (inText && current !== null) current += value;
    },
    close(name) {
      if (name === "t") inText = false;
      else if (name === "rPh") inPhonetic = false;
      else if (name === "si") {
        strings.push(unescapeControls(current ?? ""));
        current = null;
      }
    },
  });
  return strings;
}

function readStyles(office: OoxmlPackage, partName: string | undefined): Workbook["styles"] {
  const root = partName === undefined ? undefined : office.tree(partName);
  const codes = new Map(
    elementsOf(elementOf(root, "numFmts"), "numFmt").map(({ attributes }) => [
      Number(attributes["numFmtId"]),
      attributes["formatCode"] ?? "",
    ]),
  );
  return elementsOf(elementOf(root, "cellXfs"), "xf").map(({ attributes }) => {
    const formatId = Number(attributes["numFmtId"] ?? 0);
    return { formatId, code: codes.get(formatId) };
  });
}

/** The rows that hold something. An empty row stands for each gap. */
function readSheet(text: string, name: string, workbook: Workbook, count: RowCount): Sheet {
  const kept = new Map<number, string[]>();
  let unsolved = 0;
  let rowNumber = 0;
  let column = 0;
  let cell: Cell | null = null;
  let isValue = false;
  let row = new Map<number, string>();
  const columns = new SheetColumns();
  const running = new SheetHeadersFooters(name);
  streamXml(text, name, {
    open(tag, attributes) {
      running.open(tag, attributes);
      if (tag === "row") {
        const declared = Number(attributes["r"]);
        rowNumber = Number.isInteger(declared) && declared > rowNumber ? declared : rowNumber + 1;
        column = 0;
        row = new Map();
      } else if (tag === "c") {
        column = columnOf(attributes["r"]) ?? column;
        cell = {
          type: attributes["t"] ?? "n",
          style: Number(attributes["s"] ?? 0),
          value: "",
          isFormula: false,
        };
      } else if (tag === "v" || tag === "t") isValue = cell !== null;
      else if (tag === "f" && cell !== null) cell.isFormula = true;
      else if (tag === "rPh") isValue = false;
      else if (tag === "mergeCell") spreadDown(attributes["ref"] ?? "", kept, columns, rowNumber);
    },
    text(value) {
      running.text(value);
      if (isValue && cell !== null) cell.value += value;
    },
    close(tag) {
      running.close(tag);
      if (tag === "v" || tag === "t") isValue = false;
      else if (tag === "c" && cell !== null) {
        const shown = showCell(cell, workbook);
        if (cell.isFormula && cell.value === "") unsolved += 1;
        if (shown !== "") row.set(column, shown);
        cell = null;
        column += 1;
      } else if (tag === "row" && row.size > 0) {
        const cells = columns.pack(row);
        if (count.add(cells)) kept.set(rowNumber, cells);
      }
    },
  });
  let previous = 0;
  const rows = [...kept].flatMap(([number, cells]) => {
    const gap = number > previous + 1 ? [[]] : [];
    previous = number;
    return [...gap, cells];
  });
  return { rows: columns.inOrder(rows), unsolved, lines: running.lines };
}

type Cell = { type: string; style: number; value: string; isFormula: boolean };

/** `unsolved` counts formulas without a stored result: written by a program and never opened in Excel. */
type Sheet = { rows: string[][]; unsolved: number; lines: RunningLine[] };

function showCell(cell: Cell, workbook: Workbook): string {
  const { type, value } = cell;
  if (value === "") return "";
  if (type === "s") return (workbook.strings[Number(value)] ?? "").trim();
  if (type === "b") return value === "1" ? "TRUE" : "FALSE";
  if (type !== "n") return unescapeControls(value).trim();
  const number = Number(value);
  const style = workbook.styles[cell.style];
  return Number.isFinite(number) ? formatNumber(number, style?.formatId ?? 0, style?.code, workbook.date1904) : value;
}

/** A cell merged over several rows stands in each of them, so that every row can be read alone. */
function spreadDown(reference: string, rows: Map<number, string[]>, columns: SheetColumns, lastRow: number): void {
  const match = /^([A-Z]+)(\d+):[A-Z]+(\d+)$/u.exec(reference);
  if (match === null) return;
  const slot = columns.slotOf(columnOf(match[1])!);
  const first = Number(match[2]);
  const value = slot === undefined ? "" : (rows.get(first)?.[slot] ?? "");
  if (slot === undefined || value === "") return;
  for (let number = first + 1; number <= Math.min(Number(match[3]), lastRow); number += 1) {
    const row = rows.get(number);
    if (row === undefined) continue;
    while (row.length <= slot) row.push("");
    row[slot] ||= value;
  }
}

/** "AB12" -> 27. */
function columnOf(reference: string | undefined): number | null {
  const letters = /^[A-Z]{1,3}/u.exec(reference ?? "")?.[0];
  if (letters === undefined) return null;
  return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

/** Excel writes control characters in strings as _x000D_. */
function unescapeControls(text: string): string {
  return text.replace(/_x([0-9A-Fa-f]{4})_/gu, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
