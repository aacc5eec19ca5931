import type { AnnealError } from "@anneal/core/errors";
import type { CapabilityCheck, CheckResult, ConnectContext } from "../connector.ts";
import { failedCheck } from "../failure.ts";
import { joinNames, sampleCount } from "../preview.ts";
import { describeChanges } from "./check-changes.ts";
import type { SqlConfig, SqlSecrets } from "./config.ts";
import type { Dialect, Relation, SqlSession } from "./dialect.ts";
import { openSession } from "./open-session.ts";
import { resolvePeople } from "./people.ts";
import { isAboutOneRelation, resolveRelations } from "./relation.ts";
import { countRows } from "./rows.ts";
import { describeWriteAccess, readWriteAccess, writableUser } from "./writable-user.ts";

export async function checkDatabase<Session extends SqlSession>(
  dialect: Dialect<Session>,
  config: SqlConfig,
  secrets: SqlSecrets,
  context: ConnectContext,
): Promise<CheckResult> {
  try {
    const session = await openSession(dialect, config, secrets, context);
    try {
      const access = await readWriteAccess(dialect, session, config);
      const { relations, failures } = await resolveRelations(dialect, session, config);
      const permissions = await checkPermissions(dialect, session, config, relations);
      const checks: CapabilityCheck[] = [
        ...relations.map(({ name, columns }): CapabilityCheck => {
          return {
            capability: "read",
            status: "ok",
            message: `"${name}" can be read (${columns.length} columns).`,
          };
        }),
        ...failures.map(({ error }): CapabilityCheck => {
          return {
            capability: "read",
            status: "warning",
            message: error.message,
            action: error.action,
          };
        }),
        ...describeChanges(relations, "row"),
        describeWriteAccess(access, config),
        permissions.check,
      ];
      if (access.writes !== "no" && !config.allowWritableUser) {
        return { checks, summary: null, error: writableUser(config.user, access).toReport() };
      }
      const [failure] = failures;
      if (relations.length === 0 && failure !== undefined)
        return { checks, summary: null, error: failure.error.toReport() };
      if (permissions.error !== null) return { checks, summary: null, error: permissions.error.toReport() };
      const holds = await describeRows(dialect, session, relations);
      return { checks, summary: `Database "${config.database}" on ${config.host} can be read: ${holds}.`, error: null };
    } finally {
      await session.close();
    }
  } catch (error) {
    return failedCheck("read", error);
  }
}

type PermissionCheck = { check: CapabilityCheck; error: AnnealError | null };

async function checkPermissions<Session extends SqlSession>(
  dialect: Dialect<Session>,
  session: Session,
  config: SqlConfig,
  relations: Relation[],
): Promise<PermissionCheck> {
  const say = (status: CapabilityCheck["status"], message: string): PermissionCheck => ({
    check: { capability: "permissions", status, message },
    error: null,
  });
  const unowned = relations.some((relation) => relation.owner === null);
  const audience = "Rows of a table without an owner column get the source's default audience.";
  if (config.peopleQuery === null) {
    if (relations.every((relation) => relation.owner === null)) return say("warning", audience);
    return say(
      "warning",
      "Owned rows are shown to nobody until the people are given: a SELECT of owner ids and e-mail addresses.",
    );
  }
  try {
    await resolvePeople(dialect, session, config.peopleQuery);
  } catch (error) {
    if (!isAboutOneRelation(error)) throw error;
    const { message, action } = error;
    // Each sync reads them first, and ends where it cannot.
    return { check: { capability: "permissions", status: "missing", message, action }, error };
  }
  return unowned ? say("warning", audience) : say("ok", "Each row is shown to its owners.");
}

const countedRows = 1000;

/** '12 rows in "articles", at least 1,000 rows in "log" and 4 more tables' */
async function describeRows<Session extends SqlSession>(
  dialect: Dialect<Session>,
  session: Session,
  relations: Relation[],
): Promise<string> {
  const parts: string[] = [];
  for (const relation of relations.slice(0, sampleCount)) {
    const count = await countRows(dialect, session, relation, countedRows);
    const number = `${count < countedRows ? "" : "at least "}${count.toLocaleString("en")}`;
    parts.push(`${number} ${count === 1 ? "row" : "rows"} in "${relation.name}"`);
  }
  const more = relations.length - parts.length;
  return joinNames(more > 0 ? [...parts, `${more} more`] : parts);
}
