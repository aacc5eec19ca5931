import type { Column, Relation } from "./relation.ts";
import { quoteIdentifier, type Session, type TextRow } from "./session.ts";

/** Rows by column name, as text; what a page holds in memory is bounded, however wide the rows are. */
export type Row = Map<string, string | null>;

const maxPageRows = 1000;
const targetPageChars = 8 * 1024 * 1024;

export type RowScan = {
  columns: Column[];
  /** A longer value is cut by the server, so that no cell can fill the memory here. */
  maxValueChars: number;
  /** Rows whose watermark is at least this (less an overlap) or unknown; null for all. */
  sinceWatermark: string | null;
};

/**
 * A table with a primary key is read in pages cut by that key, each its own short transaction: no snapshot is held
 * while documents are processed, so vacuum is never in the way. All else goes through one held cursor, which the
 * server materialises once.
 */
export function readRows(session: Session, relation: Relation, scan: RowScan): AsyncIterable<Row[]> {
  return relation.keyIsPrimary ? readByKey(session, relation, scan) : readByCursor(session, relation, scan);
}

/** As many as there are, but no more than `limit`: counting a large table would take as long as reading it. */
export async function countRows(session: Session, relation: Relation, limit: number): Promise<number> {
  const { rows } = await session.query(
    `SELECT count(*)::text FROM (SELECT FROM ${relation.from} LIMIT ${limit}) AS counted`,
    [],
    relation.name,
  );
  return Number(rows[0]?.[0]);
}

async function* readByKey(session: Session, relation: Relation, scan: RowScan): AsyncIterable<Row[]> {
  const keys = relation.key.map((column) => reach(column)).join(", ");
  let after: string[] = [];
  let limit = 100;
  for (;;) {
    const filter = watermarkFilter(relation, scan, after.length + 1);
    const afterKey = `(${keys}) > (${relation.key.map((column, index) => `$${index + 1}::${column.typeName}`).join(", ")})`;
    const conditions = [...(after.length > 0 ? [afterKey] : []), ...filter.conditions];
    const { rows } = await session.query(
      `SELECT ${selectList(relation.key, scan)} FROM ${relation.from}${whereOf(conditions)} ORDER BY ${keys} LIMIT ${limit}`,
      [...after, ...filter.values],
      relation.name,
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map((row) => toRow(row, relation.key, scan));
    if (rows.length < limit) return;
    after = last.slice(0, relation.key.length).map((value) => value ?? "");
    limit = nextLimit(limit, rows);
  }
}

async function* readByCursor(session: Session, relation: Relation, scan: RowScan): AsyncIterable<Row[]> {
  const filter = watermarkFilter(relation, scan, 1);
  const select = `SELECT ${selectList(relation.key, scan)} FROM ${relation.from}${whereOf(filter.conditions)}`;
  await session.query(`DECLARE anneal_rows NO SCROLL CURSOR WITH HOLD FOR ${select}`, filter.values, relation.name);
  try {
    let limit = 100;
    for (;;) {
      const { rows } = await session.query(`FETCH ${limit} FROM anneal_rows`, [], relation.name);
      if (rows.length === 0) return;
      yield rows.map((row) => toRow(row, relation.key, scan));
      limit = nextLimit(limit, rows);
    }
  } finally {
    await session.query("CLOSE anneal_rows").catch(() => {});
  }
}

/** The largest watermark before a scan begins: what changes during the scan is then found by the next. */
export async function readMaxWatermark(session: Session, relation: Relation): Promise<string | null> {
  if (relation.watermark === null) return null;
  const { rows } = await session.query(
    `SELECT max(${reach(relation.watermark)})::text FROM ${relation.from}`,
    [],
    relation.name,
  );
  return rows[0]?.[0] ?? null;
}

/**
 * A transaction that commits late carries an earlier time than rows that were read already, so times overlap by ten
 * minutes; rows read twice are recognised by their fingerprint.
 */
function watermarkFilter(relation: Relation, scan: RowScan, parameter: number) {
  const { watermark } = relation;
  if (watermark === null || scan.sinceWatermark === null) return { conditions: [], values: [] };
  const since = `$${parameter}::${watermark.typeName}${watermark.category === "D" ? " - interval '10 minutes'" : ""}`;
  return {
    conditions: [`(${reach(watermark)} >= ${since} OR ${reach(watermark)} IS NULL)`],
    values: [scan.sinceWatermark],
  };
}

function whereOf(conditions: string[]): string {
  return conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
}

function reach(column: Column): string {
  return `q.${quoteIdentifier(column.name)}`;
}

/** Key columns first and whole (they must compare again), then what was asked for, cut to its limit. */
function selectList(key: Column[], scan: RowScan): string {
  return [
    ...key.map((column) => `${reach(column)}::text`),
    ...scan.columns.map((column) => `left(${reach(column)}::text, ${scan.maxValueChars})`),
  ].join(", ");
}

function toRow(values: TextRow, key: Column[], scan: RowScan): Row {
  const names = [...key, ...scan.columns].map((column) => column.name);
  return new Map(names.map((name, index) => [name, values[index] ?? null]));
}

function nextLimit(limit: number, rows: TextRow[]): number {
  const chars = rows.reduce((sum, row) => sum + row.reduce((width, value) => width + (value?.length ?? 0), 0), 0);
  const fitting = Math.floor((targetPageChars * rows.length) / Math.max(chars, 1));
  return Math.max(1, Math.min(maxPageRows, fitting, limit * 2));
}
