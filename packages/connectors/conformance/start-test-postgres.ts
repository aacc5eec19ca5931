import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { choosePort } from "@anneal/processes/choose-port";
import { startPostgres } from "@anneal/local-stack/start-postgres";
import { Client } from "pg";

export type TestPostgres = {
  port: number;
  user: string;
  password: string;
  /** One statement or many, as the owner. */
  run(database: string, sql: string, values?: unknown[]): Promise<void>;
  stop(): Promise<void>;
};

/** A real PostgreSQL of its own, in a folder that goes with it. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const base = await mkdtemp(join(tmpdir(), "anneal-connect-postgres-"));
  const port = await choosePort(undefined);
  const password = "owner-test-password";
  const service = await startPostgres({
    dir: join(base, "postgres"),
    port,
    ownerPassword: password,
    appPassword: "app-test-password",
    stackId: `connectors-test-${process.pid}`,
    logFile: join(base, "postgres.log"),
    env: { PATH: process.env.PATH },
  });
  const user = decodeURIComponent(new URL(service.ownerUrl).username);
  return {
    port,
    user,
    password,
    async run(database, sql, values) {
      const client = new Client({ host: "127.0.0.1", port, user, password, database });
      await client.connect();
      try {
        await client.query(sql, values);
      } finally {
        await client.end();
      }
    },
    async stop() {
      await service.stop();
      await rm(base, { recursive: true, force: true });
    },
  };
}
