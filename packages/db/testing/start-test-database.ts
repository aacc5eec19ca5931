import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { choosePort } from "@anneal/processes/choose-port";
import { startPostgres } from "@anneal/local-stack/start-postgres";
import { openDatabase, type Database } from "../src/database.ts";
import { migrateDatabase } from "../src/migrate.ts";

export type TestDatabase = {
  db: Database;
  /** For files of the test; it goes with the database. */
  dir: string;
  /** Bound by row-level security, as the portal is. */
  appUrl: string;
  /** A superuser. */
  ownerUrl: string;
  stop(): Promise<void>;
};

/** A real, migrated PostgreSQL in a temporary folder. */
export async function startTestDatabase(): Promise<TestDatabase> {
  const dir = await mkdtemp(join(tmpdir(), "anneal-test-db-"));
  // PostgreSQL does not run as root, and has to get in.
  await chmod(dir, 0o755);
  const postgres = await startPostgres({
    dir: join(dir, "postgres"),
    port: await choosePort(undefined),
    ownerPassword: "owner",
    appPassword: "app",
    stackId: dir.slice(-6),
    logFile: join(dir, "postgres.log"),
    env: process.env,
  });
  await migrateDatabase(postgres.ownerUrl, "anneal_app");
  const { db, close } = openDatabase(postgres.appUrl);
  return {
    db,
    dir,
    appUrl: postgres.appUrl,
    ownerUrl: postgres.ownerUrl,
    async stop() {
      await close();
      await postgres.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
