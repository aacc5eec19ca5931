import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describePermissions } from "../../conformance/describe-permissions.ts";
import { createDriveHarness, type DriveHarness } from "../../conformance/fake-microsoft/create-drive-harness.ts";
import { grantUser } from "../../conformance/fake-microsoft/fake-grants.ts";
import type { FakeMicrosoft } from "../../conformance/fake-microsoft/start-fake-microsoft.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { testContext } from "../../conformance/test-context.ts";
import { onedriveConfigSchema, type OnedriveConfig } from "./config.ts";
import { onedriveConnector } from "./onedrive-connector.ts";

const configOf = ({ tenant, graphUrl, authorityUrl }: FakeMicrosoft) =>
  onedriveConfigSchema.parse({
    tenantId: tenant.id,
    clientId: tenant.clientId,
    users: ["ann@contoso.example"],
    graphUrl,
    authorityUrl,
    allowPrivateHosts: true,
  });

const addUserDrive = ({ tenant }: FakeMicrosoft, name = "ann") => {
  const drive = tenant.addDrive(`OneDrive of ${name}`);
  tenant.userDriveIds.set(tenant.users.get(name)!.id, drive.id);
  return drive;
};

const createHarness = () =>
  createDriveHarness(onedriveConnector, {
    configOf,
    addDrive: addUserDrive,
    addMore({ fake, config }, number) {
      const { mail } = fake.tenant.addUser(`user-${number}`);
      config.users.push(mail!);
      return addUserDrive(fake, `user-${number}`);
    },
    fault: "transfer",
  });

describeConnector("onedrive", createHarness, "http");
describePermissions("onedrive", createHarness, createHarness);

describe("the OneDrives of several users", () => {
  let harness: DriveHarness<OnedriveConfig>;
  let target: MemoryTarget;
  beforeEach(async () => {
    harness = await createHarness();
    target = new MemoryTarget();
  });
  afterEach(() => harness.close());

  const context = testContext({ limits: { documentBytes: 1024 * 1024, requestTimeoutMs: 10_000 } });
  const users = ["ann@contoso.example", "bob@contoso.example"];
  const sync = (names = users) =>
    target.apply(
      onedriveConnector.read({
        config: { ...harness.config, users: names },
        secrets: harness.secrets,
        cursor: target.cursor,
        journal: target.journal(),
        known: target.known(),
        context,
      }),
    );
  const titles = () => [...target.documents.values()].map(({ item }) => item.title).sort();

  it("reads each, and keeps what it has of one that cannot be found", async () => {
    const { tenant } = harness.fake;
    tenant.put(addUserDrive(harness.fake, "bob"), "bob.md", "Bob's.");
    await harness.put("ann.md", "Ann's.");
    await sync();
    expect(titles()).toEqual(["ann.md", "bob.md"]);
    await harness.put("more.md", "Ann's too.");
    await sync();
    tenant.userDriveIds.delete(tenant.users.get("bob")!.id);
    await harness.remove("more.md");
    await sync();
    expect(titles()).toEqual(["ann.md", "bob.md"]);
    expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([
      ["bob@contoso.example/", "SOURCE_NOT_FOUND"],
    ]);
  });

  it("shows to nobody what it has of one that cannot be found, until it is found again, and reads nothing again", async () => {
    const { tenant } = harness.fake;
    const id = tenant.users.get("bob")!.id;
    const drive = addUserDrive(harness.fake, "bob");
    tenant.put(drive, "bob.md", "Bob's.");
    tenant.share(tenant.require(drive, "bob.md"), [grantUser(tenant, "bob")]);
    await harness.put("ann.md", "Ann's.");
    await harness.share("ann.md", [{ user: "ann" }]);
    await sync();
    const readers = () =>
      [...target.documents.values()].map(({ item }) => [item.title, item.acl?.allow.length !== 0]).sort();
    expect(readers()).toEqual([
      ["ann.md", true],
      ["bob.md", true],
    ]);
    for (const names of [users, users.slice(1)]) {
      tenant.userDriveIds.delete(id);
      await sync(names).catch(() => undefined);
      expect(readers()).toContainEqual(["bob.md", false]);
      tenant.userDriveIds.set(id, drive.id);
      await sync();
      expect(readers()).toContainEqual(["bob.md", true]);
      expect(target.opened).toEqual([]);
    }
  });

  it("lets go of a user's documents when the user is taken out of the settings", async () => {
    harness.fake.tenant.put(addUserDrive(harness.fake, "bob"), "bob.md", "Bob's.");
    await harness.put("ann.md", "Ann's.");
    await sync();
    await sync(users.slice(0, 1));
    expect(titles()).toEqual(["ann.md"]);
    expect(target.opened).toEqual([]);
  });

  it("says in check() which of them has no OneDrive", async () => {
    const { checks, error } = await onedriveConnector.check({ ...harness.config, users }, harness.secrets, context);
    expect(error).toBeNull();
    expect(checks.find(({ capability }) => capability === "read")).toMatchObject({
      status: "warning",
      message: expect.stringContaining("bob@contoso.example") as string,
    });
  });
});
