import { defineConnector, type CheckResult, type ConnectContext } from "../connector.ts";
import { failedCheck } from "../failure.ts";
import { keepPartsInJournal } from "../parts-in-journal.ts";
import { addToPreview, joinNames, sampleCount, type Preview } from "../preview.ts";
import { chooseMailboxes } from "./choose-mailboxes.ts";
import { imapConfigSchema, imapFacts, imapSecretSchema, type ImapConfig, type ImapSecrets } from "./config.ts";
import { openImapSession, type ImapSession } from "./imap-session.ts";
import { listReaders } from "./readers.ts";
import { readMailboxes } from "./read-mailboxes.ts";
import { readThreads } from "./read-threads.ts";

export const imapConnector = defineConnector<ImapConfig, ImapSecrets>({
  kind: "imap",
  title: "E-mail (IMAP)",
  ...imapFacts,
  configSchema: imapConfigSchema,
  secretSchema: imapSecretSchema,
  check: checkMailboxes,
  read: keepPartsInJournal(["mailboxes"], (request) =>
    request.config.unit === "thread" ? readThreads(request) : readMailboxes(request),
  ),
  readDirectory: ({ config }) => listReaders(config),
});

const changes: Record<ImapConfig["unit"], string> = {
  message:
    "Each sync asks each mailbox for the messages that are new; none ever changes. Those that a mailbox no longer lists are hidden here.",
  thread:
    "Once anything came or went in a mailbox, a sync lists all messages and reads the threads that changed. Those whose messages are all gone are hidden here.",
};

async function checkMailboxes(config: ImapConfig, secrets: ImapSecrets, context: ConnectContext): Promise<CheckResult> {
  try {
    const session = await openImapSession(config, secrets, context);
    try {
      const { mailboxes, missing } = chooseMailboxes(await session.list(), config);
      const [firstMissing] = missing;
      if (mailboxes.length === 0 && firstMissing !== undefined) return failedCheck("read", firstMissing.error);
      const preview: Preview = { count: 0, complete: true, samples: [] };
      let messages = 0;
      for (const { path, status } of mailboxes) {
        addToPreview(preview, path);
        messages += status?.messages ?? 0;
      }
      const probed = mailboxes.find(({ status }) => (status?.messages ?? 0) > 0);
      if (probed !== undefined) await probeMailbox(session, probed.path);
      const owner = `The mail of "${config.user}" on ${config.host}`;
      return {
        checks: [
          {
            capability: "read",
            status: messages === 0 ? "warning" : "ok",
            message:
              (messages === 0 ? `${owner} holds no message to read.` : `${owner} can be read; nothing is marked.`) +
              describeAccount(config, secrets),
          },
          ...missing.map(({ error }) => ({
            capability: "read",
            status: "warning" as const,
            message: error.message,
            action: error.action,
          })),
          { capability: "changes", status: "ok", message: changes[config.unit] },
          describeAudience(config),
          {
            capability: "moves",
            status: "ok",
            message: session.offersMessageIds()
              ? "Moved messages are recognised by the server's own ids."
              : "Moved messages are recognised by their headers.",
          },
        ],
        summary: `${owner} can be read and holds ${countOf(messages, "message")} in ${describeMailboxes(preview)}.`,
        error: null,
      };
    } finally {
      await session.close();
    }
  } catch (error) {
    return failedCheck("read", error);
  }
}

/** Who signs in, where that is somebody else than the mailbox's owner. */
function describeAccount({ authentication, user }: ImapConfig, { account }: ImapSecrets): string {
  if (authentication !== "microsoft-delegated" || account === undefined) return "";
  return account.toLowerCase() === user.toLowerCase() ? "" : ` ${account} signs in, and may open it.`;
}

function describeAudience({ readers }: ImapConfig) {
  return readers.length === 0
    ? {
        capability: "permissions",
        status: "warning" as const,
        message: "No readers are named: every message gets the source's default audience. Name the mailbox's owner.",
      }
    : {
        capability: "permissions",
        status: "ok" as const,
        message: `Only ${joinNames(readers)} may read the messages.`,
      };
}

/** "3 mailboxes: Archive, INBOX and Sent"; "12 mailboxes, such as …" */
function describeMailboxes({ count, samples }: Preview): string {
  const number = count === 1 ? "1 mailbox" : `${count.toLocaleString("en")} mailboxes`;
  if (count === 0) return number;
  return `${number}${count > sampleCount ? ", such as " : ": "}${joinNames(samples)}`;
}

function countOf(count: number, unit: string): string {
  return `${count === 0 ? "no" : count.toLocaleString("en")} ${count === 1 ? unit : `${unit}s`}`;
}

/** Listing needs fewer rights than reading. */
async function probeMailbox(session: ImapSession, path: string): Promise<void> {
  await session.inMailbox(path, "read", (client) =>
    client.fetchOne("*", { uid: true, source: { start: 0, maxLength: 1 } }),
  );
}
