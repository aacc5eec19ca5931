import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeMail } from "../../conformance/describe-mail.ts";
import { startFakeGoogle, type FakeGoogle } from "../../conformance/fake-google/start-fake-google.ts";
import { startFakeMicrosoft, type FakeMicrosoft } from "../../conformance/fake-microsoft/start-fake-microsoft.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { changesOf, messageOf, subjectsOf, sync, type MailAccount } from "../../conformance/start-mail-server.ts";
import { startRelay, type Relay } from "../../conformance/start-relay.ts";
import { testContext } from "../../conformance/test-context.ts";
import type { RenewSecrets } from "../connector.ts";
import type { RemoteEvent } from "../remote/remote-observer.ts";
import { imapConfigSchema, imapSecretSchema, type ImapConfig } from "./config.ts";
import { gmailScopes } from "./sign-in.ts";
import { imapConnector } from "./imap-connector.ts";

const hourMs = 60 * 60_000;

const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

describeMail("a mailbox that is opened with access tokens", (server) => {
  let account: MailAccount;
  let relay: Relay | null;
  /** How far the clock is ahead of the machine's. */
  let aheadMs: number;
  /** Of tokens that were given up, as the worker's metrics count them. */
  let renewals: boolean[];
  const context = () => ({
    clock: { now: () => Date.now() + aheadMs, sleep: async () => {} },
    onRemoteEvent: (event: RemoteEvent) => void (event.type === "renewal" && renewals.push(event.ok)),
  });
  beforeEach(() => {
    account = server.createAccount();
    relay = null;
    aheadMs = 0;
    renewals = [];
  });
  afterEach(async () => {
    server.tokenServices.clear();
    await relay?.stop();
  });
  const through = async (transform: (line: string) => string): Promise<{ port: number }> => {
    relay = await startRelay(server.dovecot.port, { transform });
    return { port: relay.port };
  };
  const signInsOf = ({ sentByClients }: Relay) => sentByClients().match(/AUTHENTICATE/g)?.length;

  describe("of Microsoft's", () => {
    let fake: FakeMicrosoft;
    /** As the platform keeps them, and in which order they were stored and used. */
    let stored: Record<string, string>;
    let events: string[];
    /** What an administrator did in Exchange Online. */
    let isRegistered: boolean;
    const renewSecrets: RenewSecrets = async (renew) => {
      const renewed = await renew(stored);
      events.push(`stored ${renewed.refreshToken === stored.refreshToken ? "the same" : "another"}`);
      stored = renewed;
    };
    beforeEach(async () => {
      fake = await startFakeMicrosoft();
      // Whoever uses a refresh token a second time is refused: only what was stored last will do.
      fake.entra.refusesExchanged = true;
      fake.tenant.addUser("clerk");
      isRegistered = true;
      events = [];
      stored = { refreshToken: signInAs("clerk"), account: account.user };
      server.tokenServices.add((token) => {
        const number = Number(/^token-(\d+)$/.exec(token)?.[1]);
        const caller = number >= fake.tenant.firstValidToken ? fake.entra.callerOf(number) : undefined;
        events.push(caller === undefined ? "refused" : "used");
        const byApp = caller?.user === null && caller.scopes.has("IMAP.AccessAsApp") && isRegistered;
        const byUser = caller?.user === "clerk" && caller.scopes.has("IMAP.AccessAsUser.All");
        return byApp || byUser ? account.user : undefined;
      });
    });
    afterEach(() => fake.stop());

    const signInAs = (user: string) => fake.entra.signIn(user, ["IMAP.AccessAsUser.All"]);
    const configOf = (changes: Partial<ImapConfig> = {}) =>
      account.config({
        authentication: "microsoft-delegated",
        tenantId: fake.tenant.id,
        clientId: fake.tenant.clientId,
        authorityUrl: fake.authorityUrl,
        ...changes,
      });
    const read = (target: MemoryTarget, changes: Partial<ImapConfig> = {}) =>
      sync(target, configOf(changes), { keys: { ...stored }, context: { ...context(), renewSecrets } });
    const check = async (changes: Partial<ImapConfig> = {}, keys: Record<string, string> = stored) => {
      const of = testContext({ ...context(), renewSecrets });
      const result = await imapConnector.check(configOf(changes), imapSecretSchema.parse(keys), of);
      expect(JSON.stringify(result)).not.toMatch(/token-\d|refresh-/);
      return result;
    };

    it("is read by a schedule, hours after the token of the sync before has ended, without a person", async () => {
      await account.append("INBOX", "a", "a");
      const target = await read(new MemoryTarget());
      expect(subjectsOf(target)).toEqual(["a"]);
      for (const subject of ["b", "c"]) {
        aheadMs += 5 * hourMs;
        fake.expireTokens();
        await account.append("INBOX", subject, subject);
        await read(target);
        expect(changesOf(target)).toEqual(["upsert"]);
      }
      expect(subjectsOf(target)).toEqual(["a", "b", "c"]);
      // A rotated refresh token is durable before its access token is used for anything.
      expect(events).toEqual(Array.from({ length: 3 }, () => ["stored another", "used"]).flat());
    });

    /** Ends the session at the nth message that is handed on, in the words of `how`, and the token with it. */
    const endAt = (nth: number, how: (tag: string) => string) => {
      let seen = 0;
      return through((line) => {
        const [tag] = /^\w+(?= OK .*fetch completed)/i.exec(line) ?? [];
        if (tag === undefined || (seen += 1) !== nth) return line;
        fake.expireTokens();
        return how(tag);
      });
    };
    it.each([
      { by: "Exchange's leave", how: () => "* BYE Session invalidated - AccessTokenExpired\r\n" },
      { by: "Gmail's leave", how: () => "* BYE Session expired, please login again.\r\n" },
      { by: "a refused command", how: (tag: string) => `${tag} NO [AUTHENTICATIONFAILED] Sign in again.\r\n` },
    ])("goes on where the token ends in the middle of it, by $by, and loses and repeats nothing", async ({ how }) => {
      for (const mailbox of ["INBOX", "Work"]) {
        for (const subject of ["a", "b"]) await account.append(mailbox, `${mailbox} ${subject}`, subject);
      }
      for (let nth = 1; nth <= 6; nth += 1) {
        const { port } = await endAt(nth, how);
        const target = await read(new MemoryTarget(), { port });
        expect(fake.entra.exchanges).toBe(2 * nth);
        expect(renewals).toEqual(Array.from({ length: nth }, () => true));
        expect(target.failures).toEqual([]);
        expect(changesOf(target)).toEqual(["upsert", "upsert", "upsert", "upsert"]);
        expect(subjectsOf(target)).toEqual(["INBOX a", "INBOX b", "Work a", "Work b"]);
        await relay!.stop();
      }
      relay = null;
    });

    it("signs in anew with a token that lasts, before the server would end the session", async () => {
      for (const subject of ["a", "b", "c"]) await account.append("INBOX", subject, subject);
      const { port } = await through((line) => {
        // Nearly an hour passes while the first message is read.
        if (/^\* 1 FETCH .*BODY\[\]/.test(line)) aheadMs += 56 * 60_000;
        return line;
      });
      const target = await read(new MemoryTarget(), { port });
      expect(subjectsOf(target)).toEqual(["a", "b", "c"]);
      expect([signInsOf(relay!), fake.entra.exchanges]).toEqual([2, 2]);
      expect(events).not.toContain("refused");
    });

    it("makes connections anew with the token that it has, which one of them finds to be revoked", async () => {
      for (const subject of ["a", "b", "c"]) await account.append("INBOX", subject, subject);
      let seen = 0;
      const { port } = await through((line) => {
        if (!/ OK .*fetch completed/i.test(line)) return line;
        seen += 1;
        if (seen === 3) fake.expireTokens();
        // A server that is restarted, which says nothing of the token.
        return seen === 2 || seen === 3 ? `${line}* BYE Server shutting down.\r\n` : line;
      });
      const target = await read(new MemoryTarget(), { port });
      expect(subjectsOf(target)).toEqual(["a", "b", "c"]);
      expect(events).toEqual(["stored another", "used", "used", "refused", "stored another", "used"]);
    });

    it("ends once the sign-in is revoked, says to sign in again, and deletes nothing", async () => {
      for (const subject of ["a", "b"]) await account.append("INBOX", subject, subject);
      const target = await read(new MemoryTarget());
      await account.asUser(async (client) => {
        await client.mailboxOpen("INBOX");
        await client.messageDelete("1:*");
        await client.append("INBOX", messageOf("c", "c"));
      });
      // In the middle of the next sync, and before one.
      const { port } = await endAt(1, () => {
        fake.entra.endGrants("revoked");
        return "* BYE Session invalidated - AccessTokenRevoked\r\n";
      });
      const lost = {
        code: "SOURCE_CREDENTIALS",
        message: "The sign-in has expired or was revoked (AADSTS50173).",
        action: expect.stringMatching(/^Sign in again/) as string,
      };
      for (const changes of [{ port }, {}]) {
        const error = await errorOf(read(target, changes));
        expect(error).toMatchObject(lost);
        expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/token-\d|refresh-/);
        expect(subjectsOf(target)).toEqual(["a", "b"]);
      }
      expect(renewals).toEqual([false]);
      expect((await check()).error).toMatchObject(lost);
      stored = { refreshToken: signInAs("clerk"), account: account.user };
      await read(target);
      expect(subjectsOf(target)).toEqual(["c"]);
    });

    it("says what an account lacks, and who opens a mailbox that is not their own", async () => {
      await account.append("INBOX", "a", "a");
      stored.account = "clerk@contoso.example";
      expect((await check()).checks[0]?.message).toContain("clerk@contoso.example signs in, and may open it.");
      stored.refreshToken = signInAs("eve");
      fake.tenant.addUser("eve");
      const { error } = await check();
      expect(error).toMatchObject({ code: "SOURCE_CREDENTIALS" });
      for (const words of ["IMAP.AccessAsUser.All", "Add-MailboxPermission", "Set-CASMailbox", account.user]) {
        expect(error?.action).toContain(words);
      }
      // A sign-in that was for another permission.
      stored.refreshToken = fake.entra.signIn("ann", ["Files.Read.All"]);
      expect((await check()).error).toMatchObject({ details: { code: "AADSTS65001" } });
      delete stored.refreshToken;
      expect((await check()).error).toMatchObject({ message: "Nobody has signed in for this source." });
    });

    it("is read by an application, and says what it lacks in Entra and in Exchange Online", async () => {
      await account.append("INBOX", "a", "a");
      stored = { clientSecret: fake.tenant.clientSecret };
      const changes = { authentication: "microsoft-application" } as const;
      const lacking = async () => (await check(changes)).error;
      const needed = ["IMAP.AccessAsApp", "New-ServicePrincipal -AppId", "Add-MailboxPermission", "Set-CASMailbox"];
      for (const words of needed) expect((await lacking())?.action).toContain(words);
      fake.tenant.scopes.add("IMAP.AccessAsApp");
      isRegistered = false;
      expect(await lacking()).toMatchObject({ code: "SOURCE_CREDENTIALS" });
      isRegistered = true;
      expect(await lacking()).toBeNull();
      const target = await read(new MemoryTarget(), changes);
      aheadMs += 5 * hourMs;
      fake.expireTokens();
      await account.append("INBOX", "b", "b");
      await read(target, changes);
      expect(subjectsOf(target)).toEqual(["a", "b"]);
      expect((await check(changes, {})).error?.action).toContain("client secret or a certificate");
    });

    it("says so where the token is taken and the mailbox is not opened", async () => {
      const { port } = await through((line) =>
        line.replace(/^(\w+) OK Namespace.*\r\n/, "$1 BAD User is authenticated but not connected.\r\n"),
      );
      expect((await check({ port })).error).toMatchObject({
        code: "SOURCE_FORBIDDEN",
        action: expect.stringContaining("Set-CASMailbox") as string,
      });
    });

    it("has the signed-in account's token for nothing but this mailbox's permission", async () => {
      await account.append("INBOX", "a", "a");
      fake.entra.adminConsents.add("Sites.Read.All");
      await read(new MemoryTarget());
      expect(fake.entra.wanted.flat()).toEqual(["https://outlook.office.com/IMAP.AccessAsUser.All"]);
    });
  });

  describe("of Google's", () => {
    let google: FakeGoogle;
    beforeEach(async () => {
      google = await startFakeGoogle(account.user);
      for (const scope of gmailScopes) google.tokens.delegatedScopes.add(scope);
      server.tokenServices.add((token) => {
        const grant = google.tokens.grantOf(`Bearer ${token}`);
        return grant?.scopes.join() === "https://mail.google.com/" ? grant.subject : undefined;
      });
    });
    afterEach(() => google.stop());
    const configOf = (changes: Partial<ImapConfig> = {}) =>
      account.config({ authentication: "google-service-account", authorityUrl: google.endpoint, ...changes });
    const keys = () => ({ serviceAccountKey: google.tokens.keyFile() });
    const errorOfCheck = async (changes: Partial<ImapConfig> = {}) => {
      const result = await imapConnector.check(configOf(changes), keys(), testContext(context()));
      expect(JSON.stringify(result)).not.toContain("PRIVATE KEY");
      return result.error;
    };

    it("is read in a user's name by domain-wide delegation, by a schedule", async () => {
      const target = new MemoryTarget();
      for (const subject of ["a", "b"]) {
        await account.append("INBOX", subject, subject);
        await sync(target, configOf(), { keys: keys(), context: context() });
        google.tokens.expireAll();
        aheadMs += 5 * hourMs;
      }
      expect(subjectsOf(target)).toEqual(["a", "b"]);
    });

    it("says what is missing in the words of the Admin console", async () => {
      await account.append("INBOX", "a", "a");
      expect(await errorOfCheck()).toBeNull();
      for (const scope of gmailScopes) google.tokens.delegatedScopes.delete(scope);
      expect(await errorOfCheck()).toMatchObject({
        code: "SOURCE_FORBIDDEN",
        action: expect.stringMatching(
          /Domain-wide delegation, add client ID 100000000000000000001 with the scopes https:\/\/mail\.google\.com\//,
        ) as string,
      });
      for (const scope of gmailScopes) google.tokens.delegatedScopes.add(scope);
      expect(await errorOfCheck({ user: "nobody@example.org" })).toMatchObject({
        message: "Google does not know nobody@example.org, or that user is suspended.",
      });
      const off = await through((line) =>
        line.replace(
          /^(\w+) OK .*Logged in.*\r\n/i,
          "$1 NO [ALERT] IMAP access is disabled for your domain. Please contact your domain administrator.\r\n",
        ),
      );
      expect(await errorOfCheck(off)).toMatchObject({
        code: "SOURCE_FORBIDDEN",
        action: expect.stringContaining("POP and IMAP access") as string,
      });
    });
  });

  it("is told apart from a server that takes no token, and from credentials of another kind", async () => {
    const { port } = await through((line) => line.replace(/ AUTH=(XOAUTH2|OAUTHBEARER)/g, ""));
    const google = await startFakeGoogle(account.user);
    try {
      for (const scope of gmailScopes) google.tokens.delegatedScopes.add(scope);
      const config = account.config({
        port,
        authentication: "google-service-account",
        authorityUrl: google.endpoint,
      });
      const keys = { serviceAccountKey: google.tokens.keyFile() };
      expect((await imapConnector.check(config, keys, testContext())).error).toMatchObject({
        code: "SOURCE_CREDENTIALS",
        action: expect.stringContaining("Choose password") as string,
      });
      expect((await imapConnector.check(config, {}, testContext())).error).toMatchObject({
        code: "SOURCE_CREDENTIALS",
        message: expect.stringContaining("No service account key") as string,
      });
    } finally {
      await google.stop();
    }
  });

  it("was a password's before, and with an access token that was entered once it asks for one", async () => {
    const { authentication: _, tenantId: _t, clientId: _c, authorityUrl: _a, ...before } = account.config();
    const config = imapConfigSchema.parse(before);
    expect(config.authentication).toBe("password");
    const secrets = imapSecretSchema.parse({ accessToken: "token-secret-value" });
    const { error } = await imapConnector.check(config, secrets, testContext());
    expect(error).toMatchObject({
      code: "SOURCE_CREDENTIALS",
      message: expect.stringContaining("No password is given") as string,
    });
    expect(JSON.stringify(error)).not.toContain("token-secret-value");
  });
});
