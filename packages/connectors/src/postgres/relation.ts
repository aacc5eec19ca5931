import { AnnealError, isAnnealError } from "@anneal/core/errors";
import type { PostgresConfig, QueryConfig, TableConfig } from "./config.ts";
import { quoteIdentifier, type Session } from "./session.ts";

/** `category` is pg_type.typcategory: "S" string, "D" date and time, "N" numeric, "A" array, "B" boolean, "U" other. */
export type Column = { name: string; typeName: string; category: string };

/** A table or a query whose rows become documents. */
export type Relation = {
  /** Leads every ref; a table outside public carries its schema. */
  name: string;
  /** What stands behind FROM; its columns are reached through the alias `q`. */
  from: string;
  columns: Column[];
  key: Column[];
  /** The key is the primary key: unique, never null, and indexed, so that pages can be cut by it. */
  keyIsPrimary: boolean;
  title: Column | null;
  watermark: Column | null;
  owner: Column | null;
};

export type RelationFailure = { name: string; error: AnnealError };

/** One relation that cannot be used is a failure of its own; the rest goes on. */
export async function resolveRelations(
  session: Session,
  config: PostgresConfig,
): Promise<{ relations: Relation[]; failures: RelationFailure[] }> {
  const automatic = config.tables.length === 0 && config.queries.length === 0;
  const tables = automatic ? await listTables(session) : config.tables;
  const relations: Relation[] = [];
  const failures: RelationFailure[] = [];
  const wanted = [
    ...tables.map((table) => ({
      name: shortName(table.name),
      resolve: () => resolveTable(session, table),
    })),
    ...config.queries.map((query) => ({
      name: query.name,
      resolve: () => resolveQuery(session, query),
    })),
  ];
  for (const { name, resolve } of wanted) {
    try {
      relations.push(await resolve());
    } catch (error) {
      if (!isAboutOneRelation(error)) throw error;
      failures.push({ name, error });
    }
  }
  if (automatic && relations.length === 0) {
    throw (
      failures[0]?.error ??
      new AnnealError("SOURCE_EMPTY", `Schema public of database "${config.database}" has no table to read.`, {
        action: `Name the tables with their schema, or GRANT SELECT ON ALL TABLES IN SCHEMA public TO "${config.user}".`,
      })
    );
  }
  return { relations, failures };
}

/** A lost connection is no table's fault and ends the run, which is then tried again as a whole. */
export function isAboutOneRelation(error: unknown): error is AnnealError {
  return isAnnealError(error) && !error.retryable;
}

/** Partitions are read through their parent; views have no primary key and must be named with one. */
async function listTables(session: Session): Promise<TableConfig[]> {
  const { rows } = await session.query(
    `SELECT c.relname FROM pg_class c
     WHERE c.relnamespace = to_regnamespace('public') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND has_table_privilege(c.oid, 'SELECT')
     ORDER BY c.relname COLLATE "C"`,
  );
  return rows.map(([name]) => ({
    name: `public.${name}`,
    key: [],
    title: null,
    watermark: null,
    owner: null,
  }));
}

function splitName(name: string): { schema: string; table: string } {
  const dot = name.indexOf(".");
  return dot === -1 ? { schema: "public", table: name } : { schema: name.slice(0, dot), table: name.slice(dot + 1) };
}

function shortName(name: string): string {
  const { schema, table } = splitName(name);
  return schema === "public" ? table : `${schema}.${table}`;
}

async function resolveTable(session: Session, config: TableConfig): Promise<Relation> {
  const { schema, table } = splitName(config.name);
  const name = shortName(config.name);
  const from = `${quoteIdentifier(schema)}.${quoteIdentifier(table)} AS q`;
  const columns = await describeColumns(session, from, name);
  const { rows } = await session.query(
    `SELECT a.attname FROM pg_index i
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
     WHERE i.indisprimary AND i.indrelid = $1::regclass
     ORDER BY array_position(i.indkey, a.attnum)`,
    [`${quoteIdentifier(schema)}.${quoteIdentifier(table)}`],
    name,
  );
  const primary = rows.map(([column]) => column ?? "");
  const key = config.key.length > 0 ? config.key : primary;
  if (key.length === 0) {
    throw new AnnealError("INVALID_INPUT", `"${name}" has no primary key, so its rows have no lasting name.`, {
      action: "Name its key columns, or leave the table out.",
    });
  }
  return relationOf(config, name, from, columns, key, key.join("\0") === primary.join("\0"));
}

async function resolveQuery(session: Session, config: QueryConfig): Promise<Relation> {
  // On a line of its own, so that a trailing comment does not swallow the parenthesis.
  const from = `(${config.sql.replace(/[\s;]+$/, "")}\n) AS q`;
  const columns = await describeColumns(session, from, config.name);
  const fallback = columns.find((column) => column.name === "id") ?? columns[0];
  const key = config.key.length > 0 ? config.key : fallback === undefined ? [] : [fallback.name];
  return relationOf(config, config.name, from, columns, key, false);
}

/** Asking for no rows gives the columns of a table and of a query alike, and proves that they may be read. */
async function describeColumns(session: Session, from: string, name: string): Promise<Column[]> {
  const { fields } = await session.query(`SELECT * FROM ${from} LIMIT 0`, [], name);
  const { rows } = await session.query(
    "SELECT oid::text, format_type(oid, NULL), typcategory::text FROM pg_type WHERE oid = ANY ($1::oid[])",
    [`{${fields.map((field) => field.dataTypeID).join(",")}}`],
    name,
  );
  const types = new Map(rows.map(([oid, typeName, category]) => [oid, { typeName, category }]));
  return fields.map((field) => {
    const type = types.get(String(field.dataTypeID));
    return {
      name: field.name,
      typeName: type?.typeName ?? "text",
      category: type?.category ?? "U",
    };
  });
}

const titleNames = ["title", "name", "subject", "headline", "question", "label"];

function relationOf(
  config: TableConfig | QueryConfig,
  name: string,
  from: string,
  columns: Column[],
  key: string[],
  keyIsPrimary: boolean,
): Relation {
  const require = (wanted: string): Column => {
    const column = columns.find((candidate) => candidate.name === wanted);
    if (column !== undefined) return column;
    throw new AnnealError("INVALID_INPUT", `"${name}" has no column "${wanted}".`, {
      action: `Name one of: ${columns.map((candidate) => candidate.name).join(", ")}.`,
    });
  };
  const guessedTitle = titleNames.find((title) =>
    columns.some((column) => column.name.toLowerCase() === title && column.category === "S"),
  );
  return {
    name,
    from,
    columns,
    key: key.map(require),
    keyIsPrimary,
    title:
      config.title !== null
        ? require(config.title)
        : (columns.find((column) => column.name.toLowerCase() === guessedTitle) ?? null),
    watermark: config.watermark === null ? null : require(config.watermark),
    owner: config.owner === null ? null : require(config.owner),
  };
}
