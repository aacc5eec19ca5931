import { hash } from "node:crypto";
import { createConnection, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { AnnealError } from "@anneal/core/errors";
import pLimit from "p-limit";
import SftpClient from "ssh2-sftp-client";
import type { ConnectContext } from "../connector.ts";
import { assertAllowedHost, guardedLookup } from "../host-guard.ts";
import { sftpRequestsPerHost } from "../remote/host-slots.ts";
import { createRemoteCalls, type RemoteCalls } from "../remote/remote-calls.ts";
import type { RemoteOperation } from "../remote/remote-observer.ts";
import type { SftpConfig, SftpSecrets } from "./config.ts";
import {
  connectionLost,
  hostKeyChanged,
  hostKeyUnknown,
  timedOut,
  toConnectError,
  toSftpError,
} from "./sftp-errors.ts";

type Protocol = Awaited<ReturnType<SftpClient["connect"]>>;

/** Every field is optional in the protocol; OpenSSH sends them all. */
export type RemoteStats = {
  mode: number | undefined;
  uid: number | undefined;
  gid: number | undefined;
  size: number | undefined;
  /** Seconds since 1970. */
  mtime: number | undefined;
};
export type RemoteEntry = { name: string; stats: RemoteStats };

export type RemoteFile = {
  stat(): Promise<RemoteStats>;
  /**
   * Reads of all files are asked for in the order in which they were wanted here.
   * @param signal lets go of one that was not asked for yet
   * @returns fewer bytes only at the end of the file
   */
  read(offset: number, lengthBytes: number, signal?: AbortSignal): Promise<Uint8Array>;
  close(): void;
};

/** Everything throws AnnealErrors that name the path. */
export type SftpSession = {
  realPath(path: string): Promise<string>;
  stat(path: string): Promise<RemoteStats>;
  lstat(path: string): Promise<RemoteStats>;
  /** A folder's entries, a packet at a time, without "." and "..". */
  list(path: string): AsyncIterable<RemoteEntry>;
  open(path: string): Promise<RemoteFile>;
  /** Why nothing more can be asked for, once that is so. */
  lost(): AnnealError | null;
  close(): Promise<void>;
};

/** Of one connection, a mebibyte in all: other requests, of other connections too, wait behind no more than that. */
const readsAtOnce = 32;
const closeMs = 1_000;
const keepaliveMs = 10_000;
/** More than a server's answers to all that keeps a connection alive within a request's timeout. */
const keepaliveBytes = 512;
/** So many timeouts long may an answer take that comes slowly while no other does, as over HTTP (`guarded-fetch.ts`). */
const slowest = 10;

export async function openSftp(
  config: SftpConfig,
  secrets: SftpSecrets,
  context: Pick<ConnectContext, "signal" | "limits" | "onRemoteEvent">,
): Promise<SftpSession> {
  context.signal.throwIfAborted();
  const calls = createRemoteCalls(config, 22, context, undefined, sftpRequestsPerHost);
  return calls.call("connect", () => connectSession(config, secrets, context, calls));
}

async function connectSession(
  config: SftpConfig,
  secrets: SftpSecrets,
  { signal, limits }: Pick<ConnectContext, "signal" | "limits">,
  calls: RemoteCalls,
): Promise<SftpSession> {
  const socket = await connectSocket(config, limits.requestTimeoutMs, signal);
  const onAbort = () => socket.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  // Its listeners would write to the console otherwise.
  const client = new SftpClient("anneal", { error: () => {}, end: () => {}, close: () => {} });
  const close = async () => {
    signal.removeEventListener("abort", onAbort);
    await Promise.race([client.end().catch(() => {}), delay(closeMs, undefined, { ref: false })]);
    socket.destroy();
  };
  try {
    const protocol = await signIn(client, socket, config, secrets, limits.requestTimeoutMs);
    return createSession({ protocol, socket, calls }, config, limits.requestTimeoutMs, close);
  } catch (error) {
    await close();
    signal.throwIfAborted();
    throw error;
  }
}

/** The address that was judged is the one that is connected to: SSH then runs over this very socket. */
async function connectSocket(config: SftpConfig, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  assertAllowedHost(config.host, config.allowPrivateHosts);
  const host = config.host.replace(/^\[|\]$/g, "");
  const lookup = guardedLookup(config.allowPrivateHosts);
  // Requests are small, and none is to wait for the answer to the one before.
  const socket = createConnection({ host, port: config.port, lookup, noDelay: true });
  const onAbort = () => socket.destroy(new Error("aborted"));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(timeoutMs, () => reject(timedOut(config)));
      socket.once("connect", resolve).once("error", reject);
    });
    socket.setTimeout(0);
    // Each request waits for the answer to the last: none may wait for more to be sent with it.
    socket.setNoDelay(true);
    return socket;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw toConnectError(error, config);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function signIn(
  client: SftpClient,
  socket: Socket,
  config: SftpConfig,
  secrets: SftpSecrets,
  timeoutMs: number,
): Promise<Protocol> {
  let refusal: AnnealError | null = null;
  const { password, privateKey, passphrase } = secrets;
  // Servers behind PAM often ask for the password as a question.
  client.on("keyboard-interactive", (...asked: unknown[]) => {
    const [, , , prompts, answer] = asked as [string, string, string, unknown[], (answers: string[]) => void];
    answer(prompts.length === 1 && password !== undefined ? [password] : []);
  });
  try {
    return await client.connect({
      sock: socket,
      username: config.user,
      ...(privateKey === undefined ? {} : { privateKey }),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(password === undefined ? {} : { password, tryKeyboard: true }),
      readyTimeout: timeoutMs,
      keepaliveInterval: keepaliveMs,
      keepaliveCountMax: 3,
      hostVerifier(key: Buffer): boolean {
        const shown = fingerprintOfKey(key);
        if (config.hostKeys.includes(shown)) return true;
        refusal = config.hostKeys.length === 0 ? hostKeyUnknown(config, shown) : hostKeyChanged(config, shown);
        return false;
      },
    });
  } catch (error) {
    throw refusal ?? toConnectError(error, config);
  }
}

/** As OpenSSH prints it. */
function fingerprintOfKey(key: Buffer): string {
  return `SHA256:${hash("sha256", key, "base64").replace(/=+$/, "")}`;
}

function createSession(
  { protocol, socket, calls }: { protocol: Protocol; socket: Socket; calls: RemoteCalls },
  config: SftpConfig,
  timeoutMs: number,
  close: () => Promise<void>,
): SftpSession {
  let lost: AnnealError | null = null;
  let answers = 0;
  const waiting = new Set<(error: AnnealError) => void>();
  const lose = (error: AnnealError) => {
    lost ??= error;
    socket.destroy();
    for (const reject of waiting) reject(lost);
  };
  socket.once("close", () => lose(connectionLost(config)));
  // A packet that is no SFTP; without a listener it would end the process.
  protocol.on("error", () => lose(connectionLost(config)));

  const request = <T>(operation: RemoteOperation, place: string, send: Send<T>): Promise<T> =>
    calls.call(operation, () => exchange(place, send));

  /** The library leaves a request without an answer when the server does; here each ends. */
  async function exchange<T>(place: string, send: Send<T>): Promise<T> {
    if (lost !== null) throw lost;
    let settle: ((error: AnnealError) => void) | undefined;
    let heard = socket.bytesRead;
    let answersBefore = answers;
    let looks = 0;
    // Much is on its way at once: on a slow line the last may come long after it was asked for.
    const timer = setInterval(() => {
      looks = answers === answersBefore ? looks + 1 : 0;
      answersBefore = answers;
      if (looks >= slowest || socket.bytesRead - heard <= keepaliveBytes) lose(timedOut(config));
      heard = socket.bytesRead;
    }, timeoutMs);
    try {
      return await new Promise<T>((resolve, reject) => {
        settle = reject;
        waiting.add(reject);
        send((error, result) => {
          answers += 1;
          if (error) reject(error);
          else resolve(result as T);
        });
      });
    } catch (error) {
      throw lost ?? toSftpError(error, config, place);
    } finally {
      clearInterval(timer);
      if (settle) waiting.delete(settle);
    }
  }

  const reads = pLimit(readsAtOnce);

  /** Nobody waits for the answer, and what it could fail with is of no use to anybody. */
  function closeHandle(handle: Buffer, path: string): void {
    if (lost === null) request<void>("close", path, (done) => protocol.close(handle, done)).catch(() => {});
  }

  return {
    realPath: (path) => request<string>("stat", path, (done) => protocol.realpath(path, done)),
    stat: (path) => request<RemoteStats>("stat", path, (done) => protocol.stat(path, done)),
    lstat: (path) => request<RemoteStats>("stat", path, (done) => protocol.lstat(path, done)),

    async *list(path) {
      const handle = await request<Buffer>("list", path, (done) => protocol.opendir(path, done));
      try {
        for (;;) {
          const page = await request<{ filename: string; attrs: RemoteStats }[] | null>("list", path, (done) =>
            protocol.readdir(handle, (error, list) => (isEnd(error) ? done(null, null) : done(error, list))),
          );
          if (page === null) return;
          for (const { filename, attrs } of page) yield { name: filename, stats: attrs };
        }
      } finally {
        closeHandle(handle, path);
      }
    },

    async open(path) {
      const handle = await request<Buffer>("open", path, (done) => protocol.open(path, "r", done));
      const readPiece = async (offset: number, lengthBytes: number) => {
        const bytes = Buffer.allocUnsafe(lengthBytes);
        let filled = 0;
        while (filled < lengthBytes) {
          const at = filled;
          const count = await request<number>("read", path, (done) =>
            protocol.read(handle, bytes, at, lengthBytes - at, offset + at, (error, bytesRead) =>
              isEnd(error) ? done(null, 0) : done(error, bytesRead),
            ),
          );
          if (count === 0) break;
          filled += count;
        }
        calls.received(filled);
        return bytes.subarray(0, filled);
      };
      return {
        stat: () => request<RemoteStats>("stat", path, (done) => protocol.fstat(handle, done)),
        read: (offset, lengthBytes, signal) =>
          reads(() => {
            signal?.throwIfAborted();
            return readPiece(offset, lengthBytes);
          }),
        close: () => closeHandle(handle, path),
      };
    },

    lost: () => lost,
    close,
  };
}

type Send<T> = (done: (error: Error | null | undefined, result?: T) => void) => void;

/** SSH_FX_EOF */
function isEnd(error: Error | null | undefined): boolean {
  return error !== null && error !== undefined && "code" in error && error.code === 1;
}
