import { expect, it } from "vitest";
import { describeMail } from "../../conformance/describe-mail.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { startRelay, type Relay } from "../../conformance/start-relay.ts";
import { changesOf, secrets, subjectsOf, sync, type MailAccount } from "../../conformance/start-mail-server.ts";
import { testContext } from "../../conformance/test-context.ts";
import type { ImapConfig } from "./config.ts";
import { imapConnector } from "./imap-connector.ts";

describeMail("mail behind a relay", (server) => {
  const through = async <T>(
    account: MailAccount,
    options: Parameters<typeof startRelay>[1],
    work: (config: ImapConfig, relay: Relay) => Promise<T>,
  ): Promise<T> => {
    const relay = await startRelay(server.dovecot.port, options);
    try {
      return await work(account.config({ port: relay.port }), relay);
    } finally {
      await relay.stop();
    }
  };

  it("reads from a server that knows no extension", async () => {
    const account = server.createAccount();
    await account.append("INBOX", "a", "a");
    const plain = (line: string) => line.replace(/(?<=CAPABILITY )IMAP4rev1[^\]\r\n]*/g, "IMAP4rev1 AUTH=PLAIN");
    await through(account, { transform: plain }, async (config) => {
      const target = await sync(new MemoryTarget(), config);
      expect(subjectsOf(target)).toEqual(["a"]);
      await account.append("INBOX", "b", "b");
      await sync(target, config);
      expect(changesOf(target)).toEqual(["upsert"]);
      await sync(target, config);
      expect(changesOf(target)).toEqual([]);
    });
  });

  it("deletes nothing when the server leaves out which messages there are", async () => {
    const account = server.createAccount();
    await account.append("INBOX", "a", "a");
    let silent = false;
    const transform = (line: string) => (silent && line.startsWith("* ESEARCH") ? "" : line);
    await through(account, { transform }, async (config) => {
      const target = await sync(new MemoryTarget(), config);
      await account.append("INBOX", "b", "b");
      silent = true;
      await expect(sync(target, config)).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE" });
      expect(subjectsOf(target)).toEqual(["a"]);
    });
  });

  it("loses nothing when the connection breaks in the middle of a message", async () => {
    const account = server.createAccount();
    await account.append("INBOX", "large", "x".repeat(500_000));
    await through(account, { breakAfterBytes: 100_000 }, async (config, relay) => {
      const target = new MemoryTarget();
      await sync(target, config);
      expect(target.failures.map(({ error }) => error.code)).toEqual(["SOURCE_UNREACHABLE"]);
      relay.mend();
      await sync(target, config);
      expect(subjectsOf(target)).toEqual(["large"]);
    });
  });

  it("starts TLS before it signs in, and sends nothing where a server or somebody between offers none", async () => {
    const account = server.createAccount();
    await account.append("INBOX", "a", "a");
    await through(account, {}, async ({ port }, relay) => {
      const config = account.config({ port, tls: "starttls", verifyCertificate: false });
      expect(subjectsOf(await sync(new MemoryTarget(), config))).toEqual(["a"]);
      expect(relay.sentByClients()).toContain("STARTTLS");
      expect(relay.sentByClients()).not.toContain("AUTHENTICATE");
      const unchecked = await imapConnector.check({ ...config, verifyCertificate: true }, secrets, testContext());
      expect(unchecked.error?.action).toContain("certificate");
    });
    const withoutTls = (line: string) => line.replaceAll("STARTTLS", "XWITHOUT");
    await through(account, { transform: withoutTls }, async ({ port }, relay) => {
      const config = account.config({ port, tls: "starttls", verifyCertificate: false });
      const { error } = await imapConnector.check(config, secrets, testContext());
      expect(error).toMatchObject({ code: "SOURCE_UNREACHABLE", action: expect.stringContaining("starttls") });
      expect(relay.sentByClients()).not.toMatch(/AUTHENTICATE|LOGIN/);
    });
  });

  it("checks the certificate, for the name that it was given and not for the address behind it", async () => {
    const account = server.createAccount();
    await account.append("INBOX", "a", "a");
    await through(account, { tlsFor: "localhost" }, async ({ port }, relay) => {
      const config = account.config({ host: "localhost", port, tls: "tls" });
      const check = await imapConnector.check(config, secrets, testContext());
      expect(check.error).toMatchObject({
        code: "SOURCE_UNREACHABLE",
        action: expect.stringContaining("certificate"),
      });
      const target = await sync(new MemoryTarget(), { ...config, verifyCertificate: false });
      expect(subjectsOf(target)).toEqual(["a"]);
      expect(relay.serverNames()).toContain("localhost");
    });
  });
});
