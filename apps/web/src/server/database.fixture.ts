import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase, type Database } from "@anneal/db/database";
import { migrateDatabase } from "@anneal/db/migrate";
import { choosePort } from "@anneal/local-stack/choose-port";
import { startPostgres } from "@anneal/local-stack/start-postgres";

export type TestDatabase = {
  db: Database;
  /** Bound by row-level security, as the portal is. */
  appUrl: string;
  /** A superuser. */
  ownerUrl: string;
  stop(): Promise<void>;
};

/** A real, migrated PostgreSQL in a temporary folder. */
export async function startTestDatabase(): Promise<TestDatabase> {
  const dir = await mkdtemp(join(tmpdir(), "anneal-web-"));
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
    appUrl: postgres.appUrl,
    ownerUrl: postgres.ownerUrl,
    async stop() {
      await close();
      await postgres.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
