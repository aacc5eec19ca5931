import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import { AnnealError } from "@anneal/core/errors";
import { ImapFlow, type ListResponse, type MailboxObject } from "imapflow";
import type { ConnectContext } from "../connector.ts";
import { assertAllowedHost, guardedLookup } from "../host-guard.ts";
import type { ImapConfig, ImapSecrets } from "./config.ts";
import { toImapError } from "./imap-errors.ts";

export type ImapSession = {
  /** The server gives every message an id that stays when it is moved: OBJECTID (RFC 8474), or Gmail's own. */
  offersMessageIds(): boolean;
  /** Every mailbox, with the counters that tell whether its messages are still the same ones. */
  list(): Promise<ListResponse[]>;
  /**
   * Opens a mailbox to read, never to write: nothing is marked as seen. One piece of work at a time.
   * @throws AnnealError; `isAboutOneMailbox` where the others can still be read
   */
  inMailbox<T>(path: string, work: (client: ImapFlow, mailbox: MailboxObject) => Promise<T>): Promise<T>;
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
  let client = await connect(config, secrets, context);
  const onAbort = () => client.close();
  signal.addEventListener("abort", onAbort, { once: true });

  async function attempt<T>(mailbox: string | null, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    // It ends when it stands still while a document is worked on, and some servers end it on a broken message.
    if (!client.usable) client = await connect(config, secrets, context);
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      throw toImapError(error, config, mailbox);
    }
  }

  return {
    offersMessageIds: () => client.capabilities.has("OBJECTID") || client.capabilities.has("X-GM-EXT-1"),
    list: () => attempt(null, () => client.list({ statusQuery: { messages: true, uidNext: true, uidValidity: true } })),
    inMailbox: (path, work) =>
      attempt(path, async () => {
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
