import type { Column, Dialect } from "../sql/dialect.ts";
import { formatJson, formatTime, readJsonOwners } from "../sql/row-document.ts";
import { parseSelect, type Lexicon } from "../sql/single-select.ts";
import { describeColumn } from "./column-type.ts";
import { openSession, type MysqlSession } from "./session.ts";
import { readWriteAccess } from "./write-access.ts";

const lexicon: Lexicon = {
  backslashEscapes: true,
  quotes: { "'": "'", '"': '"', "`": "`" },
  hashComments: true,
  dashesNeedSpace: true,
};

/** MySQL and MariaDB. A schema is a database there. */
export const mysqlDialect: Dialect<MysqlSession> = {
  kind: "mysql",
  title: "MySQL or MariaDB",
  defaultPort: 3306,
  defaultSchema: ({ database }) => database,
  open: openSession,

  readWriteAccess,

  /** Views have no primary key and must be named with one. */
  async listTables(session, { database }) {
    const { rows } = await session.query(
      `SELECT table_name FROM information_schema.tables
       WHERE table_schema = ? AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY BINARY table_name`,
      [database],
    );
    return rows.map(([table]) => ({ schema: database, table: table ?? "" }));
  },
  grantAllTables: ({ user, database }) => `GRANT SELECT ON \`${database}\`.* TO '${user}'`,

  /** Asking for no rows gives the columns of a table and of a query alike. */
  async describeColumns(session, { from, name }) {
    const { fields } = await session.query(`SELECT * FROM ${from} LIMIT 0`, [], name);
    return fields.map(describeColumn);
  },

  async listPrimaryKey(session, { schema, table }, name) {
    const { rows } = await session.query(
      `SELECT column_name FROM information_schema.statistics
       WHERE table_schema = ? AND table_name = ? AND index_name = 'PRIMARY' ORDER BY seq_in_index`,
      [schema, table],
      name,
    );
    return rows.map(([column]) => column ?? "");
  },
  async estimateRows(session, { schema, table }) {
    const { rows } = await session.query(
      "SELECT table_rows FROM information_schema.tables WHERE table_schema = ? AND table_name = ?",
      [schema, table],
    );
    return rows[0]?.[0];
  },
  // A float's text is not its value, and an enumeration is ordered by its positions but compared by its words.
  canPageBy: ({ typeName }) => !["float", "double", "enum", "set", "json", "opaque"].includes(typeName),

  quote: quoteIdentifier,
  wrapQuery(sql, name) {
    const { prelude, select } = parseSelect(sql, name, lexicon);
    // On a line of its own, so that a trailing comment does not swallow the parenthesis.
    return { prelude: "", from: `(${prelude}${select}\n) AS q` };
  },
  placeholder: () => "?",
  fromText,
  toText,
  largest: (expression) => `max(${expression})`,
  cut: (text, maxChars) => `LEFT(${text}, ${maxChars})`,
  tenMinutesBefore: (time) => `${time} - INTERVAL 10 MINUTE`,
  // It exists, but no index is used for it.
  comparesTuples: false,
  limit: (select, rest, maxRows) => `SELECT ${select} ${rest} LIMIT ${maxRows}`,

  isReadable: ({ typeName }) => typeName !== "binary" && typeName !== "opaque",
  formatValue,
  readOwners: (_, raw) => readJsonOwners(raw),
};

function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** Left to itself the server compares a number with a text as two doubles, which large keys do not survive. */
function fromText(parameter: string, { typeName }: Column): string {
  switch (typeName) {
    case "signed":
      return `CAST(${parameter} AS SIGNED)`;
    case "unsigned":
    case "bit":
      return `CAST(${parameter} AS UNSIGNED)`;
    case "decimal":
      return `CAST(${parameter} AS DECIMAL(65, 30))`;
    case "float":
    case "double":
      return `(${parameter} + 0e0)`;
    case "date":
      return `CAST(${parameter} AS DATE)`;
    case "datetime":
    case "timestamp":
      return `CAST(${parameter} AS DATETIME(6))`;
    case "time":
      return `CAST(${parameter} AS TIME(6))`;
    case "binary":
      return `UNHEX(${parameter})`;
  }
  return parameter;
}

function toText(expression: string, { typeName }: Column): string {
  if (typeName === "binary" || typeName === "opaque") return `HEX(${expression})`;
  if (typeName === "bit") return `CAST(${expression} + 0 AS CHAR)`;
  return `CAST(${expression} AS CHAR)`;
}

function formatValue({ typeName }: Column, raw: string): string {
  const value = raw.trim();
  switch (typeName) {
    case "timestamp":
      return formatTime(value, true);
    case "datetime":
      return formatTime(value, false);
    case "json":
      return formatJson(value);
  }
  return value;
}
