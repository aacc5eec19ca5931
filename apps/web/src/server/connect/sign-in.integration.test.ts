import { randomUUID } from "node:crypto";
import {
  startFakeMicrosoft,
  type FakeMicrosoft,
} from "@anneal/connectors/conformance/fake-microsoft/start-fake-microsoft";
import type { Scope } from "@anneal/db/database";
import { listAuditEvents } from "@anneal/db/queries/audit";
import { getSource } from "@anneal/db/queries/sources";
import { renewCredentials } from "@anneal/db/queries/renewed-credentials";
import { createEncryptionKey, createSecretBox } from "@anneal/db/secret-box";
import { addWorkspace } from "@anneal/db/testing/source-fixture";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Identity } from "#server/auth/identity.ts";
import { joinAs } from "#server/auth/join-as.fixture.ts";
import { appRouter } from "#server/root.ts";

// The portal's procedures against the identity platform's fake: what a person sees, and what is stored of it.

const key = createEncryptionKey();
const box = createSecretBox(key);
let test: TestDatabase;
let fake: FakeMicrosoft;
let scope: Scope;
let admin: Identity;
/** Everything that any call answered with, errors included. */
let said: unknown[];

beforeAll(async () => {
  test = await startTestDatabase();
  vi.stubEnv("ANNEAL_DATABASE_URL", test.appUrl);
  vi.stubEnv("NEXTAUTH_SECRET", "s".repeat(32));
  vi.stubEnv("ANNEAL_ENCRYPTION_KEY", key);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await test?.stop();
});
beforeEach(async () => {
  fake = await startFakeMicrosoft();
  fake.tenant.addUser("ann");
  said = [];
  scope = await addWorkspace(test.db);
  admin = await joinAs("admin", scope);
});
afterEach(() => fake.stop());

const as = (identity: Identity) => appRouter.createCaller({ db: test.db, identity }).connect;
const configOf = (changes: Record<string, unknown> = {}) => ({
  tenantId: fake.tenant.id,
  clientId: fake.tenant.clientId,
  permission: "delegated",
  siteUrl: "https://contoso.sharepoint.example/sites/team",
  graphUrl: fake.graphUrl,
  authorityUrl: fake.authorityUrl,
  allowPrivateHosts: true,
  ...changes,
});
const rest = { name: "Site", audience: "nobody" as const, schedule: null };
const hear = async <T>(work: Promise<T>): Promise<T> => {
  try {
    const answer = await work;
    said.push(answer);
    return answer;
  } catch (error) {
    said.push(error instanceof Error ? [error.message, error.cause, error.stack] : error);
    throw error;
  }
};
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => (error as { cause?: { code?: string } }).cause?.code ?? error,
  );

async function begin(changes: Record<string, unknown> = {}, kind = "sharepoint") {
  return hear(as(admin).beginSignIn({ kind, config: kind === "imap" ? changes : configOf(changes) }));
}
/** Once the vendor may be asked again. */
async function poll(signInId: string) {
  for (;;) {
    const progress = await hear(as(admin).pollSignIn({ signInId }));
    if (progress.status === "done" || fake.entra.polls > 0) return progress;
  }
}
async function signIn(changes: Record<string, unknown> = {}, kind = "sharepoint", user = "ann"): Promise<string> {
  const { signInId, userCode } = await begin(changes, kind);
  fake.entra.approve(userCode, user);
  await vi.waitUntil(async () => (await hear(as(admin).pollSignIn({ signInId }))).status === "done");
  return signInId;
}
const secretsOf = async (sourceId: string) => box.open((await getSource(scope, sourceId)).sealedSecrets!, sourceId);

describe("a sign-in with a code", () => {
  it("shows the code and the address, waits, and is stored sealed with the source that is saved with it", async () => {
    const begun = await begin();
    expect(begun).toMatchObject({ verificationUri: "https://microsoft.com/devicelogin" });
    expect(begun.expiresAt.getTime()).toBeGreaterThan(Date.now());
    expect(await poll(begun.signInId)).toMatchObject({ status: "waiting" });
    fake.entra.approve(begun.userCode, "ann");
    await vi.waitUntil(async () => (await hear(as(admin).pollSignIn({ signInId: begun.signInId }))).status === "done");
    expect(await hear(as(admin).pollSignIn({ signInId: begun.signInId }))).toEqual({
      status: "done",
      account: "ann@contoso.example",
    });

    const input = { ...rest, kind: "sharepoint", config: configOf(), signInId: begun.signInId };
    const { sourceId } = await hear(as(admin).create(input));
    const { refreshToken, account } = await secretsOf(sourceId);
    expect(account).toBe("ann@contoso.example");
    expect(refreshToken).toMatch(/^refresh-/);
    // It was lent once.
    expect(await codeOf(hear(as(admin).create({ ...input, name: "Another" })))).toBe("NOT_FOUND");

    said.push(await as(admin).get({ sourceId }), await as(admin).kinds());
    const { rows } = await listAuditEvents(scope, {}, { limit: 20, offset: 0 });
    expect(rows).toMatchObject([
      { action: "source.save", details: { account: "ann@contoso.example" } },
      { action: "source.signIn", subject: `draft:${begun.signInId}` },
    ]);
    const everything = JSON.stringify([said, rows]);
    expect(everything).not.toContain(refreshToken);
    expect(everything).not.toContain("device-");
  });

  it("asks the vendor no more often than it wants, however often it is asked itself", async () => {
    fake.entra.intervalS = 60;
    const { signInId, intervalMs } = await begin();
    expect(intervalMs).toBe(60_000);
    const progress = await Promise.all(Array.from({ length: 5 }, () => as(admin).pollSignIn({ signInId })));
    for (const each of progress) expect(each).toMatchObject({ status: "waiting", retryInMs: expect.any(Number) });
    expect(fake.entra.polls).toBe(0);
  });

  it("goes on waiting while the vendor does not answer", async () => {
    const { signInId } = await begin();
    await fake.stop();
    const progress = await vi.waitUntil(
      async () => {
        const told = await as(admin).pollSignIn({ signInId });
        // Longer than the interval that it began with: it was asked, and did not answer.
        return told.status === "waiting" && told.retryInMs > 15 && told;
      },
      { timeout: 30_000 },
    );
    expect(progress.retryInMs).toBe(20);
    fake = await startFakeMicrosoft();
  });

  it("says how it ended where nobody was signed in", async () => {
    const declined = await begin();
    fake.entra.decline(declined.userCode);
    await expect(vi.waitUntil(() => pollOnce(declined.signInId))).rejects.toMatchObject({
      cause: { code: "SOURCE_FORBIDDEN", message: "The sign-in was declined." },
    });
    const late = await begin();
    fake.entra.expireCodes();
    await expect(vi.waitUntil(() => pollOnce(late.signInId))).rejects.toMatchObject({
      cause: { code: "SOURCE_CREDENTIALS", action: expect.stringMatching(/^Begin the sign-in again/) as string },
    });
  });

  it("is of no use before it is finished, in another workspace, or for another app, tenant or kind", async () => {
    const input = { ...rest, kind: "sharepoint", config: configOf() };
    const { signInId } = await begin();
    expect(await codeOf(as(admin).create({ ...input, signInId }))).toBe("CONFLICT");
    const finished = await signIn();
    const stranger = await joinAs("admin", await addWorkspace(test.db));
    expect(await codeOf(as(stranger).create({ ...input, signInId: finished }))).toBe("NOT_FOUND");
    expect(await codeOf(as(stranger).pollSignIn({ signInId: finished }))).toBe("NOT_FOUND");
    for (const changes of [{ tenantId: randomUUID() }, { clientId: randomUUID() }, { permission: "application" }])
      expect(await codeOf(as(admin).create({ ...input, config: configOf(changes), signInId: finished }))).toBe(
        "INVALID_INPUT",
      );
    const { siteUrl: _, ...config } = configOf({ users: ["ann@contoso.example"] }) as Record<string, unknown>;
    expect(await codeOf(as(admin).create({ ...input, kind: "onedrive", config, signInId: finished }))).toBe(
      "INVALID_INPUT",
    );
  });

  it("takes the place of an earlier one, which otherwise stays as it was renewed", async () => {
    const config = configOf();
    const { sourceId } = await as(admin).create({ ...rest, kind: "sharepoint", config, signInId: await signIn() });
    await renewCredentials(scope, box, sourceId, async (secrets) => ({ ...secrets, refreshToken: "renewed" }));
    const change = { ...rest, sourceId, kind: "sharepoint", config: { ...config, exclude: ["*.tmp"] } };
    await as(admin).update(change);
    expect(await secretsOf(sourceId)).toMatchObject({ refreshToken: "renewed" });
    fake.tenant.addUser("bob");
    await as(admin).update({ ...change, signInId: await signIn({}, "sharepoint", "bob") });
    expect(await secretsOf(sourceId)).toMatchObject({ account: "bob@contoso.example" });
  });

  it("cannot be aimed at another address by whoever may not change it, and needs a kind that people sign in to", async () => {
    const scientist = await joinAs("data_scientist", scope);
    expect(await codeOf(as(scientist).beginSignIn({ kind: "sharepoint", config: configOf() }))).toBe("FORBIDDEN");
    expect(await codeOf(as(admin).beginSignIn({ kind: "s3", config: { bucket: "papers" } }))).toBe("INVALID_INPUT");
    expect(await codeOf(begin({ permission: "application" }))).toBe("INVALID_INPUT");
  });

  it("is for a mailbox's permission in Exchange Online as well, whose token goes to no server but its own", async () => {
    const config = {
      host: "outlook.office365.com",
      allowPrivateHosts: true,
      user: "ann@contoso.example",
      authentication: "microsoft-delegated",
      tenantId: fake.tenant.id,
      clientId: fake.tenant.clientId,
      authorityUrl: fake.authorityUrl,
    };
    const signInId = await begin(config, "imap").then(async (begun) => {
      fake.entra.approve(begun.userCode, "ann");
      await vi.waitUntil(() => pollOnce(begun.signInId));
      return begun.signInId;
    });
    expect(fake.entra.consentsOf("ann")).toEqual(["IMAP.AccessAsUser.All"]);
    const { sourceId } = await as(admin).create({ ...rest, kind: "imap", config, signInId });
    expect(await secretsOf(sourceId)).toMatchObject({
      account: "ann@contoso.example",
      refreshToken: expect.stringMatching(/^refresh-/) as string,
    });
    const aimed = async (changes: object) =>
      codeOf(as(admin).update({ ...rest, sourceId, kind: "imap", config: { ...config, ...changes } }));
    expect(await aimed({ readers: ["ann@contoso.example"] })).toBeNull();
    for (const changes of [
      { host: "imap.example.com" },
      { user: "boss@contoso.example" },
      { clientId: randomUUID() },
      { authentication: "password" },
    ])
      expect(await aimed(changes)).toBe("INVALID_INPUT");
    const scientist = await joinAs("data_scientist", scope);
    const { authorityUrl: _, allowPrivateHosts: __, ...ownService } = config;
    for (const each of [config, { ...ownService, host: "imap.example.com" }, { ...ownService, tls: "none" }])
      expect(await codeOf(as(scientist).beginSignIn({ kind: "imap", config: each }))).not.toBeNull();
  });

  it("leaves nothing to type of what it brings", async () => {
    const kinds = await as(admin).kinds();
    const sharepoint = kinds.find(({ kind }) => kind === "sharepoint");
    expect(sharepoint?.signIn).toEqual({ field: "permission", value: "delegated", with: "Microsoft" });
    expect(Object.keys(sharepoint?.secrets.properties ?? {})).toEqual(["clientSecret", "certificate"]);
  });
});

async function pollOnce(signInId: string): Promise<boolean> {
  return (await as(admin).pollSignIn({ signInId })).status === "done";
}
