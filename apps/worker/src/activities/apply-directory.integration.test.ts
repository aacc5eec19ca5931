import { randomBytes, randomUUID } from "node:crypto";
import { asAccount } from "@anneal/connectors/conformance/fake-microsoft/as-account";
import {
  createTeamsHarness,
  type TeamsHarness,
} from "@anneal/connectors/conformance/fake-microsoft/create-teams-harness";
import { testContext } from "@anneal/connectors/conformance/test-context";
import type { TeamsConfig } from "@anneal/connectors/microsoft/config";
import { teamsScopes } from "@anneal/connectors/microsoft/delegated-scopes";
import type { Scope } from "@anneal/db/database";
import { tryLock as tryLockAt } from "@anneal/db/lock";
import { saveWorkspace } from "@anneal/db/queries/access";
import { deleteSource, getSource, saveSource } from "@anneal/db/queries/sources";
import { listHeldPrincipals } from "@anneal/db/queries/directory";
import { createSecretBox } from "@anneal/db/secret-box";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { applyDirectory } from "./apply-directory.ts";

// Two sources of one Microsoft tenant, in a real database: what one is not told, the other's word stands for.

const box = createSecretBox(randomBytes(32).toString("base64"));

let database: TestDatabase;
let scope: Scope;
let application: TeamsHarness;
let delegated: TeamsHarness;
let channelId: string;
let sources: { application: string; delegated: string };

beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database?.stop());

beforeEach(async () => {
  const { id } = await saveWorkspace(database.db, { slug: `w-${randomUUID()}`, name: "Directory" });
  scope = { db: database.db, workspaceId: id };
  application = await createTeamsHarness();
  // No administrator let the account see people, groups or who is in a channel.
  delegated = asAccount<TeamsConfig, TeamsHarness>(application, teamsScopes({ messages: false, files: true }), {
    owner: false,
    adminConsents: [],
  });
  const { tenant } = application.fake;
  const [ann, clerk] = ["ann", "clerk"].map((name) => tenant.users.get(name)!);
  clerk!.proxyAddresses.push("smtp:desk@contoso.example");
  const members = [ann!.id, clerk!.id];
  const team = { id: application.teamId, displayName: "Team", groupTypes: ["Unified"], members, owners: [ann!.id] };
  tenant.groups.set("team", team);
  const channel = tenant.addChannel(
    application.teamId,
    "Board",
    "private",
    members.map((userId) => ({ userId, tenantId: tenant.id })),
  );
  channelId = channel.id.toLowerCase();
  sources = { application: await addSource(application), delegated: await addSource(delegated) };
});
afterEach(() => application.close());

async function addSource({ config }: TeamsHarness): Promise<string> {
  const id = randomUUID();
  const defaultAcl = { allow: [], deny: [] };
  await saveSource(scope, { id, name: id, kind: "teams", config, sealedSecrets: null, defaultAcl, schedule: null });
  return id;
}

async function apply(sourceId: string, { secrets }: TeamsHarness): Promise<void> {
  const context = testContext({ limits: { documentBytes: 1024 * 1024, requestTimeoutMs: 10_000 } });
  const given = Object.fromEntries(
    Object.entries(secrets).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  await saveSource(scope, { ...(await getSource(scope, sourceId)), sealedSecrets: box.seal(given, sourceId) });
  const tryLock = (name: string) => tryLockAt(database.appUrl, name);
  await applyDirectory({ scope, sourceId, secretBox: box, context, tryLock });
}

/** What each address holds: accounts, their groups, the channel, everybody inside. */
async function held(): Promise<Record<string, string[]>> {
  const addresses = ["ann", "clerk", "desk", "bob"].map((name) => `${name}@contoso.example`);
  const entries = addresses.map(async (address) => {
    const principals = await listHeldPrincipals(scope, address);
    return [address, principals.map(({ kind, id }) => `${kind} ${id}`).sort()] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

describe("applyDirectory", () => {
  it("leaves what an application knows of the tenant as it is when a delegated source is told less", async () => {
    await apply(sources.application, application);
    const before = await held();
    expect(before["ann@contoso.example"]).toEqual(
      [
        `domain ${application.fake.tenant.id}`,
        `group channel/${channelId}`,
        `group ${application.teamId}`,
        `group ${application.teamId}/owners`,
        `user ${application.fake.tenant.users.get("ann")!.id}`,
      ].sort(),
    );
    expect(before["desk@contoso.example"]).toHaveLength(4);
    await apply(sources.delegated, delegated);
    expect(await held()).toEqual(before);
    await apply(sources.delegated, delegated);
    expect(await held()).toEqual(before);
    await deleteSource(scope, sources.delegated);
    expect(await held()).toEqual(before);
  });

  it("leaves it as it is when another application may list people and not who of them is disabled", async () => {
    await apply(sources.application, application);
    const before = await held();
    const { scopes } = application.fake.tenant;
    scopes.delete("User.Read.All");
    scopes.add("User.ReadBasic.All");
    const other = await addSource(application);
    await apply(other, application);
    expect(await held()).toEqual(before);
  });

  it("writes nothing of who people were by settings that were changed while it read, and says nothing of that end", async () => {
    const id = sources.application;
    await apply(id, application);
    const before = await held();
    const { directoryReadAt } = await getSource(scope, id);
    application.fake.tenant.users.get("clerk")!.proxyAddresses.push("smtp:bob@contoso.example");
    // Between its beginning, which its credentials mark, and what it writes first.
    let change: (() => Promise<void>) | undefined;
    const secretBox = {
      ...box,
      open(envelope: Buffer, purpose: string) {
        change = async () => {
          change = undefined;
          const source = await getSource(scope, id);
          await saveSource(scope, { ...source, config: { ...source.config, channels: ["Board"] } });
        };
        return box.open(envelope, purpose);
      },
    };
    const db = new Proxy(scope.db, {
      get(target, name) {
        if (name !== "transaction") return Reflect.get(target, name) as unknown;
        return async (...given: Parameters<typeof target.transaction>) => {
          await change?.();
          return target.transaction(...given);
        };
      },
    });
    const context = testContext({ limits: { documentBytes: 1024 * 1024, requestTimeoutMs: 10_000 } });
    const tryLock = (name: string) => tryLockAt(database.appUrl, name);
    const changed = { scope: { ...scope, db }, sourceId: id, secretBox, context, tryLock };
    await expect(applyDirectory(changed)).rejects.toMatchObject({ code: "CONFLICT", retryable: true });
    expect(await held()).toEqual(before);
    expect(await getSource(scope, id)).toMatchObject({ directoryReadAt, directoryError: null });
    await apply(id, application);
    expect(await held()).not.toEqual(before);
  });

  it("admits the account alone where no other source knows more", async () => {
    await apply(sources.delegated, delegated);
    expect(await held()).toEqual({
      "ann@contoso.example": [],
      "clerk@contoso.example": [`user ${application.fake.tenant.users.get("clerk")!.id}`],
      "desk@contoso.example": [],
      "bob@contoso.example": [],
    });
  });
});
