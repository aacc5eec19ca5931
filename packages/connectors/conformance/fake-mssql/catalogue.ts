import type { DatabaseSync } from "node:sqlite";
import type { TextRow } from "../../src/sql/dialect.ts";
import { translate } from "./translate.ts";

export type FakeLogin = {
  password: string;
  /** It is refused with this error, whatever its password. */
  refusal?: number;
  /** Fixed roles such as db_datareader, or sysadmin. */
  roles: string[];
  databasePermissions: string[];
  /** Also those on a schema ("SCHEMA::[dbo]"), and those on one column of an object. */
  objectPermissions: [permission: string, object: string, column?: string][];
  serverPermissions?: string[];
};

/** The views and functions of the catalogue that the connector asks, from what SQLite knows of its own tables. */
export function answerCatalogue(
  database: DatabaseSync,
  login: FakeLogin & { user: string },
  sql: string,
  values: (string | null)[],
): TextRow[] | null {
  if (sql.includes("FROM sys.tables")) {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
    return tables.map(({ name }) => [String(name)]);
  }
  if (sql.includes("dm_exec_describe_first_result_set")) {
    const columns = database.prepare(translate(values[0] ?? "")).columns();
    return columns.map(({ name, type }) => [name, (type ?? "nvarchar(max)").toLowerCase()]);
  }
  if (sql.includes("i.is_primary_key = 1")) {
    const query = database.prepare("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk");
    const columns = query.all(tableOf(values));
    return columns.map(({ name }) => [String(name)]);
  }
  if (sql.includes("FROM sys.partitions")) {
    const { n } = database.prepare(`SELECT count(*) AS n FROM "${tableOf(values).replaceAll('"', '""')}"`).get()!;
    return [[String(n)]];
  }
  if (sql.includes("USER_NAME()")) {
    const roles = [...sql.matchAll(/MEMBER\('(\w+)'\)/g)].map(([, role]) => role!);
    return [[login.user, ...roles.map((role) => (login.roles.includes(role) ? "1" : "0"))]];
  }
  if (sql.includes("FROM sys.objects")) return answerSecurables(login, sql);
  if (sql.includes("fn_my_permissions(NULL")) return login.databasePermissions.map((permission) => [permission]);
  return null;
}

function tableOf([name]: (string | null)[]): string {
  return /\.\[(.*)\]$/.exec(name ?? "")?.[1]?.replaceAll("]]", "]") ?? "";
}

/** The server, the schemas and the objects, without the permissions that the question leaves out. */
function answerSecurables(login: FakeLogin, sql: string): TextRow[] {
  const leftOut = /permission_name NOT IN \(([^)]*)\)/.exec(sql)?.[1] ?? "";
  const most = Number(/^SELECT TOP \((\d+)\)/.exec(sql)?.[1]);
  const held = [
    ...(login.serverPermissions ?? ["CONNECT SQL", "VIEW ANY DATABASE"]).map((permission) => [permission, "", ""]),
    ...login.objectPermissions.map(([permission, on, column = ""]) => [permission, on, column]),
  ].filter(([permission = ""]) => !permission.startsWith("VIEW ") && !leftOut.includes(`'${permission}'`));
  return held.slice(0, most).map((row) => [...row, String(held.length)]);
}
