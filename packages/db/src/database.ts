import { AnnealError } from "@anneal/core/errors";
import { sql } from "drizzle-orm";
import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import pg from "pg";
import { tryLock, type Lock } from "./lock.ts";
import * as schema from "./schema.ts";

export type Database = NodePgDatabase<typeof schema>;
/** Inside a transaction; the same query surface. */
export type Transaction = Parameters<Parameters<Database["transaction"]>[0]>[0];

/** Where a query happens: always one workspace. */
export type Scope = {
  db: Database;
  workspaceId: string;
  /** Whoever answers for a whole request sets a list, and finds in it what was recorded: to tell how it ended. */
  recorded?: RecordedEvent[];
};

/** An event of the audit trail, known by its hash. */
export type RecordedEvent = { hash: string; actor: string; action: string; subject: string };

export type DatabaseHandle = {
  db: Database;
  pool: pg.Pool;
  /** Takes a lock for the whole cluster of processes; null when somebody holds it. */
  tryLock: (name: string) => Promise<Lock | null>;
  close: () => Promise<void>;
};

export function openDatabase(url: string, options: { maxConnections?: number } = {}): DatabaseHandle {
  const pool = new pg.Pool({ connectionString: url, max: options.maxConnections ?? 10, allowExitOnIdle: true });
  // A dropped idle connection is replaced by the pool; without a listener it would end the process.
  pool.on("error", () => undefined);
  return {
    db: drizzle(pool, { schema, casing: "snake_case" }),
    pool,
    tryLock: (name) => tryLock(url, name),
    close: () => pool.end(),
  };
}

/**
 * Runs `work` in one transaction that can see and write only this workspace's rows: row-level security stands behind
 * every `workspaceId` condition, so that a forgotten one finds nothing instead of somebody else's rows.
 */
export function inWorkspace<T>(scope: Scope, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return scope.db.transaction(async (tx) => {
    await tx.execute(sql`select set_config('app.workspace_id', ${scope.workspaceId}, true)`);
    return work(tx);
  });
}

/** The row, or a NOT_FOUND that names what was looked for. */
export function requireRow<T>(row: T | undefined, what: string, id: string): T {
  if (row === undefined) {
    throw new AnnealError("NOT_FOUND", `There is no ${what} ${id} in this workspace.`, {
      action: `Check the id, and that you are in the workspace that the ${what} belongs to.`,
      details: { what, id },
    });
  }
  return row;
}

/**
 * What stands behind every query must hold for the role that the apps use.
 * @param role the connection's own when left out
 * @throws AnnealError PREREQUISITE_MISSING for a superuser and for a role that passes row-level security
 */
export async function assertRowSecurity(db: Database, role?: string): Promise<void> {
  const { rows } = await db.execute<{ role: string; passes: boolean }>(
    sql`select rolname as role, rolsuper or rolbypassrls as passes from pg_roles where rolname = coalesce(${role ?? null}::text, current_user)`,
  );
  const [row] = rows;
  if (row && !row.passes) return;
  throw new AnnealError(
    "PREREQUISITE_MISSING",
    row
      ? `The database role ${row.role} passes row-level security, which keeps workspaces apart.`
      : `There is no database role ${role}.`,
    {
      action:
        "Set ANNEAL_DATABASE_URL to a role that is no superuser and has no BYPASSRLS, and ANNEAL_DATABASE_OWNER_URL to the one that may change the schema.",
    },
  );
}

/** Throws when the database does not answer. */
export async function pingDatabase(db: Database): Promise<void> {
  await db.execute(sql`select 1`);
}
