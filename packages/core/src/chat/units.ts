import { sentenceSpans, type Span } from "../indexing/sentences.ts";
import { cellsOf, parseTable } from "../indexing/table.ts";
import { type Facts, factsOf } from "./facts.ts";
import type { Passage } from "./passage.ts";

/** A sentence, list item or table row of a passage: the smallest thing that is cited. */
export type Unit = Span & {
  passage: Passage;
  kind: "sentence" | "row" | "label";
  facts: Facts;
  /** Facts of each clause, by which a negation is told from its neighbour's. */
  clauses: Facts[];
  /** Terms of title, headings, table header and the label or question right before: they may support, never be quoted. */
  lead: Set<string>;
  /** The question right before, which this unit answers; null for most. */
  answers: string | null;
  /** How the unit reads when it is shown: a row with its column names. */
  display: string;
};

/** The units of one passage in order. A question, a line ending in a colon and a bare heading are labels of what follows. */
export function unitsOf(passage: Passage): Unit[] {
  const { text, language } = passage;
  const header = passage.tableHeader === null ? null : (parseTable(passage.tableHeader).header?.cells ?? null);
  const context = factsOf(passage.context, language).terms;
  const units: Unit[] = [];
  let columns = header;
  let label: Unit | null = null;
  const spans = sentenceSpans(text);
  for (const [index, span] of spans.entries()) {
    const raw = text.slice(span.start, span.end);
    const isRow = raw.startsWith("|");
    if (isRow && isRule(raw)) continue;
    const next = spans[index + 1];
    const opensTable = isRow && next !== undefined && isRule(text.slice(next.start, next.end));
    if (!isRow) columns = null;
    if (opensTable) columns = cellsOf(raw);
    const cells = isRow ? cellsOf(raw) : null;
    const lead = new Set([
      ...context,
      ...factsOf((isRow ? columns : null)?.join(" ") ?? "", language).terms,
      ...(label?.facts.terms ?? []),
    ]);
    const kind = opensTable || (!isRow && isLabel(text, span)) ? "label" : isRow ? "row" : "sentence";
    const unit: Unit = {
      ...span,
      passage,
      kind,
      facts: factsOf(raw, language),
      clauses: raw
        .split(/[,;:—]|\b(?:but|and|aber|und|mais|et|pero|y|ma|e|maar|en|mas)\b/u)
        .map((clause) => factsOf(clause, language)),
      lead,
      answers: !isRow && label !== null && kind === "sentence" && /[?？]$/u.test(label.display) ? label.display : null,
      display: cells ? showRow(cells, columns) : raw.replace(/\s+/g, " "),
    };
    units.push(unit);
    // A label leads the sentences after it up to the next blank line; rows have their header instead.
    if (kind === "label" && !isRow) label = unit;
    else if (!isRow && text.slice(span.end).startsWith("\n\n")) label = null;
  }
  return units;
}

const isRule = (row: string): boolean => /^[|\s:-]+$/.test(row) && row.includes("-");

function isLabel(text: string, { start, end }: Span): boolean {
  const raw = text.slice(start, end);
  if (/[?:？：]$/u.test(raw)) return true;
  const words = raw.split(/\s+/).length;
  return words <= 8 && !/[.!。！]["”)]?$/u.test(raw) && text.startsWith("\n\n", end) && !/^[-*•\d]/.test(raw);
}

function showRow(cells: readonly string[], columns: readonly string[] | null): string {
  const shown = cells.map((cell, index) =>
    columns?.[index] && columns[index] !== cell ? `${columns[index]}: ${cell}` : cell,
  );
  return shown.filter((cell) => cell !== "").join("; ");
}
