import { inspect } from "node:util";
import { mayRead } from "@anneal/core/access/acl";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describePermissions } from "../../conformance/describe-permissions.ts";
import { asAccount } from "../../conformance/fake-microsoft/as-account.ts";
import { createDriveHarness, type DriveHarness } from "../../conformance/fake-microsoft/create-drive-harness.ts";
import { grantGroup, grantUser, shareLink } from "../../conformance/fake-microsoft/fake-grants.ts";
import type { FakeMicrosoft } from "../../conformance/fake-microsoft/start-fake-microsoft.ts";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { testContext } from "../../conformance/test-context.ts";
import type { RenewSecrets } from "../connector.ts";
import { onedriveConfigSchema, sharepointConfigSchema, type SharepointConfig } from "./config.ts";
import { onedriveScopes, sharepointScopes } from "./delegated-scopes.ts";
import { onedriveConnector } from "./onedrive-connector.ts";
import { sharepointConnector } from "./sharepoint-connector.ts";

const placeOf = ({ tenant, graphUrl, authorityUrl }: FakeMicrosoft) => ({
  tenantId: tenant.id,
  clientId: tenant.clientId,
  graphUrl,
  authorityUrl,
  allowPrivateHosts: true,
});

const addLibrary = ({ tenant }: FakeMicrosoft, name = "Documents") => {
  const drive = tenant.addDrive(name);
  tenant.siteDriveIds.push(drive.id);
  return drive;
};

const createSite = () =>
  createDriveHarness(sharepointConnector, {
    configOf: (fake) =>
      sharepointConfigSchema.parse({
        ...placeOf(fake),
        siteUrl: "https://contoso.sharepoint.example/sites/team",
      }),
    addDrive: addLibrary,
    addMore: ({ fake }, number) => addLibrary(fake, `Library ${number}`),
    fault: "locked",
  });

const addUserDrive = ({ tenant }: FakeMicrosoft, name = "ann") => {
  const drive = tenant.addDrive(`OneDrive of ${name}`);
  tenant.userDriveIds.set(tenant.users.get(name)!.id, drive.id);
  return drive;
};

const createOnedrive = () =>
  createDriveHarness(onedriveConnector, {
    configOf: (fake) => onedriveConfigSchema.parse({ ...placeOf(fake), users: ["ann@contoso.example"] }),
    addDrive: addUserDrive,
    addMore({ fake, config }, number) {
      const { mail } = fake.tenant.addUser(`user-${number}`);
      config.users.push(mail!);
      return addUserDrive(fake, `user-${number}`);
    },
    fault: "transfer",
  });

/** An administrator let the app read people and groups. */
const asOwner = { owner: true, adminConsents: ["User.Read.All", "GroupMember.Read.All"] };
const createOwnedSite = async () =>
  asAccount<SharepointConfig, DriveHarness<SharepointConfig>>(await createSite(), sharepointScopes, asOwner);
const createOwnedOnedrive = async () => {
  const harness = await createOnedrive();
  return asAccount<typeof harness.config, typeof harness>(harness, onedriveScopes, asOwner);
};

describeConnector("sharepoint by an account", createOwnedSite, "http");
describePermissions("sharepoint by an account", createOwnedSite, createOwnedSite);
describeConnector("onedrive by an account", createOwnedOnedrive, "http");
describePermissions("onedrive by an account", createOwnedOnedrive, createOwnedOnedrive);

describe("a site that one account may read", () => {
  let harness: DriveHarness<SharepointConfig>;
  let target: MemoryTarget;
  /** As the platform keeps them; the connector gets what was stored when the run began. */
  let stored: Record<string, string>;
  beforeEach(async () => {
    target = new MemoryTarget();
    await begin({ owner: false, adminConsents: [] });
  });
  afterEach(() => harness.close());

  async function begin(options: Parameters<typeof asAccount>[2]): Promise<void> {
    await harness?.close();
    harness = asAccount<SharepointConfig, DriveHarness<SharepointConfig>>(
      await createSite(),
      sharepointScopes,
      options,
    );
    stored = { refreshToken: harness.secrets.refreshToken! };
  }
  const renewSecrets: RenewSecrets = async (renew) => {
    stored = await renew(stored);
  };
  const context = (changes: { renewSecrets?: RenewSecrets } = {}) =>
    testContext({ limits: { documentBytes: 1024 * 1024, requestTimeoutMs: 10_000 }, renewSecrets, ...changes });
  const sync = () =>
    target.apply(
      sharepointConnector.read({
        config: harness.config,
        secrets: { ...stored },
        cursor: target.cursor,
        journal: target.journal(),
        known: target.known(),
        context: context(),
      }),
    );
  const readersOf = async (name: string) => {
    const { config } = harness;
    const entries = sharepointConnector.readDirectory!({ config, secrets: { ...stored }, context: context() });
    const directory = await MemoryDirectory.read(entries);
    const acl = target.documents.get(harness.refOf(name))?.item.acl;
    return ["ann", "bob", "eve", "clerk"].filter((each) => mayRead(acl, directory.heldBy(harness.emailOf(each))));
  };
  const share = async (name: string, ...permissions: ReturnType<typeof grantUser>[]) => {
    await harness.put(name, `About ${name}.`);
    harness.fake.tenant.share(harness.fake.tenant.require(harness.drive, name), permissions);
  };
  const titles = () => [...target.documents.values()].map(({ item }) => item.title).sort();
  const errorOf = (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error: unknown) => error,
    );

  it("reads what the account may see and nothing else, for the account and whom it is told of", async () => {
    const { tenant } = harness.fake;
    await harness.setGroup("board", ["bob", "clerk"]);
    await share("mine.md", grantUser(tenant, "clerk"));
    await share("ours.md", grantUser(tenant, "clerk"), grantUser(tenant, "ann"), grantGroup(tenant, "board"));
    await share("theirs.md", grantUser(tenant, "ann"));
    await share("everybody.md", shareLink("organization"));
    await sync();
    expect(titles()).toEqual(["everybody.md", "mine.md", "ours.md"]);
    expect(await readersOf("mine.md")).toEqual(["clerk"]);
    // Who else may read it is told to its owners alone, and who is in a group to nobody without a right of its own.
    expect(await readersOf("ours.md")).toEqual(["clerk"]);
    // Who is a member of the organization is not known, and so nobody is taken for one.
    expect(await readersOf("everybody.md")).toEqual(["clerk"]);
  });

  it("knows other people, members of groups and everybody inside once an administrator consents to it", async () => {
    await begin({ owner: true, adminConsents: [] });
    const { tenant, entra } = harness.fake;
    await harness.setGroup("board", ["bob"]);
    await share("ours.md", grantUser(tenant, "ann"), grantGroup(tenant, "board"));
    await share("everybody.md", shareLink("organization"));
    await sync();
    tenant.users.get("eve")!.accountEnabled = false;
    // That ann is not disabled is not known.
    expect(await readersOf("ours.md")).toEqual(["clerk"]);
    expect(await readersOf("everybody.md")).toEqual(["clerk"]);
    entra.adminConsents.add("User.Read.All");
    expect(await readersOf("ours.md")).toEqual(["ann", "clerk"]);
    expect(await readersOf("everybody.md")).toEqual(["ann", "bob", "clerk"]);
    entra.adminConsents.add("GroupMember.Read.All");
    expect(await readersOf("ours.md")).toEqual(["ann", "bob", "clerk"]);
  });

  it("takes a listing that leaves out who is disabled for none, and says so in check()", async () => {
    await begin({ owner: true, adminConsents: ["User.ReadBasic.All", "GroupMember.Read.All"] });
    const { tenant, entra } = harness.fake;
    await share("ours.md", grantUser(tenant, "ann"), grantUser(tenant, "eve"));
    await share("everybody.md", shareLink("organization"));
    tenant.users.get("eve")!.accountEnabled = false;
    await sync();
    expect(await readersOf("ours.md")).toEqual(["clerk"]);
    expect(await readersOf("everybody.md")).toEqual(["clerk"]);
    const people = async () => {
      const { checks } = await sharepointConnector.check(harness.config, { ...stored }, context());
      return checks.find(({ capability }) => capability === "people");
    };
    expect(await people()).toMatchObject({
      status: "warning",
      message: expect.stringContaining("User.Read.All") as string,
    });
    entra.adminConsents.add("User.Read.All");
    expect(await readersOf("ours.md")).toEqual(["ann", "clerk"]);
    expect(await people()).toMatchObject({ status: "ok" });
  });

  it("shows nobody what the account may not see any more", async () => {
    const { tenant } = harness.fake;
    await share("mine.md", grantUser(tenant, "clerk"));
    await share("other.md", grantUser(tenant, "clerk"));
    await sync();
    expect(await readersOf("mine.md")).toEqual(["clerk"]);
    await share("mine.md", grantUser(tenant, "ann"));
    await sync();
    expect(await readersOf("mine.md")).toEqual([]);
    expect(await readersOf("other.md")).toEqual(["clerk"]);
  });

  it("goes on with the refresh token that was stored last, also where an exchanged one is refused", async () => {
    harness.fake.entra.refusesExchanged = true;
    const { tenant } = harness.fake;
    const first = stored.refreshToken;
    await share("mine.md", grantUser(tenant, "clerk"));
    await sync();
    expect(stored.refreshToken).not.toBe(first);
    // The next access token is refused, and another one is had in the middle of the run.
    tenant.firstValidToken = harness.fake.entra.exchanges + 2;
    await share("more.md", grantUser(tenant, "clerk"));
    await sync();
    expect(titles()).toEqual(["mine.md", "more.md"]);
    expect(await readersOf("more.md")).toEqual(["clerk"]);
  });

  it("uses no access token before the refresh token that came with it is stored", async () => {
    await share("mine.md", grantUser(harness.fake.tenant, "clerk"));
    harness.fake.requests.length = 0;
    const failing = context({
      renewSecrets: async (renew) => {
        await renew(stored);
        throw new Error("the database is gone");
      },
    });
    const { config } = harness;
    const stream = sharepointConnector.read({
      config,
      secrets: { ...stored },
      cursor: null,
      known: target.known(),
      context: failing,
    });
    expect(await errorOf(target.apply(stream))).toMatchObject({ message: "the database is gone" });
    expect(harness.fake.requests).toEqual([]);
  });

  it.each(["revoked", "expired"] as const)(
    "says that the sign-in is %s and what to do, deletes nothing, and goes on after another sign-in",
    async (state) => {
      const { tenant, entra } = harness.fake;
      await share("mine.md", grantUser(tenant, "clerk"));
      await sync();
      entra.endGrants(state);
      await harness.remove("mine.md");
      const error = await errorOf(sync());
      expect(error).toMatchObject({
        code: "SOURCE_CREDENTIALS",
        message: expect.stringMatching(/^The sign-in has expired or was revoked \(AADSTS\d+\)\.$/) as string,
        action: expect.stringMatching(/^Sign in again/) as string,
        retryable: false,
      });
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(stored.refreshToken);
      expect(titles()).toEqual(["mine.md"]);
      const check = await sharepointConnector.check(harness.config, { ...stored }, context());
      expect(check.error?.code).toBe("SOURCE_CREDENTIALS");
      stored = { refreshToken: entra.signIn("clerk", sharepointScopes) };
      await sync();
      expect(titles()).toEqual([]);
    },
  );

  it("says that nobody has signed in, where an application's secret is all there is", async () => {
    const secrets = { clientSecret: harness.fake.tenant.clientSecret };
    const { error } = await sharepointConnector.check(harness.config, secrets, testContext());
    expect(error).toMatchObject({ code: "SOURCE_CREDENTIALS", message: "Nobody has signed in for this source." });
    const application = { ...harness.config, permission: "application" as const };
    const other = await sharepointConnector.check(application, { ...stored }, testContext());
    expect(other.error?.action).toContain("client secret or a certificate");
  });

  it("lists everything again for another account, and reads nothing twice", async () => {
    const { tenant, entra } = harness.fake;
    await share("mine.md", grantUser(tenant, "clerk"), grantUser(tenant, "ann"));
    await share("hers.md", grantUser(tenant, "ann"));
    await sync();
    stored = { refreshToken: entra.signIn("ann", sharepointScopes) };
    await sync();
    expect(titles()).toEqual(["hers.md", "mine.md"]);
    expect(target.opened).toEqual([harness.refOf("hers.md")]);
  });

  const ids = () => {
    const { users } = harness.fake.tenant;
    return { clerk: users.get("clerk")!.id, ann: users.get("ann")!.id };
  };
  it.each([
    {
      by: "the ID, though the name is the same",
      clerk: () => ({ account: "shared name", accountId: ids().clerk }),
      ann: () => ({ account: "shared name", accountId: ids().ann }),
    },
    {
      by: "the name, where the ID was not kept yet",
      clerk: () => ({ account: "clerk@contoso.example" }),
      ann: () => ({ account: "ann@contoso.example", accountId: ids().ann }),
    },
  ])("ends once another account has signed in, which it tells by $by, and reads nothing as that one", async (each) => {
    const { tenant, entra } = harness.fake;
    for (let count = 1; count <= 6; count += 1) await share(`mine-${count}.md`, grantUser(tenant, "clerk"));
    await share("hers.md", grantUser(tenant, "ann"));
    stored = { refreshToken: stored.refreshToken!, ...each.clerk() };
    const seen: string[] = [];
    const read = async () => {
      for await (const change of sharepointConnector.read({
        config: harness.config,
        secrets: { ...stored },
        cursor: null,
        known: target.known(),
        context: context(),
      })) {
        if (change.type !== "upsert") continue;
        seen.push(change.item.title ?? "");
        if (seen.length > 1) continue;
        stored = { refreshToken: entra.signIn("ann", sharepointScopes), ...each.ann() };
        tenant.firstValidToken = entra.exchanges + 1;
      }
    };
    expect(await errorOf(read())).toMatchObject({
      code: "CONFLICT",
      message: "Another account has signed in for the source while it was read.",
      retryable: true,
    });
    expect(seen).toContain("mine-1.md");
    expect(seen).not.toContain("hers.md");
    // The next one begins anew, as the other.
    await sync();
    expect(titles()).toEqual(["hers.md"]);
    expect(await readersOf("hers.md")).toEqual(["ann"]);
  });

  it("goes on where the same account has signed in again during a run", async () => {
    const { tenant, entra } = harness.fake;
    for (let count = 1; count <= 6; count += 1) await share(`mine-${count}.md`, grantUser(tenant, "clerk"));
    stored = { refreshToken: stored.refreshToken!, account: "clerk", accountId: ids().clerk };
    const seen: string[] = [];
    for await (const change of sharepointConnector.read({
      config: harness.config,
      secrets: { ...stored },
      cursor: null,
      known: target.known(),
      context: context(),
    })) {
      if (change.type !== "upsert") continue;
      seen.push(change.item.title ?? "");
      if (seen.length > 1) continue;
      const refreshToken = entra.signIn("clerk", sharepointScopes);
      stored = { refreshToken, account: "renamed", accountId: ids().clerk };
      tenant.firstValidToken = entra.exchanges + 1;
    }
    expect(seen).toHaveLength(6);
  });

  it("names in check() what is not known, and the delegated permissions that would tell", async () => {
    await share("mine.md", grantUser(harness.fake.tenant, "clerk"));
    const { checks, summary, error } = await sharepointConnector.check(harness.config, { ...stored }, context());
    expect(error).toBeNull();
    expect(summary).toBe('"Documents" can be read and holds 1 file: mine.md.');
    expect(checks.map(({ capability, status }) => `${capability} ${status}`)).toEqual([
      "read ok",
      "permissions warning",
      "changes warning",
      "people warning",
      "site groups warning",
    ]);
    const people = checks.find(({ capability }) => capability === "people")?.message;
    expect(people).toContain("GroupMember.Read.All");
    expect(people).toContain("User.Read.All");
    stored = { refreshToken: harness.fake.entra.signIn("eve", ["User.Read"]) };
    const refused = await sharepointConnector.check(harness.config, { ...stored }, context());
    expect(refused.error?.action).toContain("delegated permission Files.Read.All, and Sites.Read.All for a site");
  });
});
