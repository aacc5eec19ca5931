import { hashApiKey } from "@anneal/db/api-key";
import type { Scope } from "@anneal/db/database";
import { hashPassword, verifyPassword } from "@anneal/db/password";
import {
  findApiKeyIdentity,
  findUserByEmail,
  listApiKeys,
  listMembers,
  listModelGrants,
  removeModelGrant,
  revokeApiKey,
  saveMember,
  saveUser,
  saveWorkspace,
} from "@anneal/db/queries/access";
import { listAuditEvents } from "@anneal/db/queries/audit";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readAccessFile, type AccessFile } from "./access-file.ts";
import { seedWorkspace } from "./seed.ts";

let database: TestDatabase;
let scope: Scope;

beforeAll(async () => {
  database = await startTestDatabase();
  const { id } = await saveWorkspace(database.db, { slug: "default", name: "Default" });
  scope = { db: database.db, workspaceId: id };
});

afterAll(() => database?.stop());

const seed = () => seedWorkspace(database.appUrl, database.dir);
const identityOf = (access: AccessFile) => findApiKeyIdentity(scope.db, hashApiKey(access.apiKey));

async function revokeAllKeys(): Promise<void> {
  for (const { id } of await listApiKeys(scope)) await revokeApiKey(scope, id);
}

it("makes an administrator, a key and the default grants once, and nothing of it a second time", async () => {
  const first = await seed();
  expect(await identityOf(first)).toMatchObject({ email: first.email, role: "admin" });
  expect(await listModelGrants(scope)).toHaveLength(3);
  expect(await seed()).toEqual(first);
  expect(await listApiKeys(scope)).toHaveLength(1);
});

it("after its key was revoked makes a new one for the same administrator, audited, and gives back nothing else", async () => {
  const first = await seed();
  for (const { id } of await listModelGrants(scope)) await removeModelGrant(scope, id);
  await revokeAllKeys();

  const second = await seed();
  expect(second).toEqual({ ...first, apiKey: second.apiKey });
  expect(await readAccessFile(database.dir)).toEqual(second);
  expect(await identityOf(first)).toBeUndefined();
  expect(await identityOf(second)).toMatchObject({ email: first.email, role: "admin" });
  expect(await listModelGrants(scope)).toEqual([]);
  const { rows } = await listAuditEvents(scope, {}, { limit: 10, offset: 0 });
  expect(rows).toMatchObject([{ actor: "npm start", action: "key.create", details: { user: first.email } }]);
});

it("gives the first administrator neither the role nor a password back, and takes another administrator", async () => {
  const before = await seed();
  const old = (await findUserByEmail(scope.db, before.email))!;
  await saveUser(scope.db, { email: old.email, name: old.name, passwordHash: await hashPassword("changed-since") });
  const other = await saveUser(scope.db, { email: "ada@example.org", name: "Ada", passwordHash: null });
  await saveMember(scope, other.id, "admin");
  await saveMember(scope, old.id, "member");
  await revokeAllKeys();

  const access = await seed();
  expect(access).toMatchObject({ email: "ada@example.org", password: null });
  expect(await identityOf(access)).toMatchObject({ email: "ada@example.org", role: "admin" });
  expect((await listMembers(scope)).map(({ email, role }) => [email, role])).toEqual([
    ["ada@example.org", "admin"],
    [old.email, "member"],
  ]);
  const now = await findUserByEmail(scope.db, old.email);
  expect(await verifyPassword("changed-since", now?.passwordHash)).toBe(true);

  // Nobody left to make a key for: it says so, and changes nothing.
  await saveMember(scope, other.id, "member");
  await revokeAllKeys();
  await expect(seed()).rejects.toMatchObject({
    code: "CONFLICT",
    message: expect.stringContaining("no administrator"),
  });
  expect((await listMembers(scope)).map(({ role }) => role)).toEqual(["member", "member"]);
  expect(await readAccessFile(database.dir)).toEqual(access);
});
