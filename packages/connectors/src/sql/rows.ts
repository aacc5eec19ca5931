import { AnnealError } from "@anneal/core/errors";
import type { Column, Dialect, Relation, SqlSession, TextRow } from "./dialect.ts";
import { firstPageRows, nextPageRows } from "./page-size.ts";
import { isAboutOneRelation } from "./relation.ts";

/** Rows by column name, as text. */
export type Row = Map<string, string | null>;

export type RowScan = {
  columns: Column[];
  /** A longer value is cut by the server, so that no cell can fill the memory here. */
  maxValueChars: number;
  /** Rows whose watermark is at least this (less an overlap) or unknown; null for all. */
  sinceWatermark: string | null;
  /** Only the rows with these keys; null for all. */
  keys: readonly (string | null)[][] | null;
};

/**
 * A table with a primary key is read in pages cut by that key, each its own short transaction: no snapshot is held
 * while documents are processed, so the server's clean-up is never in the way. All else is one long result.
 */
export async function* readRows<Session extends SqlSession>(
  dialect: Dialect<Session>,
  session: Session,
  relation: Relation,
  scan: RowScan,
): AsyncIterable<Row[]> {
  const names = [...relation.key, ...scan.columns].map((column) => column.name);
  const pages = relation.keyIsPrimary
    ? readByKey(dialect, session, relation, scan)
    : readWhole(dialect, session, relation, scan);
  for await (const page of pages) {
    yield page.map((values) => new Map(names.map((name, index) => [name, values[index] ?? null])));
  }
}

/** As many as there are, but no more than `limit`: counting a large table would take as long as reading it. */
export async function countRows<Session extends SqlSession>(
  dialect: Dialect<Session>,
  session: Session,
  relation: Relation,
  limit: number,
): Promise<number> {
  const some = dialect.limit("1 AS one", `FROM ${relation.from}`, limit);
  const { rows } = await session.query(
    `${relation.prelude}SELECT count(*) AS n FROM (${some}) AS counted`,
    [],
    relation.name,
  );
  return Number(rows[0]?.[0]);
}

/** About how many rows there are in all, for people who wait; null where the server does not say so of each. */
export async function estimateRows<Session extends SqlSession>(
  dialect: Dialect<Session>,
  session: Session,
  relations: readonly Relation[],
): Promise<number | null> {
  let total = 0;
  for (const { table } of relations) {
    if (table === null) return null;
    const told = await dialect.estimateRows(session, table).catch((error: unknown) => {
      // A server may speak the protocol and lack this catalogue.
      if (isAboutOneRelation(error)) return null;
      throw error;
    });
    if (!told || !(Number(told) >= 0)) return null;
    total += Number(told);
  }
  return total;
}

/** The largest watermark before a scan begins: what changes during the scan is then found by the next. */
export async function readMaxWatermark<Session extends SqlSession>(
  dialect: Dialect<Session>,
  session: Session,
  relation: Relation,
): Promise<string | null> {
  if (relation.watermark === null) return null;
  const largest = dialect.toText(
    dialect.largest(reach(dialect, relation.watermark), relation.watermark),
    relation.watermark,
  );
  const { rows } = await session.query(
    `${relation.prelude}SELECT ${largest} AS w FROM ${relation.from}`,
    [],
    relation.name,
  );
  return rows[0]?.[0] ?? null;
}

async function* readByKey<Session extends SqlSession>(
  dialect: Dialect<Session>,
  session: Session,
  relation: Relation,
  scan: RowScan,
): AsyncIterable<TextRow[]> {
  const order = relation.key.map((column) => reach(dialect, column)).join(", ");
  let after: string[] | null = null;
  let pageRows = firstPageRows;
  for (;;) {
    const values: string[] = [];
    const bind = createBinder(dialect, values);
    const conditions = [
      ...(after === null ? [] : [afterKey(dialect, relation.key, after, bind)]),
      ...watermarkConditions(dialect, relation, scan, bind),
      ...keyConditions(dialect, relation, scan, bind),
    ];
    const rest = `FROM ${relation.from}${whereOf(conditions)} ORDER BY ${order}`;
    const { rows } = await session.query(
      dialect.limit(selectList(dialect, relation.key, scan), rest, pageRows),
      values,
      relation.name,
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    if (rows.length < pageRows) return;
    const reached = last.slice(0, relation.key.length).map((value) => value ?? "");
    if (after !== null && reached.every((value, index) => value === after?.[index])) throw standsStill(relation);
    after = reached;
    pageRows = nextPageRows(pageRows, rows);
  }
}

/** Of a collation or a code page by which a key is another one once it is sent back. */
function standsStill({ name, key }: Relation): AnnealError {
  const columns = key.map((column) => column.name).join(", ");
  return new AnnealError("INVALID_INPUT", `"${name}" gives the same rows again and again.`, {
    action: `Its server compares (${columns}) in another way than it orders them by: name a query of it instead.`,
  });
}

async function* readWhole<Session extends SqlSession>(
  dialect: Dialect<Session>,
  session: Session,
  relation: Relation,
  scan: RowScan,
): AsyncIterable<TextRow[]> {
  const values: string[] = [];
  const bind = createBinder(dialect, values);
  const conditions = [
    ...watermarkConditions(dialect, relation, scan, bind),
    ...keyConditions(dialect, relation, scan, bind),
  ];
  const select = `SELECT ${selectList(dialect, relation.key, scan)} FROM ${relation.from}${whereOf(conditions)}`;
  yield* session.stream(relation.prelude + select, values, relation.name);
}

/** A value as a parameter, of the column's type or as text. */
type Binder = { typed(value: string, column: Column): string; text(value: string): string };

function createBinder<Session extends SqlSession>(dialect: Dialect<Session>, values: string[]): Binder {
  const text = (value: string) => dialect.placeholder(values.push(value));
  return { text, typed: (value, column) => dialect.fromText(text(value), column) };
}

/** (a, b) > (x, y), or for a dialect without it: a > x OR (a = x AND b > y). */
function afterKey<Session extends SqlSession>(
  dialect: Dialect<Session>,
  key: Column[],
  after: string[],
  { typed }: Binder,
): string {
  const bound = (index: number) => typed(after[index] ?? "", key[index]!);
  if (dialect.comparesTuples) {
    const columns = key.map((column) => reach(dialect, column)).join(", ");
    return `(${columns}) > (${key.map((_, index) => bound(index)).join(", ")})`;
  }
  const alternatives = key.map((column, index) => {
    const equal = key.slice(0, index).map((before, at) => `${reach(dialect, before)} = ${bound(at)}`);
    return `(${[...equal, `${reach(dialect, column)} > ${bound(index)}`].join(" AND ")})`;
  });
  return `(${alternatives.join(" OR ")})`;
}

/**
 * A transaction that commits late carries an earlier time than rows that were read already, so times overlap by ten
 * minutes; rows read twice are recognised by their fingerprint.
 */
function watermarkConditions<Session extends SqlSession>(
  dialect: Dialect<Session>,
  { watermark }: Relation,
  { sinceWatermark }: RowScan,
  { typed }: Binder,
): string[] {
  if (watermark === null || sinceWatermark === null) return [];
  const bound = typed(sinceWatermark, watermark);
  const since = watermark.category === "D" ? dialect.tenMinutesBefore(bound) : bound;
  const column = reach(dialect, watermark);
  return [`(${column} >= ${since} OR ${column} IS NULL)`];
}

/** Values of a primary key compare again, by its index; any other column does as the text that it was told as. */
function keyConditions<Session extends SqlSession>(
  dialect: Dialect<Session>,
  { key, keyIsPrimary }: Relation,
  { keys }: RowScan,
  { typed, text }: Binder,
): string[] {
  if (keys === null) return [];
  const isEqual = (column: Column, value: string | null) => {
    const reached = reach(dialect, column);
    if (value === null) return `${reached} IS NULL`;
    return keyIsPrimary
      ? `${reached} = ${typed(value, column)}`
      : `${dialect.toText(reached, column)} = ${text(value)}`;
  };
  const rows = keys.map((values) => key.map((column, index) => isEqual(column, values[index] ?? null)).join(" AND "));
  return [`(${rows.map((row) => `(${row})`).join(" OR ")})`];
}

function whereOf(conditions: string[]): string {
  return conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
}

function reach<Session extends SqlSession>(dialect: Dialect<Session>, column: Column): string {
  return `q.${dialect.quote(column.name)}`;
}

/** Key columns first and whole (they must compare again), then what was asked for, cut to its limit. */
function selectList<Session extends SqlSession>(dialect: Dialect<Session>, key: Column[], scan: RowScan): string {
  const text = (column: Column) => dialect.toText(reach(dialect, column), column);
  return [...key.map(text), ...scan.columns.map((column) => dialect.cut(text(column), scan.maxValueChars))]
    .map((expression, index) => `${expression} AS c${index}`)
    .join(", ");
}
