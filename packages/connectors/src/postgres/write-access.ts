import type { WriteAccess } from "../sql/dialect.ts";
import { listRemedies } from "../sql/writable-user.ts";
import type { PostgresSession } from "./session.ts";

const instead =
  "Or make a user that cannot: CREATE ROLE anneal_reader LOGIN PASSWORD '...'; " +
  "GRANT USAGE ON SCHEMA public TO anneal_reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO anneal_reader.";

/** More are counted, and not named. */
const namedRights = 50;

/**
 * Every right to write that the user has, by whatever way: its own, everybody's (PUBLIC, which in servers of before 15
 * may create in the schema "public"), or a role's whose member it is, also one that it has to switch to (SET ROLE) or
 * may give itself. Temporary tables are its own and go with the session, so the right to make them does not count; nor
 * does EXECUTE, as a transaction that only reads stops what a function would write to tables and sequences
 * (`refuseWritingFunctions` stands behind what it does not stop).
 * https://www.postgresql.org/docs/current/ddl-priv.html
 */
export async function readWriteAccess(session: PostgresSession): Promise<WriteAccess> {
  const { rows } = await session.query(rightsQuery);
  if (rows.length === 0) return { writes: "no" };
  const statements: string[] = [];
  /** A role and what it brings: whoever else is in it keeps that. */
  const byRole = new Map<string, string[]>();
  let isEverybodys = true;
  for (const [via, right, revoke] of rows) {
    if (via !== null && via !== undefined) byRole.set(via, [...(byRole.get(via) ?? []), right ?? ""]);
    else if (!statements.includes(revoke ?? "")) statements.push(revoke ?? "");
    isEverybodys &&= revoke?.endsWith(" FROM PUBLIC;") ?? false;
  }
  for (const [role, rights] of byRole) {
    statements.push(`REVOKE ${role} FROM ${rows[0]?.[3]}; (which brings ${listRights(rights)})`);
  }
  const unnamed = Number(rows[0]?.[4] ?? 0) - rows.length;
  const remedy = listRemedies(statements, statements.length + unnamed);
  // Everybody's rights are another user's as well.
  return { writes: "yes", remedy: isEverybodys ? remedy : `${remedy} ${instead}` };
}

function listRights(rights: readonly string[]): string {
  const more = rights.length - 3;
  return rights.slice(0, 3).join("; ") + (more > 0 ? `; and ${more} more` : "");
}

/**
 * Rows of: the role that brings it (null: the user itself, or everybody), the right, the statement that takes it away,
 * the user, and how many rows there are. A table whose schema the user cannot use cannot be named by it; a sequence can,
 * by its number.
 */
const rightsQuery = `
WITH me AS (SELECT oid, rolname, rolsuper FROM pg_roles WHERE rolname = session_user),
settable AS (
  SELECT r.oid, r.rolsuper, r.rolcreaterole, r.rolcreatedb FROM pg_roles r, me
  WHERE r.oid = me.oid OR (NOT me.rolsuper AND pg_has_role(me.oid, r.oid,
    CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET, MEMBER WITH ADMIN OPTION' ELSE 'MEMBER' END))
),
reached AS (
  SELECT 0::oid AS oid, 'PUBLIC'::name AS rolname
  UNION
  SELECT r.oid, r.rolname FROM settable s
  JOIN pg_roles r ON r.oid = s.oid OR (NOT s.rolsuper AND pg_has_role(s.oid, r.oid, 'USAGE'))
),
schemas AS (
  SELECT n.oid, n.nspname, n.nspowner, n.nspacl,
    EXISTS (SELECT FROM settable s WHERE has_schema_privilege(s.oid, n.oid, 'USAGE')) AS used
  FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
),
relations AS (
  SELECT c.oid, c.relkind, c.relowner, c.relacl,
    format('%s %I.%I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, s.nspname, c.relname) AS title
  FROM pg_class c JOIN schemas s ON s.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND (s.used OR c.relkind = 'S')
),
owned (position, owner, title) AS (
  SELECT 3, datdba, format('DATABASE %I', datname) FROM pg_database WHERE datname = current_database()
  UNION ALL SELECT 4, nspowner, format('SCHEMA %I', nspname) FROM schemas
  UNION ALL SELECT 5, relowner, title FROM relations
),
granted (position, owner, grantee, privilege, title) AS (
  SELECT 3, d.datdba, a.grantee, a.privilege_type, format('DATABASE %I', d.datname)
  FROM pg_database d, aclexplode(d.datacl) a
  WHERE d.datname = current_database() AND a.privilege_type = 'CREATE'
  UNION ALL
  SELECT 4, s.nspowner, a.grantee, a.privilege_type, format('SCHEMA %I', s.nspname)
  FROM schemas s, aclexplode(s.nspacl) a WHERE a.privilege_type = 'CREATE'
  UNION ALL
  SELECT 5, g.relowner, g.grantee, g.privilege, g.title
  FROM (
    SELECT r.oid, r.relkind, r.relowner, r.title, a.grantee, a.privilege_type, a.privilege_type AS privilege
    FROM relations r, aclexplode(r.relacl) a
    UNION ALL
    SELECT r.oid, r.relkind, r.relowner, r.title, a.grantee, a.privilege_type,
      format('%s (%I)', a.privilege_type, t.attname)
    FROM relations r JOIN pg_attribute t ON t.attrelid = r.oid AND t.attacl IS NOT NULL AND NOT t.attisdropped,
      aclexplode(t.attacl) a
  ) g
  WHERE CASE g.relkind
    WHEN 'S' THEN g.privilege_type IN ('USAGE', 'UPDATE')
    -- The bits of the commands that the view passes on, by itself or by a trigger.
    WHEN 'v' THEN pg_relation_is_updatable(g.oid, true)
      & CASE g.privilege_type WHEN 'UPDATE' THEN 4 WHEN 'INSERT' THEN 8 WHEN 'DELETE' THEN 16 ELSE 0 END <> 0
    ELSE g.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'MAINTAIN')
  END
),
rights (position, holder, what, revoke) AS (
  SELECT 1, s.oid, a.name, format('ALTER ROLE %I NO%s;', me.rolname, a.name)
  FROM settable s, me, LATERAL (VALUES (s.rolsuper, 'SUPERUSER'), (s.rolcreaterole, 'CREATEROLE'), (s.rolcreatedb, 'CREATEDB')) AS a (held, name)
  WHERE a.held
  UNION ALL
  SELECT 2, r.oid, r.rolname::text, NULL FROM reached r
  WHERE r.rolname IN ('pg_write_all_data', 'pg_write_server_files', 'pg_execute_server_program')
  UNION ALL
  SELECT o.position, o.owner, 'the ownership of ' || o.title, format('ALTER %s OWNER TO ...;', o.title) FROM owned o
  UNION ALL
  SELECT g.position, g.grantee, string_agg(DISTINCT g.privilege, ', ') || ' ON ' || g.title,
    format('REVOKE %s ON %s FROM %s;', string_agg(DISTINCT g.privilege, ', '), g.title,
      CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END)
  FROM granted g WHERE g.grantee <> g.owner GROUP BY g.position, g.grantee, g.title
)
SELECT
  CASE WHEN h.oid NOT IN (0, me.oid) THEN quote_ident(coalesce((
    -- The membership of the user's own by which it is reached.
    SELECT d.rolname FROM pg_auth_members m JOIN pg_roles d ON d.oid = m.roleid
    WHERE m.member = me.oid AND (d.oid = h.oid OR pg_has_role(d.oid, h.oid, 'MEMBER'))
    ORDER BY d.oid <> h.oid, d.rolname LIMIT 1), h.rolname)) END,
  r.what, r.revoke, quote_ident(me.rolname), count(*) OVER ()::text
FROM rights r JOIN reached h ON h.oid = r.holder, me
ORDER BY r.position, h.oid = me.oid DESC, r.what LIMIT ${namedRights}`;
