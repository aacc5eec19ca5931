import { Socket } from "node:net";
import { Client, type ClientConfig, type FieldDef, type QueryArrayConfig } from "pg";
import type { ConnectContext } from "../connector.ts";
import { assertAllowedHost, guardedLookup } from "../host-guard.ts";
import type { SqlSecrets } from "../sql/config.ts";
import type { SqlSession, TextRow } from "../sql/dialect.ts";
import { firstPageRows, nextPageRows } from "../sql/page-size.ts";
import { statementLimitMs } from "../sql/statement-limit.ts";
import type { PostgresConfig } from "./config.ts";
import { toPostgresError } from "./postgres-errors.ts";

export type TextResult = { fields: FieldDef[]; rows: TextRow[] };

export type PostgresSession = Omit<SqlSession, "query"> & {
  /**
   * One statement in a read-only transaction of its own, by the extended protocol: the server refuses writes, and a
   * second statement behind a semicolon. A setting that a query changes cannot lift that for the next one.
   */
  query(sql: string, values?: string[], what?: string): Promise<TextResult>;
};

/** Known to the driver, not yet to its typings. */
type ExtendedQuery = QueryArrayConfig & { queryMode: "extended" };

const settings = [
  "SET default_transaction_read_only = on",
  "SET TimeZone = 'UTC'",
  "SET DateStyle = 'ISO'",
  "SET IntervalStyle = 'iso_8601'",
  "SET extra_float_digits = 1",
];

export async function openSession(
  config: PostgresConfig,
  secrets: SqlSecrets,
  context: ConnectContext,
): Promise<PostgresSession> {
  assertAllowedHost(config.host, config.allowPrivateHosts);
  context.signal.throwIfAborted();
  const client = await connect(config, secrets, context);
  // A connection that dies between two queries fails the next one; without a listener it would end the process.
  client.on("error", () => {});
  const end = () => client.end().catch(() => {});
  const onAbort = () => void end();
  context.signal.addEventListener("abort", onAbort, { once: true });
  const session: PostgresSession = {
    async query(sql, values = [], what) {
      try {
        const query: ExtendedQuery = { text: sql, values, rowMode: "array", queryMode: "extended" };
        await client.query("BEGIN READ ONLY");
        const result = await client.query<TextRow>(query);
        await client.query("COMMIT");
        return { fields: result.fields, rows: result.rows };
      } catch (error) {
        context.signal.throwIfAborted();
        await client.query("ROLLBACK").catch(() => {});
        throw toPostgresError(error, config, what ?? null);
      }
    },
    /** One held cursor, which the server materialises once; each page is a transaction of its own. */
    async *stream(sql, values, what) {
      await session.query(`DECLARE anneal_rows NO SCROLL CURSOR WITH HOLD FOR ${sql}`, values, what);
      try {
        let pageRows = firstPageRows;
        for (;;) {
          const { rows } = await session.query(`FETCH ${pageRows} FROM anneal_rows`, [], what);
          if (rows.length === 0) return;
          yield rows;
          pageRows = nextPageRows(pageRows, rows);
        }
      } finally {
        await session.query("CLOSE anneal_rows").catch(() => {});
      }
    },
    async close() {
      context.signal.removeEventListener("abort", onAbort);
      await end();
    },
  };
  try {
    for (const sql of settings) await session.query(sql);
    await session.query(`SET statement_timeout = ${statementLimitMs(context.limits)}`);
  } catch (error) {
    await session.close();
    throw error;
  }
  return session;
}

async function connect(config: PostgresConfig, secrets: SqlSecrets, context: ConnectContext): Promise<Client> {
  const open = async (ssl: ClientConfig["ssl"]) => {
    const client = new Client({
      host: config.host,
      port: config.port,
      database: config.database,
      user: config.user,
      // A function, because without a value the driver would look into PGPASSWORD and ~/.pgpass of the worker.
      password: () => secrets.password ?? "",
      ssl,
      application_name: "anneal",
      connectionTimeoutMillis: context.limits.requestTimeoutMs,
      types: { getTypeParser: () => (value: string) => value },
      stream: () => guardedSocket(config.allowPrivateHosts),
    });
    await client.connect();
    return client;
  };
  try {
    switch (config.tls) {
      case "disable":
        return await open(false);
      case "verify":
        return await open({ rejectUnauthorized: true });
      case "require":
        return await open({ rejectUnauthorized: false });
      case "prefer":
        return await open({ rejectUnauthorized: false }).catch((error: unknown) => {
          if (error instanceof Error && error.message.includes("does not support SSL")) return open(false);
          throw error;
        });
    }
  } catch (error) {
    throw toPostgresError(error, config, null);
  }
}

function guardedSocket(allowPrivateHosts: boolean): Socket {
  const socket = new Socket();
  const connect = socket.connect.bind(socket);
  // The driver calls connect(port, host); the address is judged when the name is resolved.
  socket.connect = ((port: number, host: string) =>
    connect({ port, host, lookup: guardedLookup(allowPrivateHosts) })) as Socket["connect"];
  return socket;
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
