import { defineSqlConnector } from "../sql/sql-connector.ts";
import { postgresConfigSchema } from "./config.ts";
import { postgresDialect } from "./postgres-dialect.ts";

export const postgresConnector = defineSqlConnector(postgresDialect, postgresConfigSchema);
