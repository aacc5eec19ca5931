import { once } from "node:events";
import type { Socket } from "node:net";
import sql from "mssql";
import type { ConnectContext } from "../connector.ts";
import { assertAllowedHost } from "../host-guard.ts";
import type { SqlConfig, SqlSecrets } from "../sql/config.ts";
import type { SqlSession, TextRow } from "../sql/dialect.ts";
import { openGuardedSocket } from "../sql/guarded-socket.ts";
import { pageRows } from "../sql/page-size.ts";
import { statementLimitMs } from "../sql/statement-limit.ts";
import { toMssqlError } from "./mssql-errors.ts";

/**
 * SQL Server has no transaction that only reads. So the connection asks for a readable secondary where there is one
 * (ApplicationIntent=ReadOnly), every statement is one SELECT by its words, and it runs in a transaction that is always
 * rolled back.
 */
export async function openSession(
  config: SqlConfig,
  secrets: SqlSecrets,
  context: ConnectContext,
): Promise<SqlSession> {
  assertAllowedHost(config.host, config.allowPrivateHosts);
  context.signal.throwIfAborted();
  const { pool, sockets } = await connect(config, secrets, context);
  // The pool would first wait for the answer that nobody wants any more.
  const onAbort = () => sockets.forEach((socket) => socket.destroy());
  context.signal.addEventListener("abort", onAbort, { once: true });

  /** Calls `use` with a request whose transaction ends without a trace. */
  async function* inTransaction<T>(
    statement: { values: string[]; what: string | null },
    use: (request: sql.Request) => AsyncIterable<T>,
  ): AsyncIterable<T> {
    const transaction = new sql.Transaction(pool);
    let begun = false;
    try {
      await transaction.begin(sql.ISOLATION_LEVEL.READ_COMMITTED);
      begun = true;
      const request = new sql.Request(transaction);
      request.arrayRowMode = true;
      for (const [index, value] of statement.values.entries()) {
        request.input(`p${index + 1}`, sql.NVarChar(sql.MAX), value);
      }
      yield* use(request);
    } catch (error) {
      context.signal.throwIfAborted();
      throw toMssqlError(error, config, statement.what);
    } finally {
      if (begun) await transaction.rollback().catch(() => {});
    }
  }

  return {
    async query(text, values = [], what) {
      const results = inTransaction({ values, what: what ?? null }, async function* (request) {
        const { recordset } = await request.query<unknown>(text);
        yield (recordset ?? []).map(toTextRow);
      });
      for await (const rows of results) return { rows };
      return { rows: [] };
    },
    stream(text, values, what) {
      return inTransaction({ values, what }, async function* (request) {
        const rows = request.toReadableStream({ highWaterMark: 50 });
        // The stream carries its error.
        const done = request.query(text).catch(() => {});
        let isRead = false;
        try {
          yield* pageRows(textRows(rows));
          isRead = true;
        } finally {
          // The end of a result that nobody reads is not waited for.
          if (!isRead) request.cancel();
          await done;
        }
      });
    },
    async close() {
      context.signal.removeEventListener("abort", onAbort);
      await pool.close().catch(() => {});
    },
  };
}

async function* textRows(rows: AsyncIterable<unknown>): AsyncIterable<TextRow> {
  for await (const row of rows) yield toTextRow(row);
}

function toTextRow(row: unknown): TextRow {
  const values = row as unknown[];
  return values.map((value) => (value === null || value === undefined ? null : String(value)));
}

type Connected = { pool: sql.ConnectionPool; sockets: Set<Socket> };

async function connect(config: SqlConfig, secrets: SqlSecrets, context: ConnectContext): Promise<Connected> {
  const sockets = new Set<Socket>();
  const isOpenAllowed = config.tls === "prefer" || config.tls === "disable";
  const refusals: number[] = [];
  const pool = new sql.ConnectionPool({
    server: config.host,
    port: config.port,
    database: config.database,
    user: config.user,
    password: secrets.password ?? "",
    connectionTimeout: context.limits.requestTimeoutMs,
    requestTimeout: statementLimitMs(context.limits),
    pool: { min: 0, max: 1 },
    validateConnection: false,
    // A refused sign-in is several messages, of which the driver throws only the last and without its number.
    beforeConnect: (connection) => connection.on("errorMessage", ({ number }) => refusals.push(number)),
    options: {
      encrypt: config.tls !== "disable",
      trustServerCertificate: config.tls !== "verify",
      readOnlyIntent: true,
      appName: "anneal",
      // Its address is judged when the name is resolved, also when the server sends the connection elsewhere.
      async connector() {
        const socket = openGuardedSocket(config);
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
        await once(socket, "connect");
        return isOpenAllowed ? socket : refuseOpenLogin(socket);
      },
    },
  });
  // A connection that dies between two queries fails the next one; without a listener it would end the process.
  pool.on("error", () => {});
  try {
    return { pool: await pool.connect(), sockets };
  } catch (error) {
    await pool.close().catch(() => {});
    context.signal.throwIfAborted();
    const [number] = refusals;
    if (number !== undefined && error instanceof Error) Object.assign(error, { number });
    throw toMssqlError(error, config, null);
  }
}

const loginPacket = 0x10;

/**
 * A server may answer that it has no encryption, and the driver then goes on without. Where encryption is required the
 * packet with the password does not leave: encrypted, it could not be told by its first byte.
 */
function refuseOpenLogin(socket: Socket): Socket {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  socket.write = (...args: unknown[]) => {
    const [chunk] = args;
    if (!(chunk instanceof Uint8Array) || chunk[0] !== loginPacket) return write(...args);
    socket.destroy(Object.assign(new Error("the server offers no encryption"), { code: "ECONNRESET" }));
    return false;
  };
  return socket;
}
