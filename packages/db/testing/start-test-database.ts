import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { choosePort } from "@anneal/processes/choose-port";
import { locatePostgresFiles } from "@anneal/local-stack/postgres-files";
import { startPostgres, type PostgresService } from "@anneal/local-stack/start-postgres";
import { openDatabase, type Database } from "../src/database.ts";
import { migrateDatabase } from "../src/migrate.ts";
import { clusterTemplate } from "./cluster-template.ts";

const run = promisify(execFile);

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
  await chmod(dir, 0o755);
  const { dataDir } = await locatePostgresFiles(join(dir, "postgres"), "test");
  // Where PostgreSQL's user cannot enter, its data lies elsewhere: each has its own then.
  const canCopy = dataDir === join(dir, "postgres");
  const template = canCopy ? await clusterTemplate(async (path) => (await startMigrated(path)).stop()) : null;
  // With its owner, whom PostgreSQL runs as.
  if (template !== null) await run("cp", ["-a", template, join(dir, "postgres")]);
  const postgres = await startMigrated(join(dir, "postgres"));
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

async function startMigrated(dir: string): Promise<PostgresService> {
  // PostgreSQL does not run as root, and has to get in.
  await chmod(dirname(dir), 0o755);
  const postgres = await startPostgres({
    dir,
    port: await choosePort(undefined),
    ownerPassword: "owner",
    appPassword: "app",
    stackId: dirname(dir).slice(-6),
    logFile: `${dir}.log`,
    env: process.env,
  });
  await migrateDatabase(postgres.ownerUrl, "anneal_app");
  return postgres;
}
