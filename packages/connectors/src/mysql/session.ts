import type { Socket } from "node:net";
import { createConnection, type Connection, type ConnectionOptions, type FieldPacket, type QueryError } from "mysql2";
import type { ConnectContext } from "../connector.ts";
import { assertAllowedHost } from "../host-guard.ts";
import type { SqlConfig, SqlSecrets } from "../sql/config.ts";
import type { SqlSession, TextRow } from "../sql/dialect.ts";
import { openGuardedSocket } from "../sql/guarded-socket.ts";
import { pageRows } from "../sql/page-size.ts";
import { statementLimitMs } from "../sql/statement-limit.ts";
import { toMysqlError } from "./mysql-errors.ts";

export type MysqlSession = Omit<SqlSession, "query"> & {
  isMariaDb: boolean;
  /** MySQL before 8 has none, and MariaDB tells of the current one by itself. */
  hasRoles: boolean;
  /**
   * One statement in a read-only transaction of its own, prepared: the server refuses writes, a second statement behind
   * a semicolon, and a setting that a query changes cannot lift that for the next one.
   */
  query(sql: string, values?: string[], what?: string): Promise<{ fields: FieldPacket[]; rows: TextRow[] }>;
  ask: NonNullable<SqlSession["ask"]>;
};

const settings = [
  "SET SESSION TRANSACTION READ ONLY",
  "SET SESSION time_zone = '+00:00'",
  // A reader may take its time with a document, and meanwhile the server must neither give up a result nor the line.
  "SET SESSION net_write_timeout = 3600",
  "SET SESSION wait_timeout = 28800",
  // Pages are cut by the key, so it has to be sorted by all of it.
  "SET SESSION max_sort_length = 8192",
];

export async function openSession(
  config: SqlConfig,
  secrets: SqlSecrets,
  context: ConnectContext,
): Promise<MysqlSession> {
  assertAllowedHost(config.host, config.allowPrivateHosts);
  context.signal.throwIfAborted();
  const { connection, socket } = await connect(config, secrets, context);
  const statementTimeoutS = statementLimitMs(context.limits) / 1000;
  // The driver's own ways of closing leave whoever waits for an answer waiting.
  const onAbort = () => void socket.destroy();
  context.signal.addEventListener("abort", onAbort, { once: true });
  const orOurError = (error: unknown, what: string | null) => {
    context.signal.throwIfAborted();
    return toMysqlError(error, config, what);
  };
  const ask = async (sql: string) => {
    try {
      return (await run(connection, "query", sql, [])).rows;
    } catch (error) {
      throw orOurError(error, null);
    }
  };
  let isStreaming = false;
  const session: MysqlSession = {
    isMariaDb: false,
    hasRoles: false,
    ask,
    async query(sql, values = [], what) {
      try {
        await run(connection, "query", "START TRANSACTION READ ONLY", []);
        const result = await run(connection, "execute", sql, values);
        await run(connection, "query", "COMMIT", []);
        return result;
      } catch (error) {
        if (!socket.destroyed) await run(connection, "query", "ROLLBACK", []).catch(() => {});
        throw orOurError(error, what ?? null);
      }
    },
    async *stream(sql, values, what) {
      try {
        await limitStatements(session, 0);
        await run(connection, "query", "START TRANSACTION READ ONLY", []);
        const rows = connection.execute({ sql, rowsAsArray: true }, values).stream({ highWaterMark: 50 });
        // A lost connection is told to the connection alone.
        const onLost = (error: Error) => void rows.destroy(error);
        connection.once("error", onLost);
        isStreaming = true;
        yield* pageRows(textRows(rows));
        isStreaming = false;
        connection.off("error", onLost);
        await run(connection, "query", "COMMIT", []);
        await limitStatements(session, statementTimeoutS);
      } catch (error) {
        if (!socket.destroyed) {
          isStreaming = false;
          await run(connection, "query", "ROLLBACK", []).catch(() => {});
          await limitStatements(session, statementTimeoutS).catch(() => {});
        }
        throw orOurError(error, what);
      }
    },
    async close() {
      context.signal.removeEventListener("abort", onAbort);
      // The rest of a result that nobody reads is not waited for.
      if (!isStreaming && !socket.destroyed) await new Promise<void>((resolve) => connection.end(() => resolve()));
      socket.destroySoon();
    },
  };
  try {
    const version = (await ask("SELECT VERSION()"))[0]?.[0] ?? "";
    session.isMariaDb = /mariadb/i.test(version);
    session.hasRoles = !session.isMariaDb && !version.startsWith("5.");
    for (const sql of settings) await ask(sql);
    await limitStatements(session, statementTimeoutS);
  } catch (error) {
    await session.close();
    throw error;
  }
  return session;
}

async function limitStatements(session: MysqlSession, seconds: number): Promise<void> {
  await session.ask(
    session.isMariaDb
      ? `SET SESSION max_statement_time = ${seconds}`
      : `SET SESSION max_execution_time = ${seconds * 1000}`,
  );
}

function run(
  connection: Connection,
  method: "query" | "execute",
  sql: string,
  values: string[],
): Promise<{ fields: FieldPacket[]; rows: TextRow[] }> {
  return new Promise((resolve, reject) => {
    const onResult = (error: QueryError | null, rows: unknown, fields: FieldPacket[] | undefined) => {
      if (error !== null) return reject(error);
      resolve({ fields: fields ?? [], rows: Array.isArray(rows) ? rows.map(toTextRow) : [] });
    };
    const options = { sql, rowsAsArray: true };
    if (method === "execute") connection.execute(options, values, onResult);
    else connection.query(options, onResult);
  });
}

async function* textRows(rows: AsyncIterable<unknown>): AsyncIterable<TextRow> {
  for await (const row of rows) yield toTextRow(row);
}

/** The statements here cast what they select to text; what is left are counts. */
function toTextRow(row: unknown): TextRow {
  const values = row as unknown[];
  return values.map((value) => (value === null || value === undefined ? null : String(value)));
}

type Connected = { connection: Connection; socket: Socket };

async function connect(config: SqlConfig, secrets: SqlSecrets, context: ConnectContext): Promise<Connected> {
  const open = (ssl: ConnectionOptions["ssl"]) =>
    new Promise<Connected>((resolve, reject) => {
      const socket = openGuardedSocket(config);
      const connection = createConnection({
        host: config.host,
        port: config.port,
        database: config.database,
        user: config.user,
        password: secrets.password ?? "",
        ...(ssl === undefined ? {} : { ssl }),
        stream: socket,
        connectTimeout: context.limits.requestTimeoutMs,
        // No server is to ask for a file of this machine.
        flags: ["-LOCAL_FILES"],
        supportBigNumbers: true,
        bigNumberStrings: true,
        dateStrings: true,
        jsonStrings: true,
        maxPreparedStatements: 4,
      });
      // A connection that dies between two queries fails the next one; without a listener it would end the process.
      connection.on("error", (error) => {
        socket.destroy();
        reject(error);
      });
      connection.once("connect", () => resolve({ connection, socket }));
    });
  try {
    switch (config.tls) {
      case "disable":
        return await open(undefined);
      case "verify":
        return await open({ rejectUnauthorized: true, verifyIdentity: true });
      case "require":
        return await open({ rejectUnauthorized: false });
      case "prefer":
        return await open({ rejectUnauthorized: false }).catch((error: unknown) => {
          if (error instanceof Error && "code" in error && error.code === "HANDSHAKE_NO_SSL_SUPPORT") {
            return open(undefined);
          }
          throw error;
        });
    }
  } catch (error) {
    throw toMysqlError(error, config, null);
  }
}
