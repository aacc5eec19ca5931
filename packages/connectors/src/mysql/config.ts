import { defineSqlConfig, sqlSecretSchema } from "../sql/config.ts";

export const mysqlConfigSchema = defineSqlConfig({
  defaultPort: 3306,
  table: "table, or database.table; without a database, the one above.",
  allTables: "No table and no query: every table of the database with a primary key.",
});

export const mysqlSecretSchema = sqlSecretSchema;
