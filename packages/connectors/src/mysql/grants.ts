/**
 * What a user may hold and still not change anything. Whatever is not here counts as writing, privileges of later
 * releases included. EXECUTE is here because a transaction that only reads stops what a function would write.
 */
const readingPrivileges = new Set([
  "USAGE",
  "SELECT",
  "SHOW VIEW",
  "SHOW DATABASES",
  "EXECUTE",
  "PROCESS",
  "REFERENCES",
  "LOCK TABLES",
  "CREATE TEMPORARY TABLES",
  "REPLICATION CLIENT",
  "BINLOG MONITOR",
  "SLAVE MONITOR",
  "REPLICA MONITOR",
]);

const name = "(?:`(?:[^`]|``)*`|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|PUBLIC)";
const grantee = `${name}(?:@${name})?`;
const grantLine = new RegExp(`^GRANT (.+?) ON (.+?) TO (${grantee})(.*)$`, "s");
/** Roles; what they bring stands in lines of its own, or is asked for (`findRoles`). */
const roleLine = new RegExp(`^GRANT (${grantee}(?:, ?${grantee})*) TO (${grantee})`);

/**
 * The lines of SHOW GRANTS as the statements that take away what is more than reading. Only these parts of a line are
 * repeated: MariaDB shows a hash of the password behind them.
 */
export function findWriteGrants(lines: string[]): string[] {
  const revokes = lines.flatMap((line) => {
    if (!line.startsWith("GRANT ") || roleLine.test(line)) return [];
    const [, privileges, scope, from, rest] = grantLine.exec(line) ?? [];
    if (privileges === undefined || scope === undefined || rest === undefined) {
      return ["Take away the grant that cannot be understood here: see SHOW GRANTS."];
    }
    const writing = splitPrivileges(privileges).filter((privilege) => !readingPrivileges.has(privilege.toUpperCase()));
    if (rest.includes("WITH GRANT OPTION")) writing.push("GRANT OPTION");
    return writing.length === 0 ? [] : [`REVOKE ${writing.join(", ")} ON ${scope} FROM ${from};`];
  });
  return [...new Set(revokes)];
}

export type GrantedRole = { role: string; to: string };

/** The roles of the lines of SHOW GRANTS, also those of a role's own, as the server writes their names. */
export function findRoles(lines: string[]): GrantedRole[] {
  return lines.flatMap((line) => {
    const [, roles, to] = roleLine.exec(line) ?? [];
    if (roles === undefined || to === undefined) return [];
    return splitRoles(roles).map((role) => ({ role, to }));
  });
}

/** "`a`@`%`,`b`@`%`" */
export function splitRoles(text: string): string[] {
  return text.match(new RegExp(grantee, "g")) ?? [];
}

/** "SELECT (`a`, `b`), INSERT" as SELECT and INSERT: which columns they reach does not matter. */
function splitPrivileges(text: string): string[] {
  return text
    .replace(/\([^)]*\)/g, "")
    .split(",")
    .map((privilege) => privilege.trim());
}
