import type { SqlConfig } from "../sql/config.ts";
import type { WriteAccess } from "../sql/dialect.ts";
import { isAboutOneRelation } from "../sql/relation.ts";
import { listRemedies } from "../sql/writable-user.ts";
import { findRoles, findWriteGrants, splitRoles, type GrantedRole } from "./grants.ts";
import type { MysqlSession } from "./session.ts";

/** Each is a question or two of its own. */
const mostRoles = 50;

type Asking = Pick<MysqlSession, "ask" | "isMariaDb" | "hasRoles">;

/** What the user is granted, and what its roles bring, also those that it has yet to switch on (SET ROLE). */
export async function readWriteAccess(
  session: Asking,
  { user, database }: Pick<SqlConfig, "user" | "database">,
): Promise<WriteAccess> {
  const lines = await askLines(session, "SHOW GRANTS");
  const own = findWriteGrants(lines);
  const { roles, active } = await listRoles(session, lines);
  const statements = [...own];
  const unread: string[] = roles.slice(mostRoles).map(({ role }) => role);
  try {
    for (const { role, to } of roles.slice(0, mostRoles)) {
      const brought = await readRole(session, role);
      if (brought === null) unread.push(role);
      // MySQL counts the user's own in.
      const rights = (brought ?? []).filter((right) => !own.includes(right)).map(rightOf);
      if (rights.length > 0) statements.push(`REVOKE ${role} FROM ${to}; (which brings ${rights.join("; ")})`);
    }
  } finally {
    // Everything that is read later is read with the roles that the connection began with.
    if (session.isMariaDb && roles.length > 0) await session.ask(`SET ROLE ${active}`);
  }
  if (statements.length > 0) {
    const instead = own.some((revoke) => revoke.startsWith("REVOKE ALL"))
      ? ` GRANT SELECT ON \`${database}\`.* TO '${user}'.`
      : "";
    return { writes: "yes", remedy: `${listRemedies(statements)}${instead}` };
  }
  if (unread.length === 0) return { writes: "no" };
  return {
    writes: "unknown",
    reason: `the server does not tell what ${unread.slice(0, 5).join(", ")} may do.`,
    remedy: `Make a user without roles: GRANT SELECT ON \`${database}\`.* TO '${user}'.`,
  };
}

async function askLines(session: Asking, sql: string): Promise<string[]> {
  return (await session.ask(sql)).flatMap(([line]) => line ?? []);
}

/**
 * The roles that the user itself is granted; a role's own come with it. In MariaDB a role has no host, and lines about
 * what it is granted stand there as well.
 *
 * @returns `active` for SET ROLE, in MariaDB, where what the active one brings is among the user's own lines
 */
async function listRoles(session: Asking, lines: string[]): Promise<{ roles: GrantedRole[]; active: string }> {
  const granted = findRoles(lines);
  if (!session.isMariaDb && !session.hasRoles) return { roles: [], active: "NONE" };
  const roles = session.isMariaDb ? granted.filter(({ to }) => to.includes("@")) : granted;
  if (session.isMariaDb && roles.length === 0) return { roles, active: "NONE" };
  const name = (await session.ask("SELECT CURRENT_ROLE()"))[0]?.[0] ?? null;
  if (!session.isMariaDb) {
    // One that everybody has (mandatory_roles) need not be among what is granted.
    const others = splitRoles(name ?? "").filter((active) => !roles.some(({ role }) => role === active));
    return { roles: [...roles, ...others.map((role) => ({ role, to: "CURRENT_USER()" }))], active: "NONE" };
  }
  const active = name === null ? "NONE" : `\`${name.replaceAll("`", "``")}\``;
  return { roles: roles.filter(({ role }) => role !== active), active };
}

/**
 * MariaDB shows a role's grants to whoever may read its system tables; to all others once they have switched it on.
 *
 * @returns null where the server does not tell
 */
async function readRole(session: Asking, role: string): Promise<string[] | null> {
  try {
    if (!session.isMariaDb) {
      return findWriteGrants(await askLines(session, `SHOW GRANTS FOR CURRENT_USER() USING ${role}`));
    }
    await session.ask(`SET ROLE ${role}`);
    return findWriteGrants(await askLines(session, "SHOW GRANTS"));
  } catch (error) {
    if (!isAboutOneRelation(error)) throw error;
    return null;
  }
}

/** "REVOKE UPDATE ON `shop`.* FROM `clerks`;" as "UPDATE ON `shop`.*" */
function rightOf(revoke: string): string {
  return revoke.replace(/^REVOKE (.*) FROM .*;$/s, "$1");
}
