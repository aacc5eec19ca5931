import { defineSqlConfig, sqlSecretSchema, type SqlConfig } from "../sql/config.ts";

export const postgresConfigSchema = defineSqlConfig({
  defaultPort: 5432,
  table: "table, or schema.table; without a schema, public.",
  allTables: "No table and no query: every table in public with a primary key.",
});
export type PostgresConfig = SqlConfig;

export const postgresSecretSchema = sqlSecretSchema;
