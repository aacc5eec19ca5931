import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { choosePort } from "@anneal/processes/choose-port";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { childEnv } from "./child-env.ts";
import { createCertificate } from "./create-certificate.ts";
import { findDebianProgram, type DebianProgram } from "./find-debian-program.ts";

export type TestMariadb = {
  port: number;
  user: string;
  password: string;
  /** One statement or many, as the owner. */
  run(database: string | null, sql: string, values?: (string | null)[]): Promise<void>;
  /** The number that a statement gives. */
  count(sql: string): Promise<number>;
  stop(): Promise<void>;
};

/** Null with the reason printed. */
export function findMariadb(): DebianProgram | null {
  return findDebianProgram("mariadb-server-core", "usr/sbin/mariadbd");
}

const user = "owner";
const password = "owner-test-password";

/**
 * A real MariaDB of its own, in a folder that goes with it.
 *
 * @param tls with a certificate that it signs itself, for "localhost"
 */
export async function startMariadb(program: DebianProgram, tls = false): Promise<TestMariadb> {
  const base = await mkdtemp(join(tmpdir(), "anneal-connect-mariadb-"));
  const data = join(base, "data");
  await mkdir(data);
  const port = await choosePort(undefined);
  const share = join(program.root, "/usr/share/mysql");
  const shared = [
    "--no-defaults",
    `--basedir=${join(program.root, "/usr")}`,
    `--datadir=${data}`,
    `--lc-messages-dir=${share}`,
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=16M",
    // It runs as whoever starts it, and wants to hear it said when that is root.
    ...(process.getuid?.() === 0 ? ["--user=root"] : []),
  ];
  const env = childEnv({ PATH: process.env.PATH, ...libraryPath(program) });
  await createSystemTables(program.path, shared, env, share);
  const initFile = join(base, "init.sql");
  await writeFile(
    initFile,
    `CREATE USER '${user}'@'%' IDENTIFIED BY '${password}';\nGRANT ALL PRIVILEGES ON *.* TO '${user}'@'%' WITH GRANT OPTION;\n`,
  );
  const certificate = tls ? await writeCertificate(base) : [];
  const logFile = join(base, "mariadb.log");
  const log = await open(logFile, "w");
  const server = spawn(
    program.path,
    [
      ...shared,
      "--bind-address=127.0.0.1",
      `--port=${port}`,
      `--socket=${join(base, "mariadb.sock")}`,
      `--pid-file=${join(base, "mariadb.pid")}`,
      `--init-file=${initFile}`,
      "--skip-name-resolve",
      "--innodb-flush-log-at-trx-commit=0",
      "--max-allowed-packet=64M",
      ...certificate,
    ],
    { env, stdio: ["ignore", log.fd, log.fd] },
  );
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const ask = async (database: string | null, sql: string, values: (string | null)[]) => {
    const connection = await createConnection({
      host: "127.0.0.1",
      port,
      user,
      password,
      ...(database === null ? {} : { database }),
      multipleStatements: true,
    });
    try {
      const [rows] = await connection.query<RowDataPacket[]>({ sql, values, rowsAsArray: true });
      return rows;
    } finally {
      await connection.end();
    }
  };
  const run: TestMariadb["run"] = async (database, sql, values = []) => void (await ask(database, sql, values));
  const count = async (sql: string) => Number((await ask(null, sql, []))[0]?.[0]);
  const stop = async () => {
    server.kill();
    await ended;
    await log.close();
    await rm(base, { recursive: true, force: true });
  };
  try {
    await waitFor(server, () => run(null, "SELECT 1"), logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, user, password, run, count, stop };
}

async function waitFor(server: ChildProcess, attempt: () => Promise<void>, logFile: string): Promise<void> {
  for (let tries = 0; tries < 300 && server.exitCode === null; tries += 1) {
    const answers = await attempt().then(
      () => true,
      () => false,
    );
    if (answers) return;
    await sleep(100);
  }
  throw new Error(`MariaDB did not answer: ${(await readFile(logFile, "utf8")).slice(-2000)}`);
}

/** What mariadb-install-db does, without the scripts around it. */
async function createSystemTables(
  command: string,
  shared: string[],
  env: NodeJS.ProcessEnv,
  share: string,
): Promise<void> {
  const scripts = ["mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql"];
  const sql = await Promise.all(scripts.map((name) => readFile(join(share, name), "utf8")));
  const { status, stderr, error } = spawnSync(command, [...shared, "--bootstrap", "--skip-networking"], {
    input: ["CREATE DATABASE mysql;", "USE mysql;", ...sql].join("\n"),
    encoding: "utf8",
    env,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`MariaDB could not make its tables: ${stderr.slice(-2000)}`);
}

async function writeCertificate(base: string): Promise<string[]> {
  const { key, cert } = await createCertificate("localhost");
  await writeFile(join(base, "key.pem"), key, { mode: 0o600 });
  await writeFile(join(base, "cert.pem"), cert);
  return [`--ssl-key=${join(base, "key.pem")}`, `--ssl-cert=${join(base, "cert.pem")}`];
}

/** Some of its libraries are packed for /lib, which an installed system joins with /usr/lib. */
function libraryPath({ env, root }: DebianProgram): Record<string, string> {
  const folders = (env["LD_LIBRARY_PATH"] ?? "").split(":").filter((folder) => folder !== "");
  if (folders.length === 0) return {};
  const others = folders.map((folder) => folder.replace(join(root, "usr/lib"), join(root, "lib")));
  return { LD_LIBRARY_PATH: [...folders, ...others].join(":") };
}
