import { createHash, randomUUID } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { findBrokenLink } from "@anneal/core/audit/chain";
import { loopSettingsSchema } from "@anneal/core/loop/settings";
import { generateApiKey } from "@anneal/db/api-key";
import type { Scope } from "@anneal/db/database";
import { hashPassword } from "@anneal/db/password";
import { createApiKey, saveMember, saveUser, saveWorkspace } from "@anneal/db/queries/access";
import { exportAuditChain, listAuditEvents } from "@anneal/db/queries/audit";
import { createRun } from "@anneal/db/queries/loop";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { GET as takeAudit } from "../../app/api/w/[workspace]/audit/route.ts";
import { createIdentity, type Identity, type Role } from "#server/auth/identity.ts";
import { authOptions } from "#server/auth/options.ts";
import { appRouter } from "#server/root.ts";
import { verifyScript } from "#features/audit/verify-script.ts";

// The trail tells what was tried and how it ended, and an export of it can still be verified outside.

let test: TestDatabase;
let scope: Scope;
let slug: string;
const password = "correct horse battery";
let passwordHash: string;

beforeAll(async () => {
  test = await startTestDatabase();
  passwordHash = await hashPassword(password);
  vi.stubEnv("ANNEAL_DATABASE_URL", test.appUrl);
  vi.stubEnv("NEXTAUTH_SECRET", "s".repeat(32));
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await test?.stop();
});

beforeEach(async () => {
  slug = randomUUID();
  const { id } = await saveWorkspace(test.db, { slug, name: "Test" });
  scope = { db: test.db, workspaceId: id };
});

async function enter(role: Role): Promise<Identity> {
  const email = `${randomUUID()}@example.com`;
  const user = await saveUser(test.db, { email, name: role, passwordHash });
  await saveMember(scope, user.id, role);
  const facts = { userId: user.id, email, workspaceId: scope.workspaceId, role };
  return createIdentity({ ...facts, via: { kind: "session" } });
}

const as = (identity: Identity) => appRouter.createCaller({ db: test.db, identity });
const listed = async (search?: string) => (await listAuditEvents(scope, { search }, { limit: 100, offset: 0 })).rows;

describe("an action that was recorded and then refused", () => {
  it("stands as refused with its code, in a chain that is whole, here and for the program that we hand out", async () => {
    const admin = await enter("admin");
    const settings = loopSettingsSchema.parse({});
    await createRun(scope, { id: randomUUID(), workflowId: "w", startedBy: "ada", settings });
    await expect(as(admin).loop.start({})).rejects.toMatchObject({ cause: { code: "ALREADY_RUNNING" } });
    await as(admin).access.createKey({ name: "mine", days: 1 });
    expect(await listed()).toMatchObject([
      { action: "key.create", outcome: null },
      { action: "loop.start", outcome: { outcome: "refused", code: "ALREADY_RUNNING" } },
    ]);

    const chain = await exportAuditChain(scope);
    expect(chain.map(({ action, allowed }) => [action, allowed])).toEqual([
      ["loop.start", true],
      ["audit.outcome", false],
      ["key.create", true],
    ]);
    expect(chain[1]!.details).toMatchObject({ of: chain[0]!.hash, code: "ALREADY_RUNNING" });
    expect(findBrokenLink(chain, (text) => createHash("sha256").update(text).digest("hex"))).toBeNull();
    const dir = await mkdtemp(join(tmpdir(), "anneal-audit-"));
    try {
      await writeFile(join(dir, "verify.mjs"), verifyScript);
      await writeFile(join(dir, "export.jsonl"), chain.map((event) => `${JSON.stringify(event)}\n`).join(""));
      const said = execFileSync(process.execPath, [join(dir, "verify.mjs"), join(dir, "export.jsonl")]).toString();
      expect(said).toContain("WHOLE: 3 events");
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it("stands as failed where the fault was not the caller's", async () => {
    const admin = await enter("admin");
    vi.stubEnv("ANNEAL_TEMPORAL_ADDRESS", "127.0.0.1:1");
    await expect(as(admin).loop.start({})).rejects.toThrow();
    const [event] = await listed("loop.start");
    expect(event?.outcome?.outcome).toBe("failed");
  });
});

describe("a refusal for want of a role", () => {
  it("is recorded for changes, a few times a minute", async () => {
    const member = await enter("member");
    for (let attempt = 0; attempt < 8; attempt += 1)
      await expect(as(member).access.removeMember({ userId: member.userId })).rejects.toMatchObject({
        cause: { code: "FORBIDDEN" },
      });
    const events = await listed(member.email);
    expect(events).toHaveLength(5);
    expect(events[0]).toMatchObject({
      action: "call.refused",
      subject: "procedure:access.removeMember",
      allowed: false,
      details: { role: "member", code: "FORBIDDEN" },
    });
    await expect(as(member).audit.list({ limit: 1, offset: 0 })).rejects.toThrow();
    expect(await listed(member.email)).toHaveLength(5);
  });

  it("is recorded for the export of the trail", async () => {
    const member = await enter("member");
    const { key, prefix, hash } = generateApiKey();
    await createApiKey(scope, { userId: member.userId, name: "test", prefix, hash, expiresAt: null });
    const request = new Request("http://localhost/", { headers: { authorization: `Bearer ${key}` } });
    expect((await takeAudit(request, { params: Promise.resolve({ workspace: slug }) })).status).toBe(403);
    expect(await listed("audit.export")).toMatchObject([{ actor: member.email, allowed: false }]);
  });
});

describe("signing in", () => {
  type Authorize = (credentials: { email: string; password: string }) => Promise<unknown>;
  const signIn = (email: string, secret: string) => {
    const [provider] = authOptions("203.0.113.9").providers as unknown as { options: { authorize: Authorize } }[];
    return provider!.options.authorize({ email, password: secret });
  };

  it("is recorded, with the address that it came from", async () => {
    const member = await enter("member");
    expect(await signIn(member.email, password)).toMatchObject({ id: member.userId });
    expect(await listed()).toMatchObject([
      { actor: member.email, action: "signin", allowed: true, details: { client: "203.0.113.9" } },
    ]);
  });

  it("is recorded when it fails, with the address tried, and cannot flood the trail", async () => {
    const member = await enter("member");
    await Promise.allSettled(Array.from({ length: 8 }, () => signIn(member.email, "wrong password")));
    const failures = async () => (await listed("signin.failed")).length;
    await vi.waitFor(async () => expect(await failures()).toBeGreaterThanOrEqual(5), { timeout: 20_000 });
    // Somebody else comes in meanwhile: whatever is on its way to the trail has got there.
    const other = await enter("member");
    expect(await signIn(other.email, password)).toMatchObject({ id: other.userId });
    expect(await failures()).toBe(5);
    const [event] = await listed(member.email);
    expect(event).toMatchObject({
      subject: `user:${member.email}`,
      allowed: false,
      details: { client: "203.0.113.9", by: "password" },
    });
  });

  it("is recorded when nobody has the address", async () => {
    const tried = `${randomUUID()}@example.com`;
    expect(await signIn(tried, "wrong password")).toBeNull();
    await vi.waitFor(async () => expect(await listed(tried)).toHaveLength(1), { timeout: 20_000 });
  });
});
