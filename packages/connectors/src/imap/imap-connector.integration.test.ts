import { once } from "node:events";
import { createServer } from "node:http";
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describeMail } from "../../conformance/describe-mail.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import {
  changesOf,
  messageIdOf,
  messageOf,
  placeOf,
  portOf,
  secrets,
  subjectsOf,
  sync,
} from "../../conformance/start-mail-server.ts";
import { startRelay } from "../../conformance/start-relay.ts";
import { testContext } from "../../conformance/test-context.ts";
import type { ImapConfig, ImapSecrets } from "./config.ts";
import { imapConnector } from "./imap-connector.ts";

describeMail("mail", (server) => {
  describeConnector(
    "imap",
    async () => {
      const account = server.createAccount();
      const relay = await startRelay(server.dovecot.port);
      const refs = new Map<string, string>();
      let aheadMs: number | null = null;
      const now = () => (aheadMs === null ? undefined : new Date(Date.now() + aheadMs));
      const mailboxOf = (name: string) => ({ ".": "INBOX", unicode: "Größe & 日本語" })[dirname(name)] ?? dirname(name);
      const remove = async (name: string) => account.expunge(refs.get(name)!);
      await account.append("Trash", "thrown away", "Not to be read.");
      await account.append("Junk", "spam", "Not to be read either.");
      return {
        connector: imapConnector,
        config: account.config({ port: relay.port }),
        relay,
        lockOuts: { "it may no longer sign in": () => server.dovecot.lockOut(account.user) },
        secrets,
        refOf: (name) => refs.get(name)!,
        async put(name, text) {
          if (refs.has(name)) await remove(name);
          refs.set(name, await account.append(mailboxOf(name), name, text, now()));
        },
        remove,
        async move(from, to) {
          refs.set(to, await account.move(refs.get(from)!, mailboxOf(to)));
        },
        async moveFolder(from, to) {
          await account.asUser((client) => client.mailboxRename(from, to));
          for (const [name, ref] of refs) {
            if (!name.startsWith(`${from}/`)) continue;
            const moved = to + name.slice(from.length);
            refs.set(moved, await account.refIn(mailboxOf(moved), placeOf(ref).uid));
          }
        },
        async addParts(count) {
          for (let number = 0; number < count; number += 1) {
            await account.append(`Part ${number}`, "part", `Of mailbox ${number}.`);
          }
        },
        breakItem: (name) => server.dovecot.breakMessage(account.user, messageIdOf(name)),
        setClock: async (ms) => void (aheadMs = ms),
        async vanish() {
          await server.dovecot.pause();
          return () => server.dovecot.resume();
        },
        close: () => relay.stop(),
      };
    },
    "connection",
  );

  it("hands messages on as they are, marks none as seen, and cites them by address", async () => {
    const account = server.createAccount();
    const ref = await account.append("Größe 100%", "Müll & Co", "Grüße");
    const target = await sync(new MemoryTarget(), account.config());
    const { item, text } = target.documents.get(ref)!;
    expect(text).toBe(messageOf("Müll & Co", "Grüße"));
    expect(item).toMatchObject({ title: "Müll & Co", mediaType: "message/rfc822", sizeBytes: Buffer.byteLength(text) });
    const mailbox = encodeURIComponent("Größe 100%");
    const user = encodeURIComponent(account.user);
    expect(item.uri).toBe(
      `imap://${user}@127.0.0.1:${server.dovecot.port}/${mailbox}${ref.slice("Größe 100%".length)}`,
    );
    await account.asUser(async (client) => {
      await client.mailboxOpen("Größe 100%");
      expect(await client.search({ seen: true }, { uid: true })).toEqual([]);
    });
  });

  it("asks nothing about any message when no mailbox has changed", async () => {
    const account = server.createAccount();
    for (const mailbox of ["INBOX", "Archive"]) await account.append(mailbox, mailbox, "text");
    const target = await sync(new MemoryTarget(), account.config());
    const refuse = () => {
      throw new Error("a message was asked about");
    };
    await sync(target, account.config(), { known: { ...target.known(), fingerprintOf: refuse, refs: refuse } });
    expect(changesOf(target)).toEqual([]);
  });

  it("moves a message between mailboxes, and all of a mailbox that is renamed, without reading any", async () => {
    const account = server.createAccount();
    const first = await account.append("INBOX", "first", "one");
    await account.append("Projects", "second", "two");
    await account.append("Projects", "third", "three");
    const target = await sync(new MemoryTarget(), account.config());
    const moved = await account.move(first, "Archive");
    await account.asUser((client) => client.mailboxRename("Projects", "Done"));
    await sync(target, account.config());
    expect(changesOf(target)).toEqual(["moved", "moved", "moved"]);
    expect(target.opened).toEqual([]);
    expect(target.documents.get(moved)?.text).toContain("one");
    expect([...target.documents.keys()].map((ref) => placeOf(ref).mailbox).sort()).toEqual(["Archive", "Done", "Done"]);
  });

  it("knows messages again in a mailbox that the server numbers anew", async () => {
    const account = server.createAccount();
    for (const subject of ["a", "b"]) await account.append("Notes", subject, subject);
    const target = await sync(new MemoryTarget(), account.config());
    await account.asUser((client) => client.mailboxDelete("Notes"));
    for (const subject of ["b", "a"]) await account.append("Notes", subject, subject);
    await sync(target, account.config());
    expect(changesOf(target)).toEqual(["moved", "moved"]);
    expect(subjectsOf(target)).toEqual(["a", "b"]);
  });

  it("keeps a copy in another mailbox as a document of its own", async () => {
    const account = server.createAccount();
    const original = await account.append("INBOX", "minutes", "text");
    const target = await sync(new MemoryTarget(), account.config());
    await account.asUser(async (client) => {
      await client.mailboxCreate("Copies");
      await client.mailboxOpen("INBOX");
      await client.messageCopy("1:*", "Copies");
    });
    await sync(target, account.config());
    expect(subjectsOf(target)).toEqual(["minutes", "minutes"]);
    await account.expunge(original);
    await sync(target, account.config());
    expect(changesOf(target)).toEqual(["delete"]);
    expect(target.documents.has(original)).toBe(false);
  });

  it("reads the mailboxes that are named, without those that are excluded with all in them", async () => {
    const account = server.createAccount();
    for (const mailbox of ["INBOX", "Work", "Work/Old", "Private"]) await account.append(mailbox, mailbox, "text");
    const subjects = async (config: Partial<ImapConfig>) =>
      subjectsOf(await sync(new MemoryTarget(), account.config(config)));
    expect(await subjects({ mailboxes: ["inbox", "Work"] })).toEqual(["INBOX", "Work"]);
    await account.append("Trash", "Trash", "text");
    expect(await subjects({ exclude: ["Work"] })).toEqual(["INBOX", "Private"]);
    expect(await subjects({ mailboxes: ["Trash"] })).toEqual(["Trash"]);
  });

  it("keeps the documents of a mailbox that is named and missing, reads the others, and says so", async () => {
    const account = server.createAccount();
    for (const mailbox of ["INBOX", "Work"]) await account.append(mailbox, mailbox, "text");
    const config = account.config({ mailboxes: ["INBOX", "Work"] });
    const target = await sync(new MemoryTarget(), config);
    await account.asUser((client) => client.mailboxDelete("Work"));
    await account.append("INBOX", "new", "text");
    await sync(target, config);
    expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["Work/", "SOURCE_NOT_FOUND"]]);
    expect(subjectsOf(target)).toEqual(["INBOX", "Work", "new"]);
    const check = await imapConnector.check(config, secrets, testContext());
    expect(check.checks.filter(({ status }) => status === "warning").map(({ message }) => message)).toContainEqual(
      expect.stringContaining('no mailbox "Work"'),
    );
  });

  it("deletes what was in a mailbox that is gone when all are read", async () => {
    const account = server.createAccount();
    for (const mailbox of ["INBOX", "Work"]) await account.append(mailbox, mailbox, "text");
    const target = await sync(new MemoryTarget(), account.config());
    await account.asUser((client) => client.mailboxDelete("Work"));
    await sync(target, account.config());
    expect(subjectsOf(target)).toEqual(["INBOX"]);
  });

  it("tries a message that failed again, though its mailbox is as it was", async () => {
    const account = server.createAccount();
    const large = await account.append("INBOX", "large", "x".repeat(20_000));
    await account.append("INBOX", "small", "text");
    const target = await sync(new MemoryTarget(), account.config(), { limits: { documentBytes: 10_000 } });
    expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([[large, "DOCUMENT_TOO_LARGE"]]);
    await sync(target, account.config());
    expect(target.opened).toEqual([large]);
    expect(subjectsOf(target)).toEqual(["large", "small"]);
    await sync(target, account.config());
    expect(changesOf(target)).toEqual([]);
  });

  it("reads the others of a batch in which the server cannot read one", async () => {
    const account = server.createAccount();
    const refs = new Map<string, string>();
    for (const subject of ["a", "b", "c"]) refs.set(subject, await account.append("INBOX", subject, subject));
    const heal = await server.dovecot.breakMessage(account.user, messageIdOf("b"));
    const target = await sync(new MemoryTarget(), account.config());
    expect(target.failures.map(({ ref }) => ref)).toEqual([refs.get("b")]);
    expect(subjectsOf(target)).toEqual(["a", "c"]);
    await heal();
    await sync(target, account.config());
    expect(target.opened).toEqual([refs.get("b")]);
  });

  it("reads a large message piece by piece, and many messages in batches", async () => {
    const account = server.createAccount();
    const text = `${"0123456789abcdef".repeat(64)}\r\n`.repeat(2500);
    const ref = await account.append("INBOX", "large", text);
    await account.asUser(async (client) => {
      for (let index = 0; index < 230; index += 1) await client.append("INBOX", messageOf(`${index}`, `${index}`));
    });
    const target = await sync(new MemoryTarget(), account.config());
    expect(target.documents.get(ref)?.text).toBe(messageOf("large", text));
    expect(target.documents.size).toBe(231);
  });

  it("says in check() what would be read, and who may see it", async () => {
    const account = server.createAccount();
    for (const subject of ["a", "b"]) await account.append("INBOX", subject, subject);
    await account.append("Work", "c", "c");
    const check = (config: Partial<ImapConfig> = {}) =>
      imapConnector.check(account.config(config), secrets, testContext());
    const { summary, checks } = await check({ readers: ["ann@example.org"] });
    expect(summary).toBe(
      `The mail of "${account.user}" on 127.0.0.1 can be read and holds 3 messages in 2 mailboxes: INBOX and Work.`,
    );
    expect(checks.map(({ capability, status }) => [capability, status])).toEqual([
      ["read", "ok"],
      ["changes", "ok"],
      ["permissions", "ok"],
      ["moves", "ok"],
    ]);
    const unnamed = (await check()).checks.find(({ capability }) => capability === "permissions");
    expect(unnamed?.status).toBe("warning");
  });

  it("names what is wrong, and never repeats the password", async () => {
    const account = server.createAccount();
    const web = createServer((_, response) => response.end("a web page"));
    await once(web.listen(0, "127.0.0.1"), "listening");
    const webPort = portOf(web);
    const errorOf = async (config: Partial<ImapConfig>, keys: ImapSecrets = secrets) => {
      const { error } = await imapConnector.check(
        account.config(config),
        keys,
        testContext({ limits: { requestTimeoutMs: 1000 } }),
      );
      expect(JSON.stringify(error)).not.toContain("-secret-value");
      return error?.code;
    };
    try {
      expect(await errorOf({}, { password: "wrong-secret-value" })).toBe("SOURCE_CREDENTIALS");
      expect(await errorOf({}, {})).toBe("SOURCE_CREDENTIALS");
      expect(await errorOf({ mailboxes: ["Missing"] })).toBe("SOURCE_NOT_FOUND");
      expect(await errorOf({ port: 9 })).toBe("SOURCE_UNREACHABLE");
      expect(await errorOf({ host: "nowhere.invalid" })).toBe("SOURCE_UNREACHABLE");
      expect(await errorOf({ port: webPort })).toBe("SOURCE_UNREACHABLE");
      expect(await errorOf({ tls: "tls" })).toBe("SOURCE_UNREACHABLE");
      expect(await errorOf({ tls: "starttls" })).toBe("SOURCE_UNREACHABLE");
      expect(await errorOf({ host: "169.254.169.254" })).toBe("SOURCE_FORBIDDEN");
      expect(await errorOf({ allowPrivateHosts: false })).toBe("SOURCE_FORBIDDEN");
      expect(await errorOf({ host: "localhost", allowPrivateHosts: false })).toBe("SOURCE_FORBIDDEN");
    } finally {
      web.closeAllConnections();
      web.close();
    }
  });
});
