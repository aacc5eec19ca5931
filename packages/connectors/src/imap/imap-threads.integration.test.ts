import { hash } from "node:crypto";
import { dirname } from "node:path";
import { simpleParser } from "mailparser";
import { describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describeMail } from "../../conformance/describe-mail.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import {
  changesOf,
  messageIdOf,
  messageOf,
  secrets,
  subjectsOf,
  sync,
  type MailAccount,
} from "../../conformance/start-mail-server.ts";
import { startRelay } from "../../conformance/start-relay.ts";
import { imapConnector } from "./imap-connector.ts";

describeMail("threads", (server) => {
  describeConnector(
    "imap by threads",
    async () => {
      const account = server.createAccount();
      const relay = await startRelay(server.dovecot.port);
      const refs = new Map<string, string>();
      let aheadMs: number | null = null;
      const now = () => (aheadMs === null ? undefined : new Date(Date.now() + aheadMs));
      const remove = async (name: string) => account.expunge(refs.get(name)!);
      const put = async (name: string, text: string) => {
        if (refs.has(name)) await remove(name);
        refs.set(name, await account.append(dirname(name) === "." ? "INBOX" : dirname(name), name, text, now()));
      };
      return {
        // A thread has no place that it could be moved from; another one with its words is another one.
        connector: { ...imapConnector, capabilities: { ...imapConnector.capabilities, moves: false } },
        config: account.config({ port: relay.port, unit: "thread" }),
        relay,
        lockOuts: { "it may no longer sign in": () => server.dovecot.lockOut(account.user) },
        secrets,
        setClock: async (ms) => void (aheadMs = ms),
        refOf: (name) => threadRefOf(name),
        put,
        remove,
        async move(from, to) {
          await put(to, await account.textOf(refs.get(from)!));
          await remove(from);
        },
        async addParts(count) {
          for (let number = 0; number < count; number += 1) {
            await put(`Part ${number}/part`, `Of mailbox ${number}.`);
          }
        },
        async breakItem(name) {
          // A message that cannot be read is a failure of its own; what stops its thread as well is size.
          const text = await account.textOf(refs.get(name)!);
          await put(name, "x".repeat(2 * 1024 ** 2));
          return () => put(name, text);
        },
        async vanish() {
          await server.dovecot.pause();
          return () => server.dovecot.resume();
        },
        close: () => relay.stop(),
      };
    },
    "connection",
  );

  describe("a thread", () => {
    const answer = (subject: string, to: string[]) => messageOf(subject, `About ${subject}`, to.map(messageIdOf));
    const appendTo = (account: MailAccount, mailbox: string, message: string) =>
      account.asUser(async (client) => {
        await client.mailboxCreate(mailbox);
        await client.append(mailbox, message);
      });

    it("joins a message and its answers over mailboxes, copies once, and grows", async () => {
      const account = server.createAccount();
      const config = account.config({ unit: "thread" });
      await appendTo(account, "INBOX", messageOf("offer", "About offer"));
      await appendTo(account, "Sent", answer("re", ["offer"]));
      await appendTo(account, "INBOX", messageOf("other", "About other"));
      await account.asUser(async (client) => {
        await client.mailboxCreate("Copies");
        await client.mailboxOpen("INBOX");
        await client.messageCopy("1", "Copies");
      });
      const target = await sync(new MemoryTarget(), config);
      expect(subjectsOf(target)).toEqual(["offer", "other"]);
      await appendTo(account, "INBOX", answer("again", ["offer", "re"]));
      await sync(target, config);
      expect(target.opened).toEqual([threadRefOf("offer")]);
      const { text, item } = target.documents.get(threadRefOf("offer"))!;
      expect(text.match(/About \S+/g)).toEqual(["About offer", "About re", "About again"]);
      expect(item).toMatchObject({ title: "offer", mediaType: "message/rfc822" });
      await sync(target, config);
      expect(changesOf(target)).toEqual([]);
    });

    it("reads as one e-mail with the messages attached", async () => {
      const account = server.createAccount();
      await appendTo(account, "INBOX", messageOf("offer", "Grüße vom Lager"));
      await appendTo(account, "INBOX", answer("re", ["offer"]));
      const target = await sync(new MemoryTarget(), account.config({ unit: "thread" }));
      const mail = await simpleParser(target.documents.get(threadRefOf("offer"))!.text);
      expect(mail.subject).toBe("offer");
      expect(mail.from?.text).toContain("ann@example.org");
      const messages = await Promise.all(mail.attachments.map(({ content }) => simpleParser(content)));
      expect(messages.map(({ subject, text }) => [subject, text?.trim()])).toEqual([
        ["offer", "Grüße vom Lager"],
        ["re", "About re"],
      ]);
    });

    it("is moved about without being read again, and keeps what it was while a message of it cannot be read", async () => {
      const account = server.createAccount();
      const config = account.config({ unit: "thread" });
      const ref = await account.append("INBOX", "offer", "About offer");
      await account.append("INBOX", "other", "About other");
      const target = await sync(new MemoryTarget(), config);
      await account.move(ref, "Archive");
      await sync(target, config);
      expect(changesOf(target)).toEqual([]);
      const before = target.contents();
      const heal = await server.dovecot.breakMessage(account.user, messageIdOf("offer"));
      await appendTo(account, "INBOX", answer("re", ["offer"]));
      await sync(target, config);
      expect(target.failures).not.toEqual([]);
      expect(target.contents()).toEqual(before);
      await heal();
      await sync(target, config);
      expect(target.opened).toEqual([threadRefOf("offer")]);
    });

    it("is readable for the readers that are named now", async () => {
      const account = server.createAccount();
      await account.append("INBOX", "offer", "About offer");
      const target = await sync(new MemoryTarget(), account.config({ unit: "thread", readers: ["ann@example.org"] }));
      await sync(target, account.config({ unit: "thread", readers: ["bob@example.org"] }));
      expect(changesOf(target)).toEqual(["acl"]);
      expect(target.documents.get(threadRefOf("offer"))?.item.acl?.allow.map(({ id }) => id)).toEqual([
        "bob@example.org",
      ]);
    });
  });
});

function threadRefOf(subject: string): string {
  return `thread;ID=${hash("sha256", `begun ${messageIdOf(subject)}`).slice(0, 32)}`;
}
