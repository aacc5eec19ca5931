import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { openDatabase } from "./database.ts";

const migrationsFolder = fileURLToPath(new URL("../migrations", import.meta.url));

/**
 * Brings the database to the newest schema, and lets `appRole` use it. Safe to call by several processes at once.
 * @param ownerUrl a role that may create tables; `appRole` should not be a superuser, since superusers pass row-level security.
 */
export async function migrateDatabase(ownerUrl: string, appRole?: string): Promise<void> {
  const { db, close } = openDatabase(ownerUrl, { maxConnections: 1 });
  try {
    // One migrator at a time; a session lock on the pool's only connection.
    await db.execute(sql`select pg_advisory_lock(728190331)`);
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
