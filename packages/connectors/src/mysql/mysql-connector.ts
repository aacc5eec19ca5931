import { defineSqlConnector } from "../sql/sql-connector.ts";
import { mysqlConfigSchema } from "./config.ts";
import { mysqlDialect } from "./mysql-dialect.ts";

export const mysqlConnector = defineSqlConnector(mysqlDialect, mysqlConfigSchema);
