import { mayRead } from "@anneal/core/access/acl";
import { describe, expect, it } from "vitest";
import type { PermissionHarness } from "../../conformance/describe-permissions.ts";
import { createChannelFilesHarness } from "../../conformance/fake-microsoft/create-channel-files-harness.ts";
import { createDriveHarness } from "../../conformance/fake-microsoft/create-drive-harness.ts";
import { shareLink } from "../../conformance/fake-microsoft/fake-grants.ts";
import type { FakeDrive } from "../../conformance/fake-microsoft/fake-tenant.ts";
import type { FakeMicrosoft } from "../../conformance/fake-microsoft/start-fake-microsoft.ts";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { testContext } from "../../conformance/test-context.ts";
import { onedriveConfigSchema, sharepointConfigSchema, type LinkSharing, type MicrosoftSecrets } from "./config.ts";
import { onedriveConnector } from "./onedrive-connector.ts";
import { sharepointConnector } from "./sharepoint-connector.ts";

const tenantOf = ({ tenant, graphUrl, authorityUrl }: FakeMicrosoft) => ({
  tenantId: tenant.id,
  clientId: tenant.clientId,
  graphUrl,
  authorityUrl,
  allowPrivateHosts: true,
});

const createSharepoint = () =>
  createDriveHarness(sharepointConnector, {
    configOf: (fake) =>
      sharepointConfigSchema.parse({ ...tenantOf(fake), siteUrl: "https://contoso.sharepoint.example/sites/team" }),
    addDrive({ tenant }) {
      const drive = tenant.addDrive("Documents");
      tenant.siteDriveIds.push(drive.id);
      return drive;
    },
    fault: "locked",
  });

const createOnedrive = () =>
  createDriveHarness(onedriveConnector, {
    configOf: (fake) => onedriveConfigSchema.parse({ ...tenantOf(fake), users: ["ann@contoso.example"] }),
    addDrive({ tenant }) {
      const drive = tenant.addDrive("OneDrive of ann");
      tenant.userDriveIds.set(tenant.users.get("ann")!.id, drive.id);
      return drive;
    },
    fault: "transfer",
  });

type Harness = PermissionHarness<LinkSharing, MicrosoftSecrets> & { fake: FakeMicrosoft; drive: FakeDrive };

describe.each([
  ["SharePoint", createSharepoint],
  ["OneDrive", createOnedrive],
  ["the files of a team", createChannelFilesHarness],
] as const)("links in %s", (_, createHarness) => {
  const start = async () => {
    // What is set here is the one setting that all three have.
    const harness = (await createHarness()) as unknown as Harness;
    const target = new MemoryTarget();
    const context = testContext();
    const { connector, secrets } = harness;
    const configOf = (linkSharing?: LinkSharing["linkSharing"]) =>
      linkSharing === undefined ? harness.config : { ...harness.config, linkSharing };
    const sync = async (linkSharing?: LinkSharing["linkSharing"]) => {
      const { cursor } = target;
      const config = configOf(linkSharing);
      const position = { cursor, journal: target.journal(), known: target.known() };
      await target.apply(connector.read({ config, secrets, ...position, context }));
    };
    const readersOf = async (name: string) => {
      const directory = await MemoryDirectory.read(connector.readDirectory!({ config: configOf(), secrets, context }));
      const acl = target.documents.get(harness.refOf(name))?.item.acl;
      const people = ["ann", "bob", "eve"].filter((person) => mayRead(acl, directory.heldBy(harness.emailOf(person))));
      // Somebody whom the tenant does not know.
      return mayRead(acl, directory.heldBy("stranger@elsewhere.example")) ? [...people, "anybody"] : people;
    };
    const permissions = async (linkSharing?: LinkSharing["linkSharing"]) =>
      (await connector.check(configOf(linkSharing), secrets, context)).checks
        .filter(({ capability }) => capability === "permissions")
        .map(({ message }) => message)
        .join(" ");
    return { ...harness, target, sync, readersOf, permissions };
  };

  it("that anyone may open admit everybody, unless the source says nobody; those named on them always read", async () => {
    const { put, share, sync, readersOf, target, close } = await start();
    try {
      await put("plan.md", "The plan.");
      await share("plan.md", ["anyone", { user: "bob" }]);
      await sync();
      expect(await readersOf("plan.md")).toEqual(["ann", "bob", "eve", "anybody"]);
      await sync("nobody");
      expect(await readersOf("plan.md")).toEqual(["bob"]);
      expect(target.opened).toEqual([]);
      await sync("everyone");
      expect(await readersOf("plan.md")).toEqual(["ann", "bob", "eve", "anybody"]);
    } finally {
      await close();
    }
  });

  it("that all of the organization may open do the same for its own people", async () => {
    const { fake, drive, put, refOf, sync, readersOf, close } = await start();
    try {
      await put("plan.md", "The plan.");
      const item = [...drive.items.values()].find(({ id }) => refOf("plan.md").endsWith(id))!;
      fake.tenant.share(item, [shareLink("organization")]);
      await sync();
      expect(await readersOf("plan.md")).toEqual(["ann", "bob", "eve"]);
      await sync("nobody");
      expect(await readersOf("plan.md")).toEqual([]);
    } finally {
      await close();
    }
  });

  it("that ask for files show nobody what others have put there", async () => {
    const { fake, drive, put, refOf, sync, readersOf, close } = await start();
    try {
      await put("plan.md", "The plan.");
      const item = [...drive.items.values()].find(({ id }) => refOf("plan.md").endsWith(id))!;
      for (const scope of ["anonymous", "organization"]) {
        const request = shareLink(scope, [], { roles: ["write"], link: { scope, type: "createOnly" } });
        // What lies in a folder has the folder's permissions.
        fake.tenant.share(drive.items.get(item.parentId!)!, [request]);
        await sync();
        expect(await readersOf("plan.md"), scope).toEqual([]);
      }
    } finally {
      await close();
    }
  });

  it("are told of in check()", async () => {
    const { permissions, close } = await start();
    try {
      expect(await permissions()).toContain("anyone with its link may open is found by everybody here");
      expect(await permissions("nobody")).toContain("found only by those who are named on it");
    } finally {
      await close();
    }
  });
});
