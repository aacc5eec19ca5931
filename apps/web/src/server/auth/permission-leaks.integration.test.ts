import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  anyone,
  mayRead,
  principalKey,
  workspaceMembers,
  workspaceUser,
  type Acl,
  type Principal,
} from "@anneal/core/access/acl";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import type { Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { saveSource } from "@anneal/db/queries/sources";
import { replaceDirectory } from "@anneal/db/queries/directory";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { loadIdentity } from "#server/auth/identity.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database?.stop());

const tenants = ["t1", "t2"];
const peopleCount = 250;
const groupCount = 40;
const documentCount = 400;

const principal = (tenant: string, kind: Principal["kind"], id: string): Principal => ({
  source: "sharepoint",
  tenant,
  kind,
  id,
});
const userIds = Array.from({ length: peopleCount }, () => crypto.randomUUID());
const emailOf = (person: number) => `person${person}@${person % 3 === 0 ? "corp.example" : "other.example"}`;
const accountOf = (person: number, tenant: string) => principal(tenant, "user", `u${person}`);

const tenantOf = fc.constantFrom(...tenants);
const someone = fc.tuple(fc.nat(peopleCount - 1), tenantOf).map(([person, tenant]) => accountOf(person, tenant));
const someGroup = fc
  .tuple(fc.nat(groupCount - 1), tenantOf)
  .map(([group, tenant]) => principal(tenant, "group", `g${group}`));
const stranger = fc.constantFrom(
  principal("t3", "group", "g1"),
  principal("t1", "user", "nobody"),
  principal("t1", "domain", "elsewhere.example"),
);
const someDomain = tenantOf.map((tenant) => principal(tenant, "domain", "corp.example"));

function aclsOf(workspaceId: string): fc.Arbitrary<Acl> {
  const own = fc.nat(peopleCount - 1).map((person) => workspaceUser(workspaceId, userIds[person]!));
  const everybody = fc.constantFrom(anyone, workspaceMembers(workspaceId));
  const who = fc.oneof(
    { weight: 8, arbitrary: someone },
    { weight: 8, arbitrary: someGroup },
    { weight: 3, arbitrary: stranger },
    { weight: 2, arbitrary: someDomain },
    { weight: 2, arbitrary: own },
    { weight: 1, arbitrary: everybody },
  );
  return fc.record({ allow: fc.array(who, { maxLength: 4 }), deny: fc.array(who, { maxLength: 2 }) });
}

it("lets nobody read what their source would not show them, over 100,000 pairs of a document and a person", async () => {
  const { id: workspaceId } = await saveWorkspace(database.db, { slug: "leaks", name: "Leaks" });
  const scope: Scope = { db: database.db, workspaceId };
  const sourceId = crypto.randomUUID();
  const closed = { allow: [], deny: [] };
  await saveSource(scope, {
    id: sourceId,
    name: "s",
    kind: "file",
    config: {},
    sealedSecrets: null,
    defaultAcl: closed,
    schedule: null,
  });
  // Everybody has an account in the first tenant, one in two in the second; groups hold people and groups, cycles included.
  const hasAccount = (person: number, tenant: string) => tenant === "t1" || person % 2 === 0;
  const membersOf = new Map<string, Principal[]>();
  for (const tenant of tenants) {
    const inTenant = fc.oneof(
      fc.nat(peopleCount - 1).map((person) => accountOf(person, tenant)),
      fc.nat(groupCount - 1).map((group) => principal(tenant, "group", `g${group}`)),
    );
    const lists = fc.sample(fc.array(inTenant, { maxLength: 6 }), {
      numRuns: groupCount,
      seed: tenant === "t1" ? 1 : 2,
    });
    for (const [group, members] of lists.entries())
      membersOf.set(principalKey(principal(tenant, "group", `g${group}`)), members);
    const ofDomain = userIds.flatMap((_, person) =>
      emailOf(person).endsWith("@corp.example") ? [accountOf(person, tenant)] : [],
    );
    membersOf.set(principalKey(principal(tenant, "domain", "corp.example")), ofDomain);
  }
  await replaceDirectory(
    scope,
    sourceId,
    (async function* (): AsyncIterable<DirectoryEntry> {
      for (const tenant of tenants) {
        for (const [person] of userIds.entries()) {
          if (hasAccount(person, tenant))
            yield {
              type: "user",
              principal: accountOf(person, tenant),
              name: `Person ${person}`,
              emails: [emailOf(person)],
            };
        }
        for (let group = 0; group < groupCount; group += 1) {
          const own = principal(tenant, "group", `g${group}`);
          yield { type: "group", principal: own, name: own.id, members: membersOf.get(principalKey(own))! };
        }
        const domain = principal(tenant, "domain", "corp.example");
        yield { type: "group", principal: domain, name: domain.id, members: membersOf.get(principalKey(domain))! };
      }
    })(),
  );

  /** The other way round than the product decides: from the ACL down to the people. */
  function reaches(from: Principal, person: number, passed = new Set<string>()): boolean {
    const key = principalKey(from);
    if (key === principalKey(anyone) || key === principalKey(workspaceMembers(workspaceId))) return true;
    if (key === principalKey(workspaceUser(workspaceId, userIds[person]!))) return true;
    if (from.kind === "user")
      return tenants.some((tenant) => hasAccount(person, tenant) && key === principalKey(accountOf(person, tenant)));
    if (passed.has(key)) return false;
    passed.add(key);
    return (membersOf.get(key) ?? []).some((member) => reaches(member, person, passed));
  }

  const acls = fc.sample(aclsOf(workspaceId), { numRuns: documentCount, seed: 7 });
  let [pairs, readable] = [0, 0];
  const wrong: string[] = [];
  for (const [person, userId] of userIds.entries()) {
    const facts = {
      userId,
      email: emailOf(person),
      workspaceId,
      role: "member" as const,
      via: { kind: "session" as const },
    };
    const { principalKeys } = await loadIdentity(database.db, facts);
    for (const [document, acl] of acls.entries()) {
      const allowed =
        acl.allow.some((each) => reaches(each, person)) && !acl.deny.some((each) => reaches(each, person));
      pairs += 1;
      readable += allowed ? 1 : 0;
      if (mayRead(acl, principalKeys) !== allowed) wrong.push(`document ${document}, person ${person}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(pairs).toBe(100_000);
  // Neither all nor nothing, or the comparison would say little.
  expect(readable).toBeGreaterThan(5_000);
  expect(readable).toBeLessThan(60_000);
});
