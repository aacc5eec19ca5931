import { AnnealError } from "@anneal/core/errors";
import type { ImapFlow, ListResponse, MailboxObject } from "imapflow";
import pLimit from "p-limit";
import type { ConnectContext } from "../connector.ts";
import { createPacing } from "../remote/pacing.ts";
import { RateLimited } from "../remote/rate-limited.ts";
import { createRemoteCalls } from "../remote/remote-calls.ts";
import type { RemoteOperation } from "../remote/remote-observer.ts";
import type { ImapConfig, ImapSecrets } from "./config.ts";
import { connect } from "./connect.ts";
import { isTokenEnded, throttledFor, toImapError } from "./imap-errors.ts";
import { openSignIn, type Credential } from "./sign-in.ts";
import { decideThrottleWaits, type ThrottleWaits } from "./throttle-waits.ts";

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
  /**
   * Where the last command broke off, whether that was one message's or mailbox's doing, or the server or the account are
   * gone, is known by a connection made anew.
   * @throws AnnealError
   */
  confirm(): Promise<void>;
  close(): Promise<void>;
};

type Connection = { client: ImapFlow; throttled: ThrottleWaits; credential: Credential };

/** @throws AnnealError when the server cannot be reached or does not let the user in */
export async function openImapSession(
  config: ImapConfig,
  secrets: ImapSecrets,
  context: ConnectContext,
): Promise<ImapSession> {
  const { signal } = context;
  const calls = createRemoteCalls(config, config.tls === "tls" ? 993 : 143, context);
  const pacing = createPacing(calls.host, context);
  const signIn = openSignIn(config, secrets, context);
  const connectWith = async (credential: Credential): Promise<Connection> => {
    const client = await calls.call("connect", () => connect(config, credential, context));
    return { client, throttled: decideThrottleWaits(client, pacing), credential };
  };
  const connected = async () => {
    const credential = await signIn.credential();
    try {
      return await connectWith(credential);
    } catch (error) {
      // What was good for the connection before may have ended early; what is refused at once is wrong.
      const isStale = credential.type === "token" && !credential.isNew && isRefusal(error);
      if (!isStale) throw error;
      signIn.refuse(credential);
      return connectWith(await signIn.credential());
    }
  };
  /** One mailbox is open at a time, and who waits for it keeps no place at the host meanwhile. */
  const oneAtATime = pLimit(1);
  let { client, throttled, credential } = await connected().catch(async (error: unknown) => {
    await signIn.close();
    throw error;
  });
  const onAbort = () => client.close();
  signal.addEventListener("abort", onAbort, { once: true });
  const leave = async () => {
    await client.logout().catch(() => {});
    client.close();
  };

  /** It ends when it stands still while a document is worked on, and some servers end it on a broken message. */
  const ensureConnected = async () => {
    // Rather now than by the server, in the middle of a message.
    if (client.usable && signIn.isEnding(credential)) await leave();
    const hasServerLeft = client.state === client.states.LOGOUT;
    if (!client.usable || hasServerLeft) ({ client, throttled, credential } = await connected());
  };

  const attempt = <T>(operation: RemoteOperation, mailbox: string | null, work: () => Promise<T>): Promise<T> =>
    oneAtATime(async () => {
      for (let isRepeated = false; ; isRepeated = true) {
        await pacing.turn();
        await ensureConnected();
        const outcome = await calls.call(operation, async (withoutSlot) => {
          throttled.begin(withoutSlot);
          try {
            return { result: await work() };
          } catch (error) {
            signal.throwIfAborted();
            const toldMs = throttled.leftMs();
            // It only reads: what the end of a token has cut short is done once more, with another.
            if (toldMs === null && !isRepeated && hasTokenEnded(error)) return null;
            const known = toldMs === null ? toImapError(error, config, mailbox) : throttledFor(config, toldMs);
            throw known instanceof RateLimited ? pacing.leave(known) : known;
          }
        });
        if (outcome !== null) return outcome.result;
        signIn.refuse(credential);
        client.close();
      }
    });
  const hasTokenEnded = (error: unknown) =>
    credential.type === "token" && isTokenEnded(error, signIn.isEnding(credential));

  return {
    offersMessageIds: () => client.capabilities.has("OBJECTID") || client.capabilities.has("X-GM-EXT-1"),
    received: calls.received,
    confirm: () => oneAtATime(ensureConnected),
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
      await leave();
      await signIn.close();
    },
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof AnnealError && error.code === "SOURCE_CREDENTIALS";
}

const connectionLost = Object.assign(new Error("The mailbox was closed."), { code: "NoConnection" });
