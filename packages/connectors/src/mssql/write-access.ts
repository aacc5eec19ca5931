import type { SqlConfig } from "../sql/config.ts";
import type { SqlSession, WriteAccess } from "../sql/dialect.ts";
import { listRemedies } from "../sql/writable-user.ts";

const writingRoles = ["db_owner", "db_datawriter", "db_ddladmin", "db_securityadmin", "db_accessadmin"];

/**
 * What a user may hold and still not change anything, besides whatever begins with VIEW. All else counts as writing,
 * permissions of later releases included. EXECUTE does: a procedure may write, and there is no transaction that only
 * reads. https://learn.microsoft.com/sql/relational-databases/security/permissions-database-engine
 */
const readingPermissions = [
  "CONNECT",
  "CONNECT REPLICATION",
  "CONNECT SQL",
  "CONNECT ANY DATABASE",
  "SELECT",
  "SELECT ALL USER SECURABLES",
  "REFERENCES",
  "SHOWPLAN",
  "UNMASK",
  "SUBSCRIBE QUERY NOTIFICATIONS",
];
const isWriting = (permission: string) => !readingPermissions.includes(permission) && !permission.startsWith("VIEW ");

/** More are counted, and not named. */
const namedRights = 50;

/**
 * What the user holds in the end, by whatever way: fn_my_permissions counts roles and ownership in. Where it comes
 * from a fixed role, leaving that role is what takes it away.
 */
export async function readWriteAccess(session: SqlSession, { database }: SqlConfig): Promise<WriteAccess> {
  const roles = await session.query(
    `SELECT USER_NAME(), IS_SRVROLEMEMBER('sysadmin'), ${writingRoles.map((role) => `IS_ROLEMEMBER('${role}')`).join(", ")}`,
  );
  const [user, isSysadmin, ...memberships] = roles.rows[0] ?? [];
  const name = `[${(user ?? "").replaceAll("]", "]]")}]`;
  if (isSysadmin === "1") {
    return {
      writes: "yes",
      remedy: `It is a sysadmin. CREATE LOGIN anneal_reader WITH PASSWORD = '...'; CREATE USER anneal_reader FOR LOGIN anneal_reader; GRANT SELECT ON SCHEMA::dbo TO anneal_reader.`,
    };
  }
  const held = writingRoles.filter((_, index) => memberships[index] === "1");
  if (held.length > 0) {
    return { writes: "yes", remedy: held.map((role) => `ALTER ROLE ${role} DROP MEMBER ${name};`).join(" ") };
  }
  const onDatabase = await session.query("SELECT permission_name FROM fn_my_permissions(NULL, 'DATABASE')");
  if (onDatabase.rows.length === 0) {
    // Whoever is connected holds at least CONNECT.
    const remedy = `ALTER ROLE db_datareader ADD MEMBER ${name}, and nothing else.`;
    return { writes: "unknown", reason: "the server does not tell what it may do.", remedy };
  }
  const general = onDatabase.rows.flatMap(([permission]) => permission ?? []).filter(isWriting);
  if (general.length > 0) {
    return { writes: "yes", remedy: `USE [${database}]; REVOKE ${general.join(", ")} FROM ${name};` };
  }
  const { rows } = await session.query(securablesQuery);
  /** Whoever may change a table may change each of its columns, and is told so for each. */
  const whole = new Set(rows.flatMap(([permission, on, column]) => (column ? [] : [`${permission} ${on}`])));
  const revokes = rows.flatMap(([permission, on, column]) => {
    // The server as a whole, where the user is a login.
    if (!on) return [`USE master; REVOKE ${permission} FROM the login of ${name};`];
    if (column && whole.has(`${permission} ${on}`)) return [];
    return [`REVOKE ${permission} ON ${on}${column ? ` (${column})` : ""} FROM ${name};`];
  });
  if (revokes.length === 0) return { writes: "no" };
  const unnamed = Number(rows[0]?.[3] ?? 0) - rows.length;
  return { writes: "yes", remedy: listRemedies(revokes, revokes.length + unnamed) };
}

/**
 * Rows of: the permission, what it is on (empty: the server), the column, and how many rows there are. To call a
 * function writes nothing, and what SQL Server Management Studio makes for its diagrams may be called by everybody.
 */
const securablesQuery = `
SELECT TOP (${namedRights}) held.permission_name, held.securable, held.part, COUNT(*) OVER () AS total
FROM (
  SELECT 1 AS position, p.permission_name, '' AS securable, '' AS part
  FROM fn_my_permissions(NULL, 'SERVER') AS p
  UNION ALL
  SELECT 2, p.permission_name, 'SCHEMA::' + QUOTENAME(s.name), ''
  FROM sys.schemas AS s CROSS APPLY fn_my_permissions(QUOTENAME(s.name), 'SCHEMA') AS p
  WHERE s.name NOT IN ('sys', 'INFORMATION_SCHEMA')
  UNION ALL
  SELECT 3, p.permission_name, QUOTENAME(SCHEMA_NAME(o.schema_id)) + '.' + QUOTENAME(o.name),
    CASE WHEN p.subentity_name <> '' THEN QUOTENAME(p.subentity_name) ELSE '' END
  FROM sys.objects AS o
  CROSS APPLY fn_my_permissions(QUOTENAME(SCHEMA_NAME(o.schema_id)) + '.' + QUOTENAME(o.name), 'OBJECT') AS p
  WHERE o.is_ms_shipped = 0
    AND o.type IN ('U', 'V', 'SO', 'SN', 'SQ', 'P', 'PC', 'FN', 'FS', 'AF', 'IF', 'TF', 'FT')
    AND NOT (p.permission_name = 'EXECUTE' AND o.type IN ('FN', 'FS', 'AF'))
    AND NOT EXISTS (SELECT 1 FROM sys.extended_properties AS e
      WHERE e.class = 1 AND e.major_id = o.object_id AND e.name = 'microsoft_database_tools_support')
) AS held
WHERE held.permission_name NOT LIKE 'VIEW %'
  AND held.permission_name NOT IN (${readingPermissions.map((permission) => `'${permission}'`).join(", ")})
ORDER BY held.position, held.securable, held.part, held.permission_name`.trim();
