import { defineSqlConfig, sqlSecretSchema } from "../sql/config.ts";

export const mssqlConfigSchema = defineSqlConfig({
  defaultPort: 1433,
  table: "table, or schema.table; without a schema, dbo.",
  allTables: "No table and no query: every table in dbo with a primary key.",
});

export const mssqlSecretSchema = sqlSecretSchema;
