import type { ConnectContext } from "../connector.ts";
import type { SqlConfig, SqlSecrets } from "./config.ts";

/**
 * `typeName` and `category` are the dialect's own, but for three categories that all share: "S" text, "D" a point in
 * time, "A" an array.
 */
export type Column = { name: string; typeName: string; category: string };

/** A table or a query whose rows become documents. */
export type Relation = {
  /** Leads every ref; a table outside the default schema carries its schema. */
  name: string;
  /** What stands before SELECT, for a dialect that takes no WITH inside FROM; else empty. */
  prelude: string;
  /** What stands behind FROM; its columns are reached through the alias `q`. */
  from: string;
  /** The table that it is; null for a query. */
  table: TableName | null;
  columns: Column[];
  key: Column[];
  /** The key is the primary key: unique, never null, and indexed, so that pages can be cut by it. */
  keyIsPrimary: boolean;
  title: Column | null;
  watermark: Column | null;
  owner: Column | null;
};

/** Every value as text that the server made of it, so that a fingerprint never depends on a driver. */
export type TextRow = (string | null)[];

export type SqlSession = {
  /**
   * One statement that the server lets read and nothing else, as far as it can.
   * @param what the table or query, for the sentence of an error
   */
  query(sql: string, values?: string[], what?: string): Promise<{ rows: TextRow[] }>;
  /** The rows of one long result, in pages whose size in memory is bounded. The session is busy until it ends. */
  stream(sql: string, values: string[], what: string): AsyncIterable<TextRow[]>;
  /** For what cannot be prepared everywhere. Never with anything that a person wrote. */
  ask?(sql: string): Promise<TextRow[]>;
  close(): Promise<void>;
};

/**
 * `remedy` says in the vendor's words what to take away from the user, or which user to make instead; `reason` is a
 * sentence about what the server does not tell.
 */
export type WriteAccess =
  | { writes: "no" }
  | { writes: "yes"; remedy: string }
  | { writes: "unknown"; reason: string; remedy: string };

export type TableName = { schema: string; table: string };

/** All that one database does differently. */
export type Dialect<Session extends SqlSession> = {
  /** The connector's kind; also the scheme of a row's address and the source of its owners. */
  kind: string;
  title: string;
  defaultPort: number;
  defaultSchema(config: SqlConfig): string;
  open(config: SqlConfig, secrets: SqlSecrets, context: ConnectContext): Promise<Session>;
  readWriteAccess(session: Session, config: SqlConfig): Promise<WriteAccess>;

  listTables(session: Session, config: SqlConfig): Promise<TableName[]>;
  /** How to let the user see the tables of the default schema. */
  grantAllTables(config: SqlConfig): string;
  /** Proves as well that the relation may be read. */
  describeColumns(session: Session, relation: Pick<Relation, "name" | "prelude" | "from">): Promise<Column[]>;
  listPrimaryKey(session: Session, table: TableName, name: string): Promise<string[]>;
  /** About how many rows it has, by what the server has noted; "" or null where it has not, as of a view. */
  estimateRows(session: Session, table: TableName): Promise<string | null | undefined>;
  /** Two values of the column compare again as text parameters exactly as they are ordered. */
  canPageBy(column: Column): boolean;

  quote(name: string): string;
  /** @throws AnnealError INVALID_INPUT for what is not one SELECT */
  wrapQuery(sql: string, name: string): Pick<Relation, "prelude" | "from">;
  /** @param position from 1 */
  placeholder(position: number): string;
  /** A text parameter as a value of the column's type. */
  fromText(parameter: string, column: Column): string;
  toText(expression: string, column: Column): string;
  /** Up to where a column that grows with every change can be relied on. */
  largest(expression: string, column: Column): string;
  cut(text: string, maxChars: number): string;
  /** A point in time, ten minutes earlier. */
  tenMinutesBefore(time: string): string;
  /** Whether (a, b) > (x, y) exists and uses an index. */
  comparesTuples: boolean;
  limit(select: string, rest: string, maxRows: number): string;

  /** Binary values say nothing to a reader and are not even fetched. */
  isReadable(column: Column): boolean;
  /** @param raw the value's text, as `toText` gives it */
  formatValue(column: Column, raw: string): string;
  readOwners(column: Column, raw: string): string[];
};
