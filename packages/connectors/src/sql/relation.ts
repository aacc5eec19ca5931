import { AnnealError, isAnnealError } from "@anneal/core/errors";
import type { QueryConfig, SqlConfig, TableConfig } from "./config.ts";
import type { Column, Dialect, Relation, SqlSession, TableName } from "./dialect.ts";

export type RelationFailure = { name: string; error: AnnealError };

/** One relation that cannot be used is a failure of its own; the rest goes on. */
export async function resolveRelations<Session extends SqlSession>(
  dialect: Dialect<Session>,
  session: Session,
  config: SqlConfig,
): Promise<{ relations: Relation[]; failures: RelationFailure[] }> {
  const schema = dialect.defaultSchema(config);
  const automatic = config.tables.length === 0 && config.queries.length === 0;
  const tables = automatic
    ? (await dialect.listTables(session, config)).map((table) => ({ table, settings: noSettings }))
    : config.tables.map((settings) => ({ table: splitName(settings.name, schema), settings }));
  const relations: Relation[] = [];
  const failures: RelationFailure[] = [];
  const wanted = [
    ...tables.map(({ table, settings }) => {
      const name = table.schema === schema ? table.table : `${table.schema}.${table.table}`;
      return { name, resolve: () => resolveTable(dialect, session, name, table, settings) };
    }),
    ...config.queries.map((query) => ({
      name: query.name,
      resolve: () => resolveQuery(dialect, session, query),
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
      new AnnealError("SOURCE_EMPTY", `Database "${config.database}" has no table to read in its "${schema}" schema.`, {
        action: `Name the tables with their schema, or ${dialect.grantAllTables(config)}.`,
      })
    );
  }
  return { relations, failures };
}

const noSettings = { key: [], title: null, watermark: null, owner: null };
type Settings = Omit<TableConfig, "name">;

/** A lost connection is no table's fault and ends the run, which is then tried again as a whole. */
export function isAboutOneRelation(error: unknown): error is AnnealError {
  return isAnnealError(error) && !error.retryable;
}

function splitName(name: string, defaultSchema: string): TableName {
  const dot = name.indexOf(".");
  return dot === -1
    ? { schema: defaultSchema, table: name }
    : { schema: name.slice(0, dot), table: name.slice(dot + 1) };
}

async function resolveTable<Session extends SqlSession>(
  dialect: Dialect<Session>,
  session: Session,
  name: string,
  table: TableName,
  settings: Settings,
): Promise<Relation> {
  const source = { name, prelude: "", from: `${dialect.quote(table.schema)}.${dialect.quote(table.table)} AS q` };
  const columns = await dialect.describeColumns(session, source);
  const primary = await dialect.listPrimaryKey(session, table, name);
  const key = settings.key.length > 0 ? settings.key : primary;
  if (key.length === 0) {
    throw new AnnealError("INVALID_INPUT", `"${name}" has no primary key, so its rows have no lasting name.`, {
      action: "Name its key columns, or leave the table out.",
    });
  }
  const relation = relationOf(settings, source, columns, key);
  const keyIsPrimary = key.join("\0") === primary.join("\0") && relation.key.every(dialect.canPageBy);
  return { ...relation, table, keyIsPrimary };
}

async function resolveQuery<Session extends SqlSession>(
  dialect: Dialect<Session>,
  session: Session,
  config: QueryConfig,
): Promise<Relation> {
  const source = { name: config.name, ...dialect.wrapQuery(config.sql, config.name) };
  const columns = await dialect.describeColumns(session, source);
  const fallback = columns.find((column) => column.name === "id") ?? columns[0];
  const key = config.key.length > 0 ? config.key : fallback === undefined ? [] : [fallback.name];
  return { ...relationOf(config, source, columns, key), table: null, keyIsPrimary: false };
}

const titleNames = ["title", "name", "subject", "headline", "question", "label"];

function relationOf(
  settings: Settings,
  source: Pick<Relation, "name" | "prelude" | "from">,
  columns: Column[],
  key: string[],
): Omit<Relation, "table" | "keyIsPrimary"> {
  const require = (wanted: string): Column => {
    const column = columns.find((candidate) => candidate.name === wanted);
    if (column !== undefined) return column;
    throw new AnnealError("INVALID_INPUT", `"${source.name}" has no column "${wanted}".`, {
      action: `Name one of: ${columns.map((candidate) => candidate.name).join(", ")}.`,
    });
  };
  const guessedTitle = titleNames.find((title) =>
    columns.some((column) => column.name.toLowerCase() === title && column.category === "S"),
  );
  return {
    ...source,
    columns,
    key: key.map(require),
    title:
      settings.title !== null
        ? require(settings.title)
        : (columns.find((column) => column.name.toLowerCase() === guessedTitle) ?? null),
    watermark: settings.watermark === null ? null : require(settings.watermark),
    owner: settings.owner === null ? null : require(settings.owner),
  };
}
