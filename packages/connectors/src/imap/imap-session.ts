import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import { AnnealError } from "@anneal/core/errors";
import { ImapFlow, type ListResponse, type MailboxObject } from "imapflow";
import pLimit from "p-limit";
import type { ConnectContext } from "../connector.ts";
import { assertAllowedHost, guardedLookup } from "../host-guard.ts";
import { createPacing } from "../remote/pacing.ts";
import { RateLimited } from "../remote/rate-limited.ts";
import { createRemoteCalls } from "../remote/remote-calls.ts";
import type { RemoteOperation } from "../remote/remote-observer.ts";
import type { ImapConfig, ImapSecrets } from "./config.ts";
import { throttledFor, toImapError } from "./imap-errors.ts";
import { decideThrottleWaits } from "./throttle-waits.ts";

export type ImapSession = {
  /** The server gives every message an id that stays when it is moved: OBJECTID (RFC 8474), or Gmail's own. */
  offersMessageIds(): boolean;
  /** Every mailbox, with the counters that tell whether its messages are still the same ones. */
  list(): Promise<ListResponse[]>;
  /**
   * Opens a mailbox to read, never to write: nothing is marked as seen. One piece of work at a time.
   * @throws AnnealError; `isAboutOneMailbox` where the others can still be read
   */
  inMailbox<T>(
    path: string,
    operation: Extract<RemoteOperation, "search" | "fetch" | "read">,
    work: (client: ImapFlow, mailbox: MailboxObject) => Promise<T>,
  ): Promise<T>;
  /** Counts what was read of a content. */
  received(bytes: number): void;
  close(): Promise<void>;
};

const overheadBytes = 1024 * 1024;

/** @throws AnnealError when the server cannot be reached or does not let the user in */
export async function openImapSession(
  config: ImapConfig,
  secrets: ImapSecrets,
  context: ConnectContext,
): Promise<ImapSession> {
  const { signal } = context;
  const calls = createRemoteCalls(config, config.tls === "tls" ? 993 : 143, context);
  const pacing = createPacing(calls.host, context);
  const connected = async () => {
    const client = await calls.call("connect", () => connect(config, secrets, context));
    return { client, throttled: decideThrottleWaits(client, pacing) };
  };
  /** One mailbox is open at a time, and who waits for it keeps no place at the host meanwhile. */
  const oneAtATime = pLimit(1);
  let { client, throttled } = await connected();
  const onAbort = () => client.close();
  signal.addEventListener("abort", onAbort, { once: true });

  const attempt = <T>(operation: RemoteOperation, mailbox: string | null, work: () => Promise<T>): Promise<T> =>
    oneAtATime(async () => {
      await pacing.turn();
      // It ends when it stands still while a document is worked on, and some servers end it on a broken message.
      if (!client.usable) ({ client, throttled } = await connected());
      return calls.call(operation, async (withoutSlot) => {
        throttled.begin(withoutSlot);
        try {
          return await work();
        } catch (error) {
          signal.throwIfAborted();
          const toldMs = throttled.leftMs();
          const known = toldMs === null ? toImapError(error, config, mailbox) : throttledFor(config, toldMs);
          throw known instanceof RateLimited ? pacing.leave(known) : known;
        }
      });
    });

  return {
    offersMessageIds: () => client.capabilities.has("OBJECTID") || client.capabilities.has("X-GM-EXT-1"),
    received: calls.received,
    list: () =>
      attempt("list", null, () => client.list({ statusQuery: { messages: true, uidNext: true, uidValidity: true } })),
    inMailbox: (path, operation, work) =>
      attempt(operation, path, async () => {
        const lock = await client.getMailboxLock(path, { readOnly: true });
        try {
          if (client.mailbox === false) throw connectionLost;
          return await work(client, client.mailbox);
        } finally {
          lock.release();
        }
      }),
    async close() {
      signal.removeEventListener("abort", onAbort);
      await client.logout().catch(() => {});
      client.close();
    },
  };
}

const connectionLost = Object.assign(new Error("The mailbox was closed."), { code: "NoConnection" });

async function connect(config: ImapConfig, secrets: ImapSecrets, context: ConnectContext): Promise<ImapFlow> {
  const { signal, limits } = context;
  signal.throwIfAborted();
  const { password, accessToken } = secrets;
  if (password === undefined && accessToken === undefined) {
    throw new AnnealError("SOURCE_CREDENTIALS", `No password and no access token is given for "${config.user}".`, {
      action: "Enter one of the two.",
    });
  }
  const host = config.host.replace(/^\[|\]$/g, "");
  let failure: unknown;
  for (const { address } of await resolveHost(host, config)) {
    const client = new ImapFlow({
      // The judged address itself, so that the name cannot lead elsewhere in between.
      host: address,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      port: config.port,
      secure: config.tls === "tls",
      doSTARTTLS: config.tls === "starttls",
      tls: { rejectUnauthorized: config.verifyCertificate },
      auth: { user: config.user, ...(accessToken === undefined ? { pass: password! } : { accessToken }) },
      clientInfo: { name: "anneal" },
      logger: false,
      disableAutoIdle: true,
      connectionTimeout: limits.requestTimeoutMs,
      greetingTimeout: limits.requestTimeoutMs,
      // Also of a connection that nobody uses meanwhile; it is made anew when it is needed again.
      socketTimeout: limits.requestTimeoutMs,
      maxLiteralSize: limits.documentBytes + overheadBytes,
      maxResponseSize: limits.documentBytes + 2 * overheadBytes,
    });
    // A connection that dies between two commands fails the next one; without a listener it would end the process.
    client.on("error", () => {});
    const onAbort = () => client.close();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await client.connect();
      return client;
    } catch (error) {
      client.close();
      signal.throwIfAborted();
      failure = toImapError(error, config, null);
      // Another address of the name may answer; what is wrong with the sign-in is wrong at all of them.
      if (!(failure instanceof AnnealError && failure.code === "SOURCE_UNREACHABLE")) throw failure;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
  throw failure;
}

/** Every address of the host, each of them judged. */
async function resolveHost(host: string, config: ImapConfig): Promise<LookupAddress[]> {
  assertAllowedHost(host, config.allowPrivateHosts);
  return new Promise((resolve, reject) => {
    guardedLookup(config.allowPrivateHosts)(host, { all: true }, (error, found) => {
      if (error) reject(toImapError(error, config, null));
      else resolve(Array.isArray(found) ? found : [{ address: found, family: 4 }]);
    });
  });
}
