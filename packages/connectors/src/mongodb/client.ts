import { connect as connectTls } from "node:tls";
import { MongoClient, type Db } from "mongodb";
import { AnnealError } from "@anneal/core/errors";
import type { ConnectContext } from "../connector.ts";
import { assertAllowedHost, guardedLookup } from "../host-guard.ts";
import { createRemoteCalls, type RemoteCalls } from "../remote/remote-calls.ts";
import { openGuardedSocket } from "../sql/guarded-socket.ts";
import { statementLimitMs } from "../sql/statement-limit.ts";
import { describeWriteAccess, writableUser } from "../sql/writable-user.ts";
import type { MongodbConfig, MongodbSecrets } from "./config.ts";
import { toMongodbError } from "./mongodb-errors.ts";
import { connectionStatusSchema, findWriteAccess } from "./privileges.ts";

/** A database, and how it is asked: `calls` are counted and go out in their turn among all of this process. */
export type MongoPlace = { database: Db; calls: RemoteCalls };
export type OpenDatabase = MongoPlace & { close(): Promise<void> };

/**
 * One server and no other: a replica set's list of its members would lead to addresses that nobody has judged. Only
 * commands that read are ever sent: find, getMore, aggregate, count, listCollections, connectionStatus.
 */
export async function openDatabase(
  config: MongodbConfig,
  secrets: MongodbSecrets,
  context: ConnectContext,
): Promise<OpenDatabase> {
  assertAllowedHost(config.host, config.allowPrivateHosts);
  context.signal.throwIfAborted();
  const calls = createRemoteCalls(config, 27_017, context, (error) => toMongodbError(error, config, null));
  return calls.call("connect", () => connectDatabase(config, secrets, context, calls));
}

async function connectDatabase(
  config: MongodbConfig,
  secrets: MongodbSecrets,
  context: ConnectContext,
  calls: RemoteCalls,
): Promise<OpenDatabase> {
  const timeoutMs = context.limits.requestTimeoutMs;
  let tls: boolean;
  try {
    tls = await decideTls(config, timeoutMs);
  } catch (error) {
    throw toMongodbError(error, config, null);
  }
  if (!secrets.password) {
    throw new AnnealError("SOURCE_CREDENTIALS", `${config.host} asks for a password.`, {
      action: `Enter the password of "${config.user}".`,
    });
  }
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  const client = new MongoClient(`mongodb://${host}:${config.port}/`, {
    auth: { username: config.user, password: secrets.password },
    authSource: config.authDatabase,
    directConnection: true,
    readPreference: "secondaryPreferred",
    tls,
    ...(tls && config.tls !== "verify" ? { tlsAllowInvalidCertificates: true } : {}),
    lookup: guardedLookup(config.allowPrivateHosts),
    appName: "anneal",
    maxPoolSize: 2,
    connectTimeoutMS: timeoutMs,
    serverSelectionTimeoutMS: timeoutMs,
    // A server that is gone without a word says nothing for ever.
    socketTimeoutMS: statementLimitMs(context.limits) + timeoutMs,
    retryWrites: false,
    // Servers take texts of any bytes; one that is no UTF-8 would fail all that comes with it.
    enableUtf8Validation: false,
  });
  // Monitoring runs beside every command, and its errors are those of the next command.
  client.on("error", () => {});
  const onAbort = () => void client.close().catch(() => {});
  context.signal.addEventListener("abort", onAbort, { once: true });
  const close = async () => {
    context.signal.removeEventListener("abort", onAbort);
    await client.close().catch(() => {});
  };
  try {
    await client.connect();
    return { database: client.db(config.database), calls, close };
  } catch (error) {
    await close();
    context.signal.throwIfAborted();
    throw toMongodbError(error, config, null);
  }
}

/** A first connection of our own, because the driver keeps trying where a refusal is an answer. */
async function decideTls(config: MongodbConfig, timeoutMs: number): Promise<boolean> {
  const socket = openGuardedSocket(config);
  try {
    return await new Promise<boolean>((resolve, reject) => {
      socket.setTimeout(timeoutMs, () => {
        reject(Object.assign(new Error(`no answer within ${timeoutMs} ms`), { code: "ETIMEDOUT" }));
      });
      socket.on("error", reject);
      socket.once("connect", () => {
        if (config.tls !== "prefer") return resolve(config.tls !== "disable");
        // A server without TLS hangs up on the greeting.
        connectTls({ socket, rejectUnauthorized: false })
          .once("secureConnect", () => resolve(true))
          .on("error", () => resolve(false))
          .once("close", () => resolve(false));
      });
    });
  } finally {
    socket.destroy();
  }
}

async function readWriteAccess({ database, calls }: MongoPlace, config: MongodbConfig) {
  try {
    const status = await calls.call("command", () => database.command({ connectionStatus: 1, showPrivileges: true }));
    return findWriteAccess(connectionStatusSchema.parse(status), config);
  } catch (error) {
    throw toMongodbError(error, config, null);
  }
}

/** @throws AnnealError FORBIDDEN */
export async function refuseWritableUser(place: MongoPlace, config: MongodbConfig): Promise<void> {
  if (config.allowWritableUser) return;
  const access = await readWriteAccess(place, config);
  if (access.writes !== "no") throw writableUser(config.user, access);
}

export async function checkReadOnly(place: MongoPlace, config: MongodbConfig) {
  const access = await readWriteAccess(place, config);
  const refusal = access.writes !== "no" && !config.allowWritableUser ? writableUser(config.user, access) : null;
  return { check: describeWriteAccess(access, config), refusal };
}
