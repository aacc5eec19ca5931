import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text as readText } from "node:stream/consumers";
import type { KnownItems } from "@anneal/core/connect/change";
import { ImapFlow } from "imapflow";
import type { ConnectContext, ConnectLimits } from "../src/connector.ts";
import { imapConfigSchema, type ImapConfig, type ImapSecrets } from "../src/imap/config.ts";
import { imapConnector } from "../src/imap/imap-connector.ts";
import { writeMessageRef } from "../src/imap/message-ref.ts";
import type { DebianProgram } from "./find-debian-program.ts";
import type { MemoryTarget } from "./memory-target.ts";
import { startDovecot, type Dovecot } from "./start-dovecot.ts";
import { testContext } from "./test-context.ts";

export const password = "very-secret-value";
export const secrets: ImapSecrets = { password };

export type MailServer = {
  dovecot: Dovecot;
  /** Each is asked whose mailbox an access token opens, as a mail server asks those who give tokens. */
  tokenServices: Set<(token: string) => string | undefined>;
  createAccount(): MailAccount;
  stop(): Promise<void>;
};
export type MailAccount = ReturnType<typeof createAccount>;

const userCount = 80;

/** A dovecot with accounts that nobody has used yet, and who vouches for their access tokens. */
export async function startMailServer(program: DebianProgram): Promise<MailServer> {
  const tokenServices: MailServer["tokenServices"] = new Set();
  const provider = createServer(async (request, response) => {
    const token = new URLSearchParams(await readText(request)).get("token") ?? "";
    const username = [...tokenServices].map((ownerOf) => ownerOf(token)).find((owner) => owner !== undefined);
    response.end(JSON.stringify(username === undefined ? { active: false } : { active: true, username }));
  });
  await once(provider.listen(0, "127.0.0.1"), "listening");
  const users = Array.from({ length: userCount }, (_, index) => `reader${index}@example.org`);
  const dovecot = await startDovecot(program, {
    users,
    password,
    introspectionUrl: `http://127.0.0.1:${portOf(provider)}/introspect`,
  });
  return {
    dovecot,
    tokenServices,
    createAccount() {
      const user = users.shift();
      if (user === undefined) throw new Error(`All ${userCount} accounts are used.`);
      return createAccount(dovecot, user);
    },
    async stop() {
      await dovecot.stop();
      provider.closeAllConnections();
      provider.close();
    },
  };
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

type SyncOptions = {
  keys?: ImapSecrets;
  limits?: Partial<ConnectLimits>;
  known?: KnownItems;
  context?: Partial<Omit<ConnectContext, "limits">>;
};

export async function sync(target: MemoryTarget, config: ImapConfig, options: SyncOptions = {}): Promise<MemoryTarget> {
  const { keys = secrets, limits = {}, known = target.known() } = options;
  const context = testContext({ limits, ...options.context });
  await target.apply(
    imapConnector.read({ config, secrets: keys, cursor: target.cursor, journal: target.journal(), known, context }),
  );
  return target;
}

/** The kinds of the last run's changes. */
export function changesOf(target: MemoryTarget): string[] {
  return target.changes.flatMap((change) => (change.type === "checkpoint" ? [] : [change.type]));
}

export function subjectsOf(target: MemoryTarget): (string | null)[] {
  return [...target.documents.values()].map(({ item }) => item.title).sort();
}

/** An account of its own, and hands to change it with. */
function createAccount(dovecot: Dovecot, user: string) {
  const asUser = async <T>(work: (client: ImapFlow) => Promise<T>): Promise<T> => {
    const client = new ImapFlow({
      host: "127.0.0.1",
      port: dovecot.port,
      secure: false,
      doSTARTTLS: false,
      auth: { user, pass: password },
      logger: false,
      disableAutoIdle: true,
    });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.logout();
    }
  };
  return {
    user,
    asUser,
    config: (config: Partial<ImapConfig> = {}) =>
      imapConfigSchema.parse({
        host: "127.0.0.1",
        allowPrivateHosts: true,
        port: dovecot.port,
        tls: "none",
        user,
        ...config,
      }),
    /** @param arrivedAt by the server's clock; the server says when it is left out */
    async append(mailbox: string, subject: string, text: string, arrivedAt?: Date): Promise<string> {
      return asUser(async (client) => {
        await client.mailboxCreate(mailbox);
        const appended = await client.append(mailbox, messageOf(subject, text), [], arrivedAt);
        if (!appended || appended.uid === undefined) throw new Error(`"${subject}" was not appended`);
        return writeMessageRef({ mailbox, uidValidity: String(appended.uidValidity), uid: appended.uid });
      });
    },
    /** Of a message whose mailbox has another name now. */
    async refIn(mailbox: string, uid: number): Promise<string> {
      const status = await asUser((client) => client.status(mailbox, { uidValidity: true }));
      if (!status) throw new Error(`there is no mailbox "${mailbox}"`);
      return writeMessageRef({ mailbox, uidValidity: String(status.uidValidity), uid });
    },
    async expunge(ref: string): Promise<void> {
      const { mailbox, uid } = placeOf(ref);
      await asUser(async (client) => {
        await client.mailboxOpen(mailbox);
        await client.messageDelete(String(uid), { uid: true });
      });
    },
    async textOf(ref: string): Promise<string> {
      const { mailbox, uid } = placeOf(ref);
      return asUser(async (client) => {
        await client.mailboxOpen(mailbox);
        const message = await client.fetchOne(String(uid), { uid: true, bodyParts: ["text"] }, { uid: true });
        return (message && message.bodyParts?.get("text")?.toString("utf8").trimEnd()) || "";
      });
    },
    async move(ref: string, mailbox: string): Promise<string> {
      const { mailbox: from, uid } = placeOf(ref);
      return asUser(async (client) => {
        await client.mailboxCreate(mailbox);
        await client.mailboxOpen(from);
        const moved = await client.messageMove(String(uid), mailbox, { uid: true });
        const newUid = moved ? moved.uidMap?.get(uid) : undefined;
        if (!moved || newUid === undefined) throw new Error(`"${ref}" was not moved`);
        return writeMessageRef({ mailbox, uidValidity: String(moved.uidValidity), uid: newUid });
      });
    },
  };
}

export function messageOf(subject: string, text: string, references: readonly string[] = []): string {
  const lines = [
    "From: Ann <ann@example.org>",
    "To: bob@example.org",
    `Subject: =?utf-8?B?${Buffer.from(subject).toString("base64")}?=`,
    "Date: Mon, 02 Nov 2026 09:00:00 +0000",
    `Message-ID: ${messageIdOf(subject)}`,
    ...(references.length === 0 ? [] : [`References: ${references.join("\r\n ")}`]),
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
  ];
  return `${lines.join("\r\n")}\r\n\r\n${text}\r\n`;
}

export function messageIdOf(subject: string): string {
  return `<${Buffer.from(subject).toString("hex")}@example.org>`;
}

export function placeOf(ref: string): { mailbox: string; uid: number } {
  const match = /^(.*);UIDVALIDITY=\d+\/;UID=(\d+)$/u.exec(ref);
  return { mailbox: match![1]!, uid: Number(match![2]) };
}
