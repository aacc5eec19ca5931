import { defineSqlConnector } from "../sql/sql-connector.ts";
import { mssqlConfigSchema } from "./config.ts";
import { mssqlDialect } from "./mssql-dialect.ts";

export const mssqlConnector = defineSqlConnector(mssqlDialect, mssqlConfigSchema);
