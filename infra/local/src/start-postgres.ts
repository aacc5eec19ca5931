import { spawn } from "node:child_process";
import { chown, mkdir, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { AnnealError } from "@anneal/core/errors";
import pg from "pg";
import { awaitReady } from "./await-ready.ts";
import { locatePostgresFiles, makeOwnedDir, type PostgresFiles } from "./postgres-files.ts";
import type { LaunchOptions, Service } from "./progress.ts";
import { type Supervised, supervise } from "./supervise.ts";

const ownerName = "anneal_owner";
const appName = "anneal_app";
const databaseName = "anneal";

export type PostgresOptions = LaunchOptions & {
  dir: string;
  port: number;
  ownerPassword: string;
  appPassword: string;
  /** Names this stack's data where it cannot lie in `dir`: see postgres-files.ts. */
  stackId: string;
};

export type PostgresService = Service & {
  /** For migrations. The owner is a superuser, whom row-level security does not bind. */
  ownerUrl: string;
  /** For the worker and the portal: may read and write rows, bound by row-level security. Equal to `url`. */
  appUrl: string;
};

export async function startPostgres(options: PostgresOptions): Promise<PostgresService> {
  const { port, ownerPassword, appPassword } = options;
  await mkdir(dirname(options.dir), { recursive: true });
  const files = await locatePostgresFiles(options.dir, options.stackId);
  if (!(await stat(files.dataDir).catch(() => undefined))) await initialise(files, ownerPassword);
  const child = supervise({
    command: join(files.binDir, "postgres"),
    args: [
      "-D",
      files.dataDir,
      `--port=${port}`,
      // Loopback only, and no socket file: its folder would have to be writable by whoever PostgreSQL runs as.
      "--listen_addresses=127.0.0.1",
      "--unix_socket_directories=",
      // Short queries only: compiling them costs more than it wins.
      "--jit=off",
    ],
    // A folder that exists for every user; the data folder is given above.
    cwd: "/",
    env: options.env,
    logFile: options.logFile,
    // SIGTERM would wait for every client to leave; SIGINT ends their sessions and shuts down cleanly.
    stopSignal: "INT",
    graceSeconds: 20,
    user: files.user,
    onSpawn: options.onSpawn,
  });
  const ownerUrl = formatUrl(ownerName, ownerPassword, port, databaseName);
  await awaitAnswer(child, formatUrl(ownerName, ownerPassword, port, "postgres"), options);
  try {
    await prepareDatabase(port, ownerPassword, appPassword);
  } catch (error) {
    await child.stop();
    throw error;
  }
  const appUrl = formatAppUrl(appPassword, port);
  return {
    name: "postgres",
    url: appUrl,
    ownerUrl,
    appUrl,
    get pid() {
      return child.pid;
    },
    stop: () => child.stop(),
  };
}

async function awaitAnswer(child: Supervised, url: string, { dir, signal }: PostgresOptions): Promise<void> {
  let refused = false;
  await awaitReady({
    title: "PostgreSQL",
    child,
    timeoutMs: 60_000,
    signal,
    // A wrong password does not become right by waiting.
    probe: () => withClient(url, async () => true).catch((error: unknown) => (refused = isPasswordError(error))),
  });
  if (!refused) return;
  await child.stop();
  throw new AnnealError("CONFLICT", `The database in ${dir} has another password than the one in secrets.json.`, {
    action: "Put back the secrets.json that belongs to this state folder, or choose another ANNEAL_STATE_DIR.",
  });
}

/** Built beside its place and moved there, so that a data folder is always a finished one. */
async function initialise(files: PostgresFiles, ownerPassword: string): Promise<void> {
  const half = `${files.dataDir}.new`;
  const secretDir = await mkdtemp(join(tmpdir(), "anneal-initdb-"));
  const passwordFile = join(secretDir, "password");
  try {
    await rm(half, { recursive: true, force: true });
    await mkdir(dirname(half), { recursive: true });
    await makeOwnedDir(half, files.user);
    await writeFile(passwordFile, ownerPassword, { mode: 0o600 });
    if (files.user) {
      await chown(secretDir, files.user.uid, files.user.gid);
      await chown(passwordFile, files.user.uid, files.user.gid);
    }
    await runInitdb(files, [
      `--pgdata=${half}`,
      `--username=${ownerName}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      // PostgreSQL's own UTF-8 locale: the same sort order on every machine, whatever the system has installed.
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
    ]);
    await rename(half, files.dataDir);
  } finally {
    await rm(secretDir, { recursive: true, force: true });
  }
}

function runInitdb(files: PostgresFiles, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(files.binDir, "initdb"), args, {
      cwd: "/",
      // Next declares NODE_ENV as always set, and its types meet these in the portal's tests.
      env: {} as NodeJS.ProcessEnv,
      stdio: ["ignore", "ignore", "pipe"],
      ...files.user,
    });
    let output = "";
    child.stderr.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(-2_000)));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) return resolve();
      const full = /No space left/.test(output);
      reject(
        new AnnealError(
          full ? "DISK_FULL" : "ENGINE_UNAVAILABLE",
          full ? "The disk is full: the database could not be created." : "The database could not be created.",
          {
            action: full
              ? "Free some space and start again."
              : `initdb said: ${output.trim().split("\n").at(-1) ?? ""}`,
            details: { exitCode: code },
          },
        ),
      );
    });
  });
}

/** Creates what is missing, so that it can run at every start. Roles cannot be bound as parameters: they are quoted. */
async function prepareDatabase(port: number, ownerPassword: string, appPassword: string): Promise<void> {
  await withClient(formatUrl(ownerName, ownerPassword, port, "postgres"), async (client) => {
    const databases = await client.query("select 1 from pg_database where datname = $1", [databaseName]);
    if (databases.rowCount === 0) await client.query(`create database ${databaseName}`);
    const roles = await client.query("select 1 from pg_roles where rolname = $1", [appName]);
    if (roles.rowCount === 0) await client.query(`create role ${appName}`);
    await client.query(
      `alter role ${appName} with login nosuperuser nobypassrls password ${client.escapeLiteral(appPassword)}`,
    );
  });
  await withClient(formatUrl(ownerName, ownerPassword, port, databaseName), async (client) => {
    await client.query(`
      grant connect on database ${databaseName} to ${appName};
      grant usage on schema public to ${appName};
      grant select, insert, update, delete on all tables in schema public to ${appName};
      grant usage, select on all sequences in schema public to ${appName};
      alter default privileges in schema public grant select, insert, update, delete on tables to ${appName};
      alter default privileges in schema public grant usage, select on sequences to ${appName};
    `);
  });
}

async function withClient<Result>(url: string, use: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  // A server that stops under an open connection reports it here as well as in the query.
  client.on("error", () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

function isPasswordError(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "28P01";
}

/** As in `PostgresService.appUrl`. */
export function formatAppUrl(appPassword: string, port: number): string {
  return formatUrl(appName, appPassword, port, databaseName);
}

function formatUrl(user: string, password: string, port: number, database: string): string {
  return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}
