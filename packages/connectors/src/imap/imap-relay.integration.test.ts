import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { describeMail } from "../../conformance/describe-mail.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { startRelay, type Relay } from "../../conformance/start-relay.ts";
import { changesOf, secrets, subjectsOf, sync, type MailAccount } from "../../conformance/start-mail-server.ts";
import { testContext } from "../../conformance/test-context.ts";
import { inHostSlot, operationsPerHost } from "../remote/host-slots.ts";
import type { RemoteEvent } from "../remote/remote-observer.ts";
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

  /** As Microsoft 365 answers a command that it does not carry out for now. */
  const throttling = (waitMs: number, times: number) => {
    let refused = 0;
    const transform = (line: string) => {
      const [tag] = /^\w+(?= OK .*fetch completed)/i.exec(line) ?? [];
      if (tag === undefined || refused >= times) return line;
      refused += 1;
      return `${tag} BAD Request is throttled. Suggested Backoff Time: ${waitMs} milliseconds\r\n`;
    };
    return { transform, refused: () => refused };
  };
  const startCounting = () => {
    const events: RemoteEvent[] = [];
    const slept: number[] = [];
    let nowMs = 0;
    const clock = {
      now: () => nowMs,
      async sleep(waitMs: number) {
        slept.push(waitMs);
        nowMs += waitMs;
      },
    };
    return { events, slept, context: testContext({ clock, onRemoteEvent: (event) => events.push(event) }) };
  };

  it("waits for as long as a server that throttles says, by the gateway's clock, and has everything", async () => {
    const account = server.createAccount();
    for (const subject of ["a", "b"]) await account.append("INBOX", subject, subject);
    const { transform, refused } = throttling(20_000, 1);
    const { events, slept, context } = startCounting();
    await through(account, { transform }, async (config) => {
      const target = new MemoryTarget();
      await target.apply(imapConnector.read({ config, secrets, cursor: null, known: target.known(), context }));
      expect(subjectsOf(target)).toEqual(["a", "b"]);
      expect([refused(), slept]).toEqual([1, [20_000]]);
      const host = `127.0.0.1:${config.port}`;
      expect(events).toContainEqual({ type: "throttled", host });
      expect(events).toContainEqual({ type: "wait", host, cause: "told", waitMs: 20_000 });
    });
  });

  it("keeps no place at the server while it waits", async () => {
    const account = server.createAccount();
    await account.append("INBOX", "a", "a");
    await through(account, { transform: throttling(20_000, 1).transform }, async (config) => {
      const { signal } = new AbortController();
      const inSlot = <T>(work: () => Promise<T>) =>
        inHostSlot(`127.0.0.1:${config.port}`, operationsPerHost, signal, work);
      const ended = Promise.withResolvers<void>();
      // All places but one.
      const others = Array.from({ length: operationsPerHost - 1 }, () => inSlot(() => ended.promise));
      const found: string[] = [];
      const sleep = async () => {
        found.push(await Promise.race([inSlot(async () => "free"), nextTurn("taken")]));
      };
      const context = testContext({ clock: { now: () => Date.now() + found.length * 20_000, sleep } });
      const target = new MemoryTarget();
      await target.apply(imapConnector.read({ config, secrets, cursor: null, known: target.known(), context }));
      expect(subjectsOf(target)).toEqual(["a"]);
      expect(found).toEqual(["free"]);
      ended.resolve();
      await Promise.all(others);
    });
  });

  it("leaves a longer wait to the workflow, without having slept", async () => {
    const account = server.createAccount();
    for (const subject of ["a", "b"]) await account.append("INBOX", subject, subject);
    const { transform, refused } = throttling(92_415, Number.POSITIVE_INFINITY);
    const { slept, context } = startCounting();
    await through(account, { transform }, async (config) => {
      const target = new MemoryTarget();
      const read = target.apply(imapConnector.read({ config, secrets, cursor: null, known: target.known(), context }));
      await expect(read).rejects.toMatchObject({
        code: "RATE_LIMITED",
        retryable: true,
        details: { retryAfterMs: 92_415 },
      });
      expect([refused(), slept]).toEqual([1, []]);
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
