import type { Column, Dialect, SqlSession } from "../sql/dialect.ts";
import { formatTime, readJsonOwners } from "../sql/row-document.ts";
import { parseSelect, type Lexicon } from "../sql/single-select.ts";
import { openSession } from "./session.ts";
import { readWriteAccess } from "./write-access.ts";

const lexicon: Lexicon = {
  backslashEscapes: false,
  quotes: { "'": "'", '"': '"', "[": "]" },
  hashComments: false,
  dashesNeedSpace: false,
};

export const mssqlDialect: Dialect<SqlSession> = {
  kind: "mssql",
  title: "SQL Server",
  defaultPort: 1433,
  defaultSchema: () => "dbo",
  open: openSession,
  readWriteAccess,

  /** Views have no primary key and must be named with one. */
  async listTables(session) {
    const { rows } = await session.query(
      `SELECT t.name FROM sys.tables AS t
       WHERE t.schema_id = SCHEMA_ID('dbo') AND t.is_ms_shipped = 0
         AND HAS_PERMS_BY_NAME(QUOTENAME('dbo') + '.' + QUOTENAME(t.name), 'OBJECT', 'SELECT') = 1
       ORDER BY t.name`,
    );
    return rows.map(([table]) => ({ schema: "dbo", table: table ?? "" }));
  },
  grantAllTables: ({ user }) => `GRANT SELECT ON SCHEMA::dbo TO ${quoteIdentifier(user)}`,

  async describeColumns(session, { prelude, from, name }) {
    const noRows = `${prelude}SELECT TOP (0) * FROM ${from}`;
    // The description alone would not say in an error what is missing.
    await session.query(noRows, [], name);
    const { rows } = await session.query(
      "SELECT name, system_type_name FROM sys.dm_exec_describe_first_result_set(@p1, NULL, 0) ORDER BY column_ordinal",
      [noRows],
      name,
    );
    return rows.map(([column, type]) => describeColumn(column ?? "", type));
  },

  async listPrimaryKey(session, { schema, table }, name) {
    const { rows } = await session.query(
      `SELECT c.name FROM sys.indexes AS i
       JOIN sys.index_columns AS ic ON ic.object_id = i.object_id AND ic.index_id = i.index_id
       JOIN sys.columns AS c ON c.object_id = ic.object_id AND c.column_id = ic.column_id
       WHERE i.is_primary_key = 1 AND i.object_id = OBJECT_ID(@p1) ORDER BY ic.key_ordinal`,
      [`${quoteIdentifier(schema)}.${quoteIdentifier(table)}`],
      name,
    );
    return rows.map(([column]) => column ?? "");
  },
  async estimateRows(session, { schema, table }) {
    const { rows } = await session.query(
      "SELECT SUM(p.rows) FROM sys.partitions AS p WHERE p.object_id = OBJECT_ID(@p1) AND p.index_id IN (0, 1)",
      [`${quoteIdentifier(schema)}.${quoteIdentifier(table)}`],
    );
    return rows[0]?.[0];
  },
  canPageBy: ({ category }) => category !== "F" && category !== "O",

  quote: quoteIdentifier,
  wrapQuery(sql, name) {
    const { prelude, select } = parseSelect(sql, name, lexicon);
    // On a line of its own, so that a trailing comment does not swallow the parenthesis.
    return { prelude, from: `(${select}\n) AS q` };
  },
  placeholder: (position) => `@p${position}`,
  /** In the column's own type: a value of a near one compares by other rules than the rows are ordered by. */
  fromText(parameter, { typeName, category }) {
    if (category === "B") return `CONVERT(varbinary(max), ${parameter}, 2)`;
    return `CONVERT(${typeName}, ${parameter}${category === "D" ? ", 121" : ""})`;
  },
  toText,
  largest,
  cut: (text, maxChars) => `LEFT(${text}, ${maxChars})`,
  tenMinutesBefore: (time) => `DATEADD(minute, -10, ${time})`,
  comparesTuples: false,
  limit: (select, rest, maxRows) => `SELECT TOP (${maxRows}) ${select} ${rest}`,

  isReadable: ({ category }) => category !== "B" && category !== "O",
  formatValue,
  readOwners: (_, raw) => readJsonOwners(raw),
};

const categories: Record<string, string> = {
  date: "D",
  datetime: "D",
  datetime2: "D",
  smalldatetime: "D",
  datetimeoffset: "D",
  char: "S",
  varchar: "S",
  nchar: "S",
  nvarchar: "S",
  text: "S",
  ntext: "S",
  // A float's text is not its value.
  float: "F",
  real: "F",
  binary: "B",
  varbinary: "B",
  timestamp: "B",
  image: "O",
  geography: "O",
  geometry: "O",
  hierarchyid: "O",
  sql_variant: "O",
  xml: "X",
};

/** @param type such as nvarchar(max), or null for a type that was made in the database */
function describeColumn(name: string, type: string | null | undefined): Column {
  const typeName = type ?? "sql_variant";
  return { name, typeName, category: categories[/^\w+/.exec(typeName)?.[0] ?? ""] ?? (type === null ? "O" : "N") };
}

function toText(expression: string, { typeName, category }: Column): string {
  switch (category) {
    case "B":
      return `CONVERT(varchar(max), ${expression}, 2)`;
    case "O":
      return `CONVERT(varchar(max), CONVERT(varbinary(max), ${expression}), 2)`;
    case "D":
      return `CONVERT(nvarchar(40), ${expression}, 121)`;
    case "F":
      return `CONVERT(nvarchar(40), ${expression}, 3)`;
  }
  return typeName.endsWith("money")
    ? `CONVERT(nvarchar(40), ${expression}, 2)`
    : `CONVERT(nvarchar(max), ${expression})`;
}

/** A rowversion is given when a row is written, so a transaction that is still open may yet show lower ones. */
function largest(expression: string, { typeName }: Column): string {
  const max = `max(${expression})`;
  if (typeName !== "timestamp") return max;
  return `CASE WHEN ${max} < MIN_ACTIVE_ROWVERSION() THEN ${max} ELSE MIN_ACTIVE_ROWVERSION() END`;
}

function formatValue({ typeName }: Column, raw: string): string {
  const value = raw.trim();
  if (typeName.startsWith("datetimeoffset")) return value.replace(/^(\S+) (\S+) ([+-]\d\d:\d\d)$/, "$1T$2$3");
  return /^(?:small)?datetime/.test(typeName) ? formatTime(value, false) : value;
}

function quoteIdentifier(name: string): string {
  return `[${name.replaceAll("]", "]]")}]`;
}
