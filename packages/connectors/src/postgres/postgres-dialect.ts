import { types } from "pg";
import type { Column, Dialect } from "../sql/dialect.ts";
import { formatJson, formatTime } from "../sql/row-document.ts";
import { refuseWritingFunctions } from "./refuse-writing-functions.ts";
import { openSession, quoteIdentifier, type PostgresSession } from "./session.ts";
import { readWriteAccess } from "./write-access.ts";

export const postgresDialect: Dialect<PostgresSession> = {
  kind: "postgres",
  title: "PostgreSQL",
  defaultPort: 5432,
  defaultSchema: () => "public",
  open: openSession,

  readWriteAccess,

  /** Partitions are read through their parent; views have no primary key and must be named with one. */
  async listTables(session) {
    const { rows } = await session.query(
      `SELECT c.relname FROM pg_class c
       WHERE c.relnamespace = to_regnamespace('public') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
         AND has_table_privilege(c.oid, 'SELECT')
       ORDER BY c.relname COLLATE "C"`,
    );
    return rows.map(([name]) => ({ schema: "public", table: name ?? "" }));
  },
  grantAllTables: ({ user }) => `GRANT SELECT ON ALL TABLES IN SCHEMA public TO "${user}"`,

  /** Asking for no rows gives the columns of a table and of a query alike. */
  async describeColumns(session, { from, name }) {
    const { fields } = await session.query(`SELECT * FROM ${from} LIMIT 0`, [], name);
    // With -1, because a bare "character" or "bit" has a length of one.
    const { rows } = await session.query(
      "SELECT oid::text, format_type(oid, -1), typcategory::text FROM pg_type WHERE oid = ANY ($1::oid[])",
      [`{${fields.map((field) => field.dataTypeID).join(",")}}`],
      name,
    );
    const known = new Map(rows.map(([oid, typeName, category]) => [oid, { typeName, category }]));
    return fields.map((field) => {
      const type = known.get(String(field.dataTypeID));
      return {
        name: field.name,
        typeName: type?.typeName ?? "text",
        category: type?.category ?? "U",
      };
    });
  },

  async listPrimaryKey(session, { schema, table }, name) {
    const { rows } = await session.query(
      `SELECT a.attname FROM pg_index i
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
       WHERE i.indisprimary AND i.indrelid = $1::regclass
       ORDER BY array_position(i.indkey, a.attnum)`,
      [`${quoteIdentifier(schema)}.${quoteIdentifier(table)}`],
      name,
    );
    return rows.map(([column]) => column ?? "");
  },
  /** With what lies in its partitions and heirs, which are read through it; -1 is a table that was never analysed. */
  async estimateRows(session, { schema, table }) {
    const { rows } = await session.query(
      `WITH RECURSIVE part(oid) AS (
         SELECT $1::regclass::oid UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN part ON i.inhparent = part.oid
       )
       SELECT CASE WHEN min(c.reltuples) >= 0 THEN sum(c.reltuples)::bigint END
       FROM pg_class c JOIN part ON c.oid = part.oid WHERE c.relkind <> 'p'`,
      [`${quoteIdentifier(schema)}.${quoteIdentifier(table)}`],
    );
    return rows[0]?.[0];
  },
  canPageBy: () => true,

  quote: quoteIdentifier,
  wrapQuery(sql, name) {
    refuseWritingFunctions(sql, name);
    // On a line of its own, so that a trailing comment does not swallow the parenthesis.
    return { prelude: "", from: `(${sql.replace(/[\s;]+$/, "")}\n) AS q` };
  },
  placeholder: (position) => `$${position}`,
  fromText: (parameter, column) => `${parameter}::${column.typeName}`,
  toText: (expression) => `${expression}::text`,
  largest: (expression) => `max(${expression})`,
  cut: (text, maxChars) => `left(${text}, ${maxChars})`,
  tenMinutesBefore: (time) => `${time} - interval '10 minutes'`,
  comparesTuples: true,
  limit: (select, rest, maxRows) => `SELECT ${select} ${rest} LIMIT ${maxRows}`,

  isReadable: (column) => column.typeName !== "bytea",
  formatValue,
  readOwners(column, raw) {
    const owners = column.category === "A" ? parseArray(raw) : [raw];
    return owners.filter((owner): owner is string => typeof owner === "string" && owner !== "");
  },
};

// text[]: every element as the server wrote it. The typings know scalar types only.
const textArrayOid = 1009 as Parameters<typeof types.getTypeParser>[0];
const parseArray = types.getTypeParser(textArrayOid, "text") as (value: string) => unknown[];

/** @param raw the value's text form under DateStyle ISO and TimeZone UTC */
export function formatValue(column: Column, raw: string): string {
  const value = raw.trim();
  switch (column.typeName) {
    case "timestamp with time zone":
      return formatTime(value.replace(/\+00$/, ""), true);
    case "timestamp without time zone":
      return formatTime(value, false);
    case "json":
    case "jsonb":
      return formatJson(value);
  }
  return column.category === "A" ? formatArray(value) : value;
}

function formatArray(value: string): string {
  const elements = parseArray(value);
  return elements.some(Array.isArray)
    ? JSON.stringify(elements)
    : elements.filter((element) => element !== null).join(", ");
}
