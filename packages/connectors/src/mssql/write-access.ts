import type { SqlConfig } from "../sql/config.ts";
import type { SqlSession, WriteAccess } from "../sql/dialect.ts";

const writingRoles = ["db_owner", "db_datawriter", "db_ddladmin", "db_securityadmin", "db_accessadmin"];
const writingPermission = /^(?:INSERT|UPDATE|DELETE|CONTROL|TAKE OWNERSHIP|IMPERSONATE|ALTER\b.*|CREATE\b.*)$/;

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
      canWrite: true,
      remedy: `It is a sysadmin. CREATE LOGIN anneal_reader WITH PASSWORD = '...'; CREATE USER anneal_reader FOR LOGIN anneal_reader; GRANT SELECT ON SCHEMA::dbo TO anneal_reader.`,
    };
  }
  const held = writingRoles.filter((_, index) => memberships[index] === "1");
  if (held.length > 0) {
    return { canWrite: true, remedy: `${held.map((role) => `ALTER ROLE ${role} DROP MEMBER ${name};`).join(" ")}` };
  }
  const onDatabase = await session.query("SELECT permission_name FROM fn_my_permissions(NULL, 'DATABASE')");
  const onObjects = await session.query(
    `SELECT TOP (20) p.permission_name, QUOTENAME(SCHEMA_NAME(o.schema_id)) + '.' + QUOTENAME(o.name)
     FROM sys.objects AS o
     CROSS APPLY fn_my_permissions(QUOTENAME(SCHEMA_NAME(o.schema_id)) + '.' + QUOTENAME(o.name), 'OBJECT') AS p
     WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 AND p.subentity_name = ''
       AND p.permission_name IN ('INSERT', 'UPDATE', 'DELETE', 'ALTER', 'CONTROL', 'TAKE OWNERSHIP')
     ORDER BY o.object_id, p.permission_name`,
  );
  const general = onDatabase.rows.flatMap(([permission]) =>
    writingPermission.test(permission ?? "") ? permission! : [],
  );
  if (general.length > 0) {
    return { canWrite: true, remedy: `USE [${database}]; REVOKE ${general.join(", ")} FROM ${name};` };
  }
  if (onObjects.rows.length === 0) return { canWrite: false };
  const revokes = onObjects.rows.map(([permission, object]) => `REVOKE ${permission} ON ${object} FROM ${name};`);
  return { canWrite: true, remedy: revokes.join(" ") };
}
