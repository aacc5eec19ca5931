import { z } from "zod";
import type { WriteAccess } from "../sql/dialect.ts";

/** https://www.mongodb.com/docs/manual/reference/command/connectionStatus/ */
export const connectionStatusSchema = z.looseObject({
  authInfo: z.looseObject({
    authenticatedUsers: z.array(z.looseObject({ user: z.string(), db: z.string() })),
    authenticatedUserRoles: z.array(z.looseObject({ role: z.string(), db: z.string() })),
    authenticatedUserPrivileges: z
      .array(z.looseObject({ resource: z.looseObject({}), actions: z.array(z.string()) }))
      .default([]),
  }),
});
export type ConnectionStatus = z.infer<typeof connectionStatusSchema>;

/**
 * What a user may do and still not change anything: the actions of the roles read, readAnyDatabase and clusterMonitor.
 * Whatever is not here counts as writing, actions of later releases included.
 * https://www.mongodb.com/docs/manual/reference/privilege-actions/
 */
const readingActions = new Set([
  "changeOwnCustomData",
  "changeOwnPassword",
  "changeStream",
  "checkFreeMonitoringStatus",
  "collStats",
  "connPoolStats",
  "dbHash",
  "dbStats",
  "find",
  "getCmdLineOpts",
  "getDatabaseVersion",
  "getDefaultRWConcern",
  "getLog",
  "getParameter",
  "getShardMap",
  "getShardVersion",
  "hostInfo",
  "indexStats",
  "inprog",
  "killAnyCursor",
  "killCursors",
  "listCollections",
  "listDatabases",
  "listIndexes",
  "listSampledQueries",
  "listSearchIndexes",
  "listSessions",
  "listShards",
  "netstat",
  "operationMetrics",
  "planCacheRead",
  "queryStatsRead",
  "queryStatsReadTransformed",
  "replSetGetConfig",
  "replSetGetStatus",
  "serverStatus",
  "shardingState",
  "top",
  "useUUID",
  "validate",
]);

const readingRoles = new Set(["read", "readAnyDatabase", "clusterMonitor"]);

export function findWriteAccess(
  { authInfo }: ConnectionStatus,
  { user, database }: { user: string; database: string },
): WriteAccess {
  const instead = `db.createUser({ user: "anneal_reader", pwd: passwordPrompt(), roles: [{ role: "read", db: "${database}" }] }).`;
  if (authInfo.authenticatedUsers.length === 0) {
    return {
      writes: "yes",
      remedy: `The server asks nobody to sign in (security.authorization is off), so whoever reaches it can write. Turn it on, then ${instead}`,
    };
  }
  const actions = new Set(authInfo.authenticatedUserPrivileges.flatMap((privilege) => privilege.actions));
  const writing = [...actions].filter((action) => !readingActions.has(action)).sort();
  if (authInfo.authenticatedUserPrivileges.length > 0 && writing.length === 0) return { writes: "no" };
  const roles = authInfo.authenticatedUserRoles.filter(({ role }) => !readingRoles.has(role));
  const list = roles.map(({ role, db }) => `{ role: "${role}", db: "${db}" }`).join(", ");
  const allowed = writing.length === 0 ? "" : ` It may: ${writing.slice(0, 5).join(", ")}.`;
  const revoke = roles.length === 0 ? "" : `db.revokeRolesFromUser("${user}", [${list}]), or `;
  return { writes: "yes", remedy: `${revoke}${instead}${allowed}` };
}
