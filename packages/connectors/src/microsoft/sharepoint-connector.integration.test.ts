import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { mayRead, principalKey } from "@anneal/core/access/acl";
import { defaultDeletionPolicy, type DeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describePermissions } from "../../conformance/describe-permissions.ts";
import { createDriveHarness, type DriveHarness } from "../../conformance/fake-microsoft/create-drive-harness.ts";
import {
  grantEverybodyInside,
  grantGroup,
  grantGroupOwners,
  grantSiteGroup,
  grantUser,
  shareLink,
} from "../../conformance/fake-microsoft/fake-grants.ts";
import type { FakeMicrosoft } from "../../conformance/fake-microsoft/start-fake-microsoft.ts";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { progressOf } from "../../conformance/progress-of.ts";
import { testContext } from "../../conformance/test-context.ts";
import { auditedPerRun } from "./audit-permissions.ts";
import { sharepointConfigSchema, type MicrosoftSecrets, type SharepointConfig } from "./config.ts";
import { sharepointConnector } from "./sharepoint-connector.ts";

const configOf = ({ tenant, graphUrl, authorityUrl }: FakeMicrosoft, changes: Partial<SharepointConfig> = {}) =>
  sharepointConfigSchema.parse({
    tenantId: tenant.id,
    clientId: tenant.clientId,
    siteUrl: "https://contoso.sharepoint.example/sites/team",
    graphUrl,
    authorityUrl,
    allowPrivateHosts: true,
    ...changes,
  });

const addLibrary = ({ tenant }: FakeMicrosoft, name = "Documents") => {
  const drive = tenant.addDrive(name);
  tenant.siteDriveIds.push(drive.id);
  return drive;
};

const createHarness = () =>
  createDriveHarness(sharepointConnector, {
    configOf,
    addDrive: addLibrary,
    addMore: ({ fake }, number) => addLibrary(fake, `Library ${number}`),
    fault: "locked",
  });

describeConnector("sharepoint", createHarness, "http");
describePermissions("sharepoint", createHarness, createHarness);

describe("a site in SharePoint", () => {
  let harness: DriveHarness<SharepointConfig>;
  let target: MemoryTarget;
  beforeEach(async () => {
    harness = await createHarness();
    target = new MemoryTarget();
  });
  afterEach(() => harness.close());

  const context = testContext({ limits: { documentBytes: 1024 * 1024, requestTimeoutMs: 10_000 } });
  const read = (changes: Partial<SharepointConfig> = {}, into = target) =>
    sharepointConnector.read({
      config: { ...harness.config, ...changes },
      secrets: harness.secrets,
      cursor: into.cursor,
      journal: into.journal(),
      known: into.known(),
      context,
    });
  const sync = async (changes: Partial<SharepointConfig> = {}) => {
    harness.fake.requests.length = 0;
    await target.apply(read(changes));
  };
  const check = (changes: Partial<SharepointConfig> = {}, secrets: MicrosoftSecrets = harness.secrets) =>
    sharepointConnector.check({ ...harness.config, ...changes }, secrets, context);
  const put = async (...names: string[]) => {
    for (const name of names) await harness.put(name, `About ${name}.`);
  };
  const titles = () => [...target.documents.values()].map(({ item }) => item.title).sort();
  const changeTypes = () => target.changes.map((change) => change.type).filter((type) => type !== "checkpoint");
  const directory = (secrets: MicrosoftSecrets = harness.secrets) =>
    MemoryDirectory.read(sharepointConnector.readDirectory!({ config: harness.config, secrets, context }));
  const readersOf = async (
    name: string,
    people = ["ann", "bob", "eve"],
    secrets: MicrosoftSecrets = harness.secrets,
  ) => {
    const held = await directory(secrets);
    const acl = target.documents.get(harness.refOf(name))?.item.acl;
    return people.filter((person) => mayRead(acl, held.heldBy(harness.emailOf(person))));
  };
  const permissionReads = () => harness.fake.requests.filter((request) => request.endsWith("/permissions")).length;

  it("says of a sync whether it goes through all files", async () => {
    await put("a.md", "b.md", "c.md", "d.md");
    await sync();
    expect(progressOf(target).length).toBeGreaterThan(0);
    for (const progress of progressOf(target)) expect(progress).toEqual({ total: 4, listsAll: true });
    await put("e.md");
    await sync();
    expect(progressOf(target).length).toBeGreaterThan(0);
    for (const progress of progressOf(target)) expect(progress).toEqual({ total: null, listsAll: false });
  });

  const deltaReads = () => harness.fake.requests.filter((request) => request.includes("/root/delta")).length;

  it("counts the files of a first sync once, those that its patterns leave out not among them", async () => {
    const include = { include: ["guides/**"] };
    await put("a.md", ...Array.from({ length: 9 }, (_, index) => `guides/${index}.md`));
    await sync(include);
    expect(new Set(progressOf(target).map(({ total }) => total))).toEqual(new Set([9]));
    const pages = deltaReads() / 2;
    harness.fake.requests.length = 0;
    const whole = target;
    target = new MemoryTarget();
    const third = whole.changes.flatMap(({ type }, index) => (type === "checkpoint" ? [index] : []))[2]!;
    await target.apply(read(include), { at: third, write: "done" });
    const listed = deltaReads();
    await sync(include);
    // What was counted is known, and what was listed is not listed again.
    expect(deltaReads()).toBeLessThanOrEqual(2 * pages - listed + 1);
    const { scanned } = whole.changes[third] as { scanned: number };
    expect(scanned).toBeGreaterThan(0);
    expect(progressOf(target).length).toBeGreaterThan(0);
    expect(new Set(progressOf(target).map(({ total }) => total))).toEqual(new Set([9 - scanned]));
    expect(target.held()).toEqual(whole.held());
  });

  it("reads all of a first sync whose count was refused, and tells no number", async () => {
    await put("a.md", "b.md", "c.md", "d.md", "e.md");
    const { trouble } = harness.fake;
    trouble.begin(null);
    await sync();
    const counted = trouble.places.findIndex((place) => place.includes("/root/delta"));
    target = new MemoryTarget();
    // The second page of the count is asked with a position that is not accepted any more.
    trouble.begin({ kind: "event", at: counted + 1, act: () => harness.fake.tenant.expireFeeds() });
    await sync();
    trouble.begin(null);
    expect(target.documents.size).toBe(5);
    expect(target.failures).toEqual([]);
    expect(new Set(progressOf(target).map(({ total }) => total))).toEqual(new Set([null]));
  });

  describe("in a library with minor versions", () => {
    const draft = (name: string, text: string) => harness.fake.tenant.putDraft(harness.drive, name, text);
    const textOf = (name: string) => target.documents.get(harness.refOf(name))?.text;

    it("has a file as it was last published, and none that never was", async () => {
      await put("plan.md");
      draft("plan.md", "Let us close the plant.");
      draft("plan.md", "Let us close the plant in May.");
      draft("guides/never.md", "Do not read this.");
      await sync();
      expect(titles()).toEqual(["plan.md"]);
      expect(textOf("plan.md")).toBe("About plan.md.");
      await sync();
      expect(changeTypes()).toEqual([]);
      harness.fake.tenant.pageSize = 20;
      const { summary } = await check();
      expect(summary).toContain("holds 1 file: plan.md");
    });

    it("keeps what is published while a draft is written over it, and has the draft once it is published", async () => {
      await put("plan.md");
      await sync();
      draft("plan.md", "A better plan.");
      await sync();
      expect(textOf("plan.md")).toBe("About plan.md.");
      harness.fake.tenant.publish(harness.drive, "plan.md");
      await sync();
      expect(textOf("plan.md")).toBe("A better plan.");
      draft("plan.md", "A third plan.");
      await sync();
      expect(textOf("plan.md")).toBe("A better plan.");
    });

    it("has a first version once it is published, also within a folder that is named alone", async () => {
      draft("guides/first.md", "Now it is meant for all.");
      await sync();
      expect(titles()).toEqual([]);
      harness.fake.tenant.publish(harness.drive, "guides/first.md");
      harness.fake.tenant.move(harness.drive, "guides", "handbook");
      await sync();
      expect(titles()).toEqual(["first.md"]);
    });

    it("has a file that is checked out as it was last checked in", async () => {
      await put("plan.md");
      harness.fake.tenant.require(harness.drive, "plan.md").checkedOut = true;
      await sync();
      expect(textOf("plan.md")).toBe("About plan.md.");
    });

    it("shows no draft of a file whose versions cannot be listed, says so, and has it later", async () => {
      const { tenant } = harness.fake;
      await put("plan.md", "other.md");
      const { id } = draft("plan.md", "Let us close the plant.");
      tenant.brokenVersions.add(id);
      await sync();
      expect(titles()).toEqual(["other.md"]);
      expect(target.failures.map(({ ref }) => ref)).toEqual([harness.refOf("plan.md")]);
      tenant.brokenVersions.delete(id);
      await sync();
      expect(textOf("plan.md")).toBe("About plan.md.");
    });
  });

  it("never shows its token to the host that a download is handed to", async () => {
    await put("a.md", "b.md");
    await sync();
    expect(target.documents.size).toBe(2);
    expect(harness.fake.leakedTokens).toEqual([]);
  });

  it("reads the rest of a library while one document fails in every sync", async () => {
    const { tenant } = harness.fake;
    await put("good.md", "bad.md");
    const { id } = tenant.require(harness.drive, "bad.md");
    tenant.brokenContent.add(id);
    await sync();
    tenant.brokenItems.add(id);
    await put("later.md");
    await sync();
    expect(titles()).toEqual(["good.md", "later.md"]);
    expect(target.failures.map(({ ref }) => ref)).toEqual([harness.refOf("bad.md")]);
    tenant.brokenItems.clear();
    tenant.brokenContent.clear();
    await sync();
    expect(titles()).toEqual(["bad.md", "good.md", "later.md"]);
  });

  it("holds back what a stale feed would delete, until a person confirms", async () => {
    await put(...Array.from({ length: 15 }, (_, index) => `${index}.md`));
    await sync();
    for (let index = 0; index < 12; index += 1) await harness.remove(`${index}.md`);
    harness.fake.tenant.expireFeeds();
    const syncUnder = (deletions: DeletionPolicy) => {
      const { config, secrets } = harness;
      const request = { config, secrets, cursor: target.cursor, journal: target.journal(), known: target.known() };
      return target.apply(sharepointConnector.read({ ...request, context: { ...context, deletions } }));
    };
    for (let syncs = 0; syncs < 2; syncs += 1) {
      await syncUnder(defaultDeletionPolicy);
      expect(target.documents.size).toBe(15);
      expect(target.failures.map(({ error }) => error.code)).toEqual(["CONFLICT"]);
    }
    expect([...target.documents.values()].every(({ item }) => item.acl?.allow !== undefined)).toBe(true);
    await syncUnder({ ...defaultDeletionPolicy, confirmed: true });
    expect(target.documents.size).toBe(3);
  });

  it("deletes what was in a deleted folder, though the feed names the folder alone", async () => {
    await put("keep.md", "old/one.md", "old/deep/two.md");
    await sync();
    await harness.remove("old");
    await sync();
    expect(titles()).toEqual(["keep.md"]);
  });

  it("brings back what was in a restored folder", async () => {
    await put("keep.md", "old/one.md", "old/deep/two.md");
    await sync();
    const folder = harness.fake.tenant.require(harness.drive, "old");
    await harness.remove("old");
    await sync();
    harness.fake.tenant.restore(harness.drive, folder);
    await sync();
    expect(titles()).toEqual(["keep.md", "one.md", "two.md"]);
  });

  it("gives what lies in a renamed folder its new address, and reads none of it", async () => {
    await put("guides/deep/reset.md");
    await sync();
    await harness.move("guides", "manuals");
    await sync();
    expect(changeTypes()).toEqual(["moved"]);
    expect(target.documents.get(harness.refOf("manuals/deep/reset.md"))?.item.uri).toContain("/manuals/deep/reset.md");
  });

  it("reads a renamed document again when its new name asks for another parser", async () => {
    await put("notes.txt");
    await sync();
    await harness.move("notes.txt", "notes.md");
    await sync();
    expect(target.opened).toEqual([harness.refOf("notes.md")]);
  });

  it("finds a change of permissions that is in no feed", async () => {
    await put("plan.md", "deep/er/other.md");
    await harness.share("plan.md", [{ user: "ann" }]);
    await sync();
    harness.fake.tenant.hidesSharing = true;
    await harness.share("plan.md", [{ user: "bob" }]);
    await sync();
    expect(await readersOf("plan.md")).toEqual(["bob"]);
    expect(changeTypes()).toEqual(["acl"]);
  });

  it("asks again for permissions that run out, in every sync, however many documents there are", async () => {
    const { tenant } = harness.fake;
    tenant.pageSize = 200;
    const names = Array.from({ length: auditedPerRun + 30 }, (_, index) => `${index}.md`);
    await put(...names);
    // The last by its ref: it is not among those that the next sync looks at anyway.
    const last = names.toSorted((a, b) => (harness.refOf(a) < harness.refOf(b) ? -1 : 1)).at(-1)!;
    const expiring = grantUser(tenant, "ann");
    tenant.share(tenant.require(harness.drive, last), [{ ...expiring, expirationDateTime: "2999-01-01T00:00:00Z" }]);
    await sync();
    expect(await readersOf(last)).toEqual(["ann"]);
    tenant.hidesSharing = true;
    tenant.share(tenant.require(harness.drive, last), [{ ...expiring, expirationDateTime: "2020-01-01T00:00:00Z" }]);
    await sync();
    expect(await readersOf(last)).toEqual([]);
  });

  it("hides all whose sharing has ended by itself, however many there are", async () => {
    const { tenant } = harness.fake;
    tenant.pageSize = 200;
    const names = Array.from({ length: auditedPerRun + 230 }, (_, index) => `${index}.md`);
    await put(...names);
    // The last by their refs are not among those that the next sync looks at anyway.
    const ending = names.toSorted((a, b) => (harness.refOf(a) < harness.refOf(b) ? -1 : 1)).slice(-230);
    const startMs = Date.now();
    const until = (hours: number) => new Date(startMs + hours * 3_600_000).toISOString();
    for (const [index, name] of ending.entries()) {
      const expirationDateTime = until(index < 200 ? 1 : 2);
      tenant.share(tenant.require(harness.drive, name), [{ ...grantUser(tenant, "ann"), expirationDateTime }]);
    }
    const shared = () => ending.filter((name) => target.documents.get(harness.refOf(name))?.item.acl?.allow.length);
    vi.useFakeTimers({ toFake: ["Date"], now: startMs });
    try {
      await sync();
      expect(shared()).toHaveLength(230);
      vi.setSystemTime(until(3));
      await sync();
      expect(shared()).toEqual([]);
      expect(deltaReads()).toBeGreaterThan(1);
      // Nothing is left that ends.
      await sync();
      expect([deltaReads(), permissionReads()]).toEqual([1, auditedPerRun + 1]);
      for (const change of target.changes) {
        if (change.type === "checkpoint") expect(JSON.stringify(change.cursor).length).toBeLessThan(64 * 1024);
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it("follows the permissions of the library itself", async () => {
    await put("deep/er/plan.md");
    await harness.shareFolder!("", [{ user: "ann" }]);
    await sync();
    harness.fake.tenant.hidesSharing = true;
    await harness.shareFolder!("", [{ user: "eve" }]);
    await sync();
    expect(await readersOf("deep/er/plan.md")).toEqual(["eve"]);
    expect(target.opened).toEqual([]);
    // It was listed as a whole, not met by chance among those that are looked at again.
    expect(harness.fake.requests.filter((request) => request.endsWith("/delta")).length).toBeGreaterThan(1);
  });

  it("looks at the permissions of so many documents a sync, and at all of them in turn", async () => {
    const { tenant } = harness.fake;
    tenant.pageSize = 200;
    const names = Array.from({ length: auditedPerRun + 30 }, (_, index) => `${index}.md`);
    await put(...names);
    await sync();
    tenant.hidesSharing = true;
    for (const name of names) await harness.share(name, [{ user: "ann" }]);
    await sync();
    expect(changeTypes()).toHaveLength(auditedPerRun);
    await sync();
    expect(changeTypes()).toHaveLength(30);
    expect([...target.documents.values()].every(({ item }) => item.acl?.allow.length === 1)).toBe(true);
  });

  it("takes access away even when the new content cannot be had", async () => {
    await put("plan.md");
    await harness.share("plan.md", [{ user: "ann" }]);
    await sync();
    await harness.put("plan.md", "A plan without Ann.");
    await harness.share("plan.md", [{ user: "bob" }]);
    await harness.breakItem("plan.md");
    await sync();
    expect(target.failures).toHaveLength(1);
    expect(target.documents.get(harness.refOf("plan.md"))?.text).toContain("About plan.md.");
    expect(await readersOf("plan.md")).toEqual(["bob"]);
  });

  it("reads changes and permissions with no more than Sites.Read.All, and says what is lost", async () => {
    harness.fake.tenant.scopes.delete("Sites.FullControl.All");
    await put("plan.md");
    await harness.share("plan.md", [{ user: "ann" }]);
    await sync();
    await harness.share("plan.md", [{ user: "bob" }]);
    await put("new.md");
    await sync();
    expect(titles()).toEqual(["new.md", "plan.md"]);
    expect(await readersOf("plan.md")).toEqual(["bob"]);
    const { checks, error } = await check();
    expect(error).toBeNull();
    expect(checks.find(({ capability }) => capability === "changes")).toMatchObject({
      status: "warning",
      message: expect.stringContaining("Sites.FullControl.All") as string,
    });
  });

  it("opens an organization's link to its own people, not to guests", async () => {
    const { tenant } = harness.fake;
    tenant.addUser("guest", { userType: "Guest", mail: "guest@elsewhere.example" });
    await put("plan.md", "all.md");
    tenant.share(tenant.require(harness.drive, "plan.md"), [shareLink("organization")]);
    tenant.share(tenant.require(harness.drive, "all.md"), [grantEverybodyInside(tenant.id)]);
    await sync();
    for (const name of ["plan.md", "all.md"]) {
      expect(await readersOf(name, ["ann", "bob", "eve", "guest"])).toEqual(["ann", "bob", "eve"]);
    }
  });

  it("admits only the people of a link for people, and nobody by a link that expired", async () => {
    const { tenant } = harness.fake;
    await put("some.md", "past.md");
    const ann = { user: { id: tenant.users.get("ann")!.id } };
    tenant.share(tenant.require(harness.drive, "some.md"), [shareLink("users", [ann])]);
    tenant.share(tenant.require(harness.drive, "past.md"), [
      shareLink("anonymous", [], { expirationDateTime: "2020-01-01T00:00:00Z" }),
    ]);
    await sync();
    expect(await readersOf("some.md")).toEqual(["ann"]);
    expect(await readersOf("past.md")).toEqual([]);
  });

  it("tells two groups of one name, and a group's owners from its members", async () => {
    const { tenant } = harness.fake;
    const [ann, bob, eve] = ["ann", "bob", "eve"].map((name) => tenant.users.get(name)!.id);
    const group = (members: string[], owners: string[]) => ({
      id: randomUUID(),
      displayName: "Finance",
      groupTypes: ["Unified"],
      members,
      owners,
    });
    tenant.groups.set("one", group([ann!, bob!], [bob!]));
    tenant.groups.set("two", group([eve!], []));
    await put("one.md", "owners.md", "site.md");
    tenant.share(tenant.require(harness.drive, "one.md"), [grantGroup(tenant, "one")]);
    tenant.share(tenant.require(harness.drive, "owners.md"), [grantGroupOwners(tenant, "one")]);
    tenant.share(tenant.require(harness.drive, "site.md"), [grantSiteGroup("5", "Finance")]);
    await sync();
    expect(await readersOf("one.md")).toEqual(["ann", "bob"]);
    expect(await readersOf("owners.md")).toEqual(["bob"]);
    expect(await readersOf("site.md")).toEqual([]);
  });

  it("admits the members of the site's own groups, which only a certificate may see", async () => {
    const { tenant } = harness.fake;
    const pem = await createCertificate();
    tenant.certificate = pem;
    tenant.groups.set("clerks", {
      id: randomUUID(),
      displayName: "Clerks",
      groupTypes: [],
      members: [tenant.users.get("bob")!.id],
      owners: [],
    });
    tenant.siteGroups.set(5, { title: "Owners", logins: ["i:0#.f|membership|eve@contoso.example"] });
    tenant.siteGroups.set(6, {
      title: "Members",
      logins: [
        "i:0#.f|membership|Ann@contoso.example",
        "i:0#.f|membership|stranger@elsewhere.example",
        `c:0t.c|tenant|${tenant.groups.get("clerks")!.id}`,
      ],
    });
    await put("plan.md");
    tenant.share(tenant.require(harness.drive, "plan.md"), [grantSiteGroup("6", "Members")]);
    await sync();
    expect(await readersOf("plan.md")).toEqual([]);
    // One line, as a form may send it.
    const secrets = { certificate: pem.replaceAll("\n", " ") };
    expect(await readersOf("plan.md", undefined, secrets)).toEqual(["ann", "bob"]);
    expect((await check({}, secrets)).checks.at(-1)).toMatchObject({ capability: "site groups", status: "ok" });
    tenant.scopes.delete("SharePoint Sites.FullControl.All");
    expect(await readersOf("plan.md", undefined, secrets)).toEqual([]);
    expect((await check({}, secrets)).checks.at(-1)).toMatchObject({ capability: "site groups", status: "warning" });
  });

  it("keeps what the site's groups give to somebody who has left from whoever got that one's name since", async () => {
    const { tenant } = harness.fake;
    const pem = await createCertificate();
    tenant.certificate = pem;
    const login = "i:0#.f|membership|ann@contoso.example";
    tenant.siteGroups.set(6, { title: "Members", logins: [login, "i:0#.f|membership|bob@contoso.example"] });
    await put("plan.md");
    tenant.share(tenant.require(harness.drive, "plan.md"), [grantSiteGroup("6", "Members")]);
    await sync();
    expect(await readersOf("plan.md", undefined, { certificate: pem })).toEqual(["ann", "bob"]);
    // Another Ann, with the same address: SharePoint takes her for somebody else.
    tenant.formerAccounts.set(login, tenant.users.get("ann")!.id);
    tenant.addUser("ann");
    expect(await readersOf("plan.md", undefined, { certificate: pem })).toEqual(["bob"]);
  });

  it("refuses a certificate that it cannot use, without repeating it", async () => {
    const result = await check({}, { certificate: "-----BEGIN PRIVATE KEY-----secretpart-----END PRIVATE KEY-----" });
    expect(result.error?.code).toBe("SOURCE_CREDENTIALS");
    expect(JSON.stringify(result)).not.toContain("secretpart");
    harness.fake.tenant.certificate = await createCertificate();
    const other = await check({}, { certificate: await createCertificate() });
    expect(other.error).toMatchObject({ code: "SOURCE_CREDENTIALS", details: { code: "AADSTS700027" } });
  });

  it("lets no account speak for an address of a domain that the tenant has not verified", async () => {
    const { tenant } = harness.fake;
    tenant.addUser("mallory", { mail: "ceo@victim.example", proxyAddresses: ["SMTP:ceo@victim.example"] });
    await put("plan.md");
    tenant.share(tenant.require(harness.drive, "plan.md"), [grantUser(tenant, "mallory")]);
    await sync();
    expect(await readersOf("plan.md", ["mallory"])).toEqual([]);
    expect((await directory()).heldBy("mallory@contoso.example").size).toBeGreaterThan(1);
  });

  it("does not take a host of somebody's own for Microsoft's word about a tenant", async () => {
    await put("plan.md");
    await harness.share("plan.md", [{ user: "ann" }]);
    await sync();
    const [reader] = target.documents.get(harness.refOf("plan.md"))!.item.acl!.allow;
    expect(reader?.tenant).not.toBe(harness.fake.tenant.id);
    expect(principalKey(reader!)).toContain("127.0.0.1");
  });

  it("goes on with a first listing where it was killed", async () => {
    await put(...Array.from({ length: 8 }, (_, index) => `${index}.md`));
    await target.apply(read(), { at: 8, write: "done" });
    const before = target.documents.size;
    expect(before).toBeGreaterThan(3);
    await sync();
    expect(target.documents.size).toBe(8);
    expect(target.opened).toHaveLength(8 - before);
    const listings = harness.fake.requests.filter((request) => request.endsWith("/delta")).length;
    expect(listings).toBeLessThan(5);
  });

  it("reads one permission list a changed document, besides those that it looks at again", async () => {
    await put("a.md", "b.md", "c.md");
    await sync();
    await harness.put("a.md", "Changed.");
    await sync();
    // The library's own, the changed document's, and the two others' looked at again.
    expect(permissionReads()).toBe(4);
  });

  it("reads only what the patterns name, wherever it goes", async () => {
    const filter = { include: ["guides/**"], exclude: ["*.tmp"] };
    await put("guides/a.md", "guides/deep/b.md", "guides/c.tmp", "other/d.md");
    await sync(filter);
    expect(titles()).toEqual(["a.md", "b.md"]);
    expect(target.changes.at(-1)).toMatchObject({ scanned: 2, leftOut: { excluded: 2 } });
    await harness.move("guides/deep", "other/deep");
    await harness.move("other/d.md", "guides/d.md");
    await sync(filter);
    expect(titles()).toEqual(["a.md", "d.md"]);
    // The feed names what changed alone, and what was a document is told as deleted.
    expect(target.changes.at(-1)).toMatchObject({ leftOut: { excluded: 0 } });
  });

  it("lists again when its settings change, and lets go of what they leave out", async () => {
    await put("a.md", "b.md", "c.md");
    await sync();
    await sync({ exclude: ["b.md"] });
    expect(titles()).toEqual(["a.md", "c.md"]);
    expect(target.opened).toEqual([]);
  });

  it("reads all libraries, or the chosen ones, and lets go of one that is gone", async () => {
    const { tenant } = harness.fake;
    const archive = addLibrary(harness.fake, "Archive");
    tenant.put(archive, "old.md", "Long ago.");
    await put("new.md");
    await sync();
    expect(titles()).toEqual(["new.md", "old.md"]);
    tenant.siteDriveIds.pop();
    await sync();
    expect(titles()).toEqual(["new.md"]);
    tenant.siteDriveIds.push(archive.id);
    await sync({ libraries: ["Archive"] });
    expect(titles()).toEqual(["old.md"]);
    await expect(sync({ libraries: ["Attic"] })).rejects.toMatchObject({ code: "SOURCE_NOT_FOUND" });
  });

  it("asks about a library that is gone, though it is a small part of all, and not about what a feed says is deleted", async () => {
    const { tenant } = harness.fake;
    const archive = addLibrary(harness.fake, "Archive");
    for (let index = 0; index < 50; index += 1) tenant.put(archive, `old/${index}.md`, `Long ago: ${index}.`);
    await put(...Array.from({ length: 60 }, (_, index) => `new/${index}.md`));
    tenant.share(tenant.require(archive, "old"), [grantUser(tenant, "ann")]);
    await harness.shareFolder!("new", [{ user: "ann" }]);
    await sync();
    const syncUnder = (confirmed: boolean) => {
      const { config, secrets } = harness;
      const request = { config, secrets, cursor: target.cursor, journal: target.journal(), known: target.known() };
      // Less than half of all documents go.
      return target.apply(
        sharepointConnector.read({ ...request, context: { ...context, deletions: { maxShare: 0.5, confirmed } } }),
      );
    };
    tenant.siteDriveIds.pop();
    for (let syncs = 0; syncs < 2; syncs += 1) {
      await syncUnder(false);
      expect(target.documents.size).toBe(110);
      expect(target.failures.map(({ ref, error }) => [ref, error.details?.["missing"]])).toEqual([["", 50]]);
    }
    const readers = () =>
      [...target.documents.values()]
        .filter(({ item }) => item.title === "7.md")
        .map(({ item }) => item.acl?.allow.length)
        .sort();
    expect(readers()).toEqual([0, 1]);
    tenant.siteDriveIds.push(archive.id);
    await syncUnder(false);
    // Without a word of the feed about any of them.
    expect(readers()).toEqual([1, 1]);
    expect(target.opened).toEqual([]);
    tenant.remove(archive, "old");
    await syncUnder(false);
    expect(target.failures).toEqual([]);
    expect(target.documents.size).toBe(60);
  });

  it("keeps the documents of a library that cannot be read, shown to nobody, and reads the others", async () => {
    const { tenant } = harness.fake;
    const archive = addLibrary(harness.fake, "Archive");
    tenant.put(archive, "old.md", "Long ago.");
    const old = tenant.require(archive, "old.md");
    tenant.share(old, [grantUser(tenant, "ann")]);
    const readers = () => target.documents.get(`${archive.id}/${old.id}`)?.item.acl?.allow.length;
    await put("a.md");
    await sync();
    tenant.closedDrives.add(archive.id);
    await put("b.md");
    await sync();
    expect(titles()).toEqual(["a.md", "b.md", "old.md"]);
    expect(readers()).toBe(0);
    expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([
      [`${archive.id}/`, "SOURCE_FORBIDDEN"],
    ]);
    tenant.closedDrives.clear();
    await sync();
    expect(target.failures).toEqual([]);
    expect(readers()).toBe(1);
    // The failure is over.
    expect(target.changes.filter(({ type }) => type !== "checkpoint")).toMatchObject([
      { type: "acl", ref: `${archive.id}/${old.id}` },
      { type: "delete", ref: `${archive.id}/` },
    ]);
  });

  it("says in check() what would be read", async () => {
    await put("a.md");
    const { summary, checks } = await check();
    expect(summary).toBe('"Documents" can be read and holds 1 file: a.md.');
    expect(checks.map(({ capability, status }) => `${capability} ${status}`)).toEqual([
      "read ok",
      "permissions ok",
      "changes ok",
      "people ok",
      "site groups warning",
    ]);
  });

  it("names what is missing in Microsoft's words, and repeats no secret", async () => {
    const wrong = await check({}, { clientSecret: "very-secret-value" });
    expect(wrong.error).toMatchObject({ code: "SOURCE_CREDENTIALS", details: { code: "AADSTS7000215" } });
    expect(JSON.stringify(wrong)).not.toContain("very-secret-value");
    expect((await check({ siteUrl: "https://contoso.sharepoint.example/sites/none" })).error?.code).toBe(
      "SOURCE_NOT_FOUND",
    );
    expect((await check({ tenantId: randomUUID() })).error?.code).toBe("SOURCE_CREDENTIALS");
    expect((await check({ allowPrivateHosts: false })).error?.code).toBe("SOURCE_FORBIDDEN");
    harness.fake.tenant.scopes.delete("GroupMember.Read.All");
    const people = await check();
    expect(people.error?.action).toContain("GroupMember.Read.All");
    expect(people.checks.map(({ status }) => status)).toEqual(["ok", "ok", "ok", "missing"]);
    harness.fake.tenant.scopes.delete("Sites.Read.All");
    expect((await check()).error?.action).toContain("Sites.Read.All");
  });
});

/** A private key and its certificate, signed by itself. */
async function createCertificate(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "anneal-certificate-"));
  const [key, certificate] = [join(dir, "key.pem"), join(dir, "certificate.pem")];
  try {
    const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=anneal", "-days", "1"];
    await promisify(execFile)("openssl", [...request, "-keyout", key, "-out", certificate]);
    return (await readFile(key, "utf8")) + (await readFile(certificate, "utf8"));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
