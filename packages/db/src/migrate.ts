import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { assertRowSecurity, openDatabase } from "./database.ts";

const migrationsFolder = fileURLToPath(new URL("../migrations", import.meta.url));

/**
 * Brings the database to the newest schema, and lets `appRole` use it. Safe to call by several processes at once.
 * @param ownerUrl a role that may create tables
 * @param appRole what the apps use, when it is another one
 * @throws AnnealError PREREQUISITE_MISSING when what the apps use passes row-level security
 */
export async function migrateDatabase(ownerUrl: string, appRole?: string): Promise<void> {
  const { db, close } = openDatabase(ownerUrl, { maxConnections: 1 });
  try {
    // One migrator at a time; a session lock on the pool's only connection.
    await db.execute(sql`select pg_advisory_lock(728190331)`);
    await assertRowSecurity(db, appRole);
    await migrate(db, { migrationsFolder });
    if (appRole !== undefined) {
      const role = sql.identifier(appRole);
      await db.execute(sql`grant usage on schema public to ${role}`);
      await db.execute(sql`grant select, insert, update, delete on all tables in schema public to ${role}`);
      await db.execute(sql`grant usage, select, update on all sequences in schema public to ${role}`);
    }
    await db.execute(sql`select pg_advisory_unlock(728190331)`);
  } finally {
    await close();
  }
}
