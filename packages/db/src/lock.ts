import { sql, type SQL } from "drizzle-orm";
import pg from "pg";

/** `lost` aborts when the connection that holds the lock breaks: whoever works under it must stop. */
export type Lock = { lost: AbortSignal; release: () => Promise<void> };

/**
 * An advisory lock on a connection of its own, so that it ends with whoever holds it, however that ends, and takes no
 * connection from the pool.
 */
export async function tryLock(url: string, name: string): Promise<Lock | null> {
  const client = new pg.Client({ connectionString: url, keepAlive: true, application_name: "anneal-lock" });
  const lost = new AbortController();
  client.on("error", () => lost.abort(new Error(`The lock "${name}" was lost with its connection.`)));
  await client.connect();
  try {
    const { rows } = await client.query<{ taken: boolean }>(
      "select pg_try_advisory_lock(hashtextextended($1, 0)) as taken",
      [name],
    );
    if (rows[0]?.taken === true) return { lost: lost.signal, release: () => client.end() };
  } catch (error) {
    await client.end();
    throw error;
  }
  await client.end();
  return null;
}

/** Whether somebody holds the lock now, without trying to take it: that would be in the way of who does. */
export function isLocked(name: SQL): SQL<boolean> {
  return sql<boolean>`exists (
    select from pg_locks where locktype = 'advisory' and objsubid = 1
      and database = (select oid from pg_database where datname = current_database())
      and ((classid::bigint << 32) | objid::bigint) = hashtextextended(${name}, 0))`;
}
