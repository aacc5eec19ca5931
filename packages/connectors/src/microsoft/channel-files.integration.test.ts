import { mayRead } from "@anneal/core/access/acl";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCertificate } from "../../conformance/create-certificate.ts";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describePermissions } from "../../conformance/describe-permissions.ts";
import { asAccount } from "../../conformance/fake-microsoft/as-account.ts";
import {
  createChannelFilesHarness,
  type ChannelFilesHarness,
} from "../../conformance/fake-microsoft/create-channel-files-harness.ts";
import { grantSiteGroup, grantUser } from "../../conformance/fake-microsoft/fake-grants.ts";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { progressOf } from "../../conformance/progress-of.ts";
import { testContext } from "../../conformance/test-context.ts";
import type { TeamsConfig } from "./config.ts";
import { teamsScopes } from "./delegated-scopes.ts";
import { teamsConnector } from "./teams-connector.ts";

/** The member is in none of the private channels that would be added. */
const asMember = async () => {
  const { addParts: _, ...harness } = asAccount<TeamsConfig, ChannelFilesHarness>(
    await createChannelFilesHarness(),
    teamsScopes({ messages: false, files: true }),
    { owner: true, adminConsents: ["User.Read.All", "GroupMember.Read.All"] },
  );
  joinTeam(harness, "clerk");
  return harness;
};

function joinTeam({ fake: { tenant }, teamId }: ChannelFilesHarness, ...names: string[]): void {
  const members = names.map((name) => tenant.users.get(name)!.id);
  tenant.groups.set("our team", { id: teamId, displayName: "Our team", groupTypes: ["Unified"], members, owners: [] });
}

describeConnector("teams, files of channels", createChannelFilesHarness, "http");
describePermissions("teams, files of channels", createChannelFilesHarness, createChannelFilesHarness);
describeConnector("teams, files of channels by an account", asMember, "http");
describePermissions("teams, files of channels by an account", asMember, asMember);

describe("the files of a team", () => {
  let harness: ChannelFilesHarness;
  let target: MemoryTarget;
  beforeEach(async () => {
    harness = await createChannelFilesHarness();
    target = new MemoryTarget();
  });
  afterEach(() => harness.close());

  const context = testContext({ limits: { documentBytes: 1024 * 1024, requestTimeoutMs: 10_000 } });
  const sync = async (changes: Partial<TeamsConfig> = {}) => {
    harness.fake.requests.length = 0;
    await target.apply(
      teamsConnector.read({
        config: { ...harness.config, ...changes },
        secrets: harness.secrets,
        cursor: target.cursor,
        journal: target.journal(),
        known: target.known(),
        context,
      }),
    );
  };
  const check = (changes: Partial<TeamsConfig> = {}) =>
    teamsConnector.check({ ...harness.config, ...changes }, harness.secrets, context);
  const titles = () => [...target.documents.values()].map(({ item }) => item.title).sort();
  const readersOf = async (ref: string) => {
    const { config, secrets } = harness;
    const directory = await MemoryDirectory.read(teamsConnector.readDirectory!({ config, secrets, context }));
    const acl = target.documents.get(ref)?.item.acl;
    return ["ann", "bob", "eve"].filter((name) => mayRead(acl, directory.heldBy(harness.emailOf(name))));
  };
  /** A private channel, whose files are in the root of a drive of its own. */
  const addPrivate = (name: string) => {
    const { tenant } = harness.fake;
    const drive = tenant.addDrive(name, `/sites/our-team-${name}`);
    const channel = tenant.addChannel(harness.teamId, name, "private");
    tenant.openFiles(channel, drive, "");
    return { drive, channel };
  };

  it("are those in the folders of its channels, and not what else lies in its drive", async () => {
    const { tenant } = harness.fake;
    await harness.put("plan.md", "The plan.");
    harness.addFolder("Harbour");
    tenant.put(harness.drive, "Harbour/depth.md", "Nine metres.");
    tenant.put(harness.drive, "Attic/old.md", "Long ago.");
    tenant.put(harness.drive, "loose.md", "Lost.");
    await sync();
    expect(titles()).toEqual(["depth.md", "plan.md"]);
    // What is carried out of a channel's folder is let go, and what is carried into one is read.
    tenant.move(harness.drive, "Harbour/depth.md", "Attic/depth.md");
    tenant.move(harness.drive, "loose.md", "General/loose.md");
    await sync();
    expect(titles()).toEqual(["loose.md", "plan.md"]);
    await sync();
    expect(target.opened).toEqual([]);
  });

  it("are all told of together with all threads, and not where either is followed", async () => {
    const { tenant } = harness.fake;
    for (const name of ["a.md", "b.md", "c.md"]) await harness.put(name, name);
    tenant.post(harness.channel.messages, "When is the harbour dredged?");
    await sync({ messages: true });
    expect(progressOf(target).length).toBeGreaterThan(0);
    for (const progress of progressOf(target)) expect(progress).toEqual({ total: 4, listsAll: true });
    await harness.put("d.md", "d.md");
    await sync({ messages: true, completeEveryHours: 0 });
    expect(progressOf(target).length).toBeGreaterThan(0);
    for (const { listsAll } of progressOf(target)) expect(listsAll).toBe(false);
  });

  it("stand beside the threads, in one run and under one checkpoint", async () => {
    const { tenant } = harness.fake;
    tenant.post(harness.channel.messages, "When is the harbour dredged?");
    await harness.put("plan.md", "The plan.");
    const both = { messages: true };
    await sync(both);
    expect(titles()).toEqual(["When is the harbour dredged?", "plan.md"]);
    const last = target.changes.at(-1);
    expect(last).toMatchObject({ type: "checkpoint", scanned: 2, total: 2 });
    await sync(both);
    expect(target.opened).toEqual([]);
    // The feed goes on where it was: the drive is not listed anew.
    tenant.post(harness.channel.messages, "In May.");
    await harness.put("plan.md", "Another plan.");
    await sync(both);
    expect(target.opened).toHaveLength(2);
    expect(titles()).toHaveLength(3);
    // What is chosen no longer is let go.
    await sync({ messages: true, files: false });
    expect(titles()).toEqual(["In May.", "When is the harbour dredged?"]);
    await sync();
    expect(titles()).toEqual(["plan.md"]);
  });

  it("of private channels come from drives of their own, with the permissions that those have", async () => {
    const { tenant } = harness.fake;
    const { drive } = addPrivate("Board");
    const file = tenant.put(drive, "budget.md", "The budget.");
    tenant.share(tenant.require(drive, ""), [grantUser(tenant, "bob")]);
    await harness.put("plan.md", "The plan.");
    await harness.share("plan.md", [{ user: "ann" }]);
    await sync();
    expect(await readersOf(`files/${drive.id}/${file.id}`)).toEqual(["bob"]);
    expect(await readersOf(harness.refOf("plan.md"))).toEqual(["ann"]);
  });

  it("admit the members of their site's own groups where a certificate may read them, and only of that site", async () => {
    const { tenant } = harness.fake;
    const loginOf = (name: string) => `i:0#.f|membership|${harness.emailOf(name)}`;
    const { drive } = addPrivate("Board");
    const file = tenant.put(drive, "budget.md", "The budget.");
    await harness.put("plan.md", "The plan.");
    for (const item of [file, tenant.require(harness.drive, "General/plan.md")]) {
      tenant.share(item, [grantSiteGroup("5", "Members")]);
    }
    tenant.groupsOfSites.set("/sites/our-team", new Map([[5, { title: "Members", logins: [loginOf("ann")] }]]));
    tenant.groupsOfSites.set("/sites/our-team-Board", new Map([[5, { title: "Members", logins: [loginOf("bob")] }]]));
    await sync();
    expect(await readersOf(harness.refOf("plan.md"))).toEqual([]);
    const { key, cert } = await createCertificate("anneal");
    tenant.certificate = cert;
    harness.secrets = { certificate: key + cert };
    expect(await readersOf(harness.refOf("plan.md"))).toEqual(["ann"]);
    expect(await readersOf(`files/${drive.id}/${file.id}`)).toEqual(["bob"]);
  });

  it("stay where a channel that was chosen has another name by now, and follow what becomes of them", async () => {
    const { tenant } = harness.fake;
    await harness.put("plan.md", "The plan.");
    const file = tenant.put(harness.drive, "Harbour/depth.md", "Nine metres.");
    harness.addFolder("Harbour");
    const { drive, channel: board } = addPrivate("Board");
    tenant.put(drive, "budget.md", "The budget.");
    const chosen = { channels: ["General", "Harbour", "Board"] };
    await sync(chosen);
    expect(titles()).toEqual(["budget.md", "depth.md", "plan.md"]);
    const harbour = [...tenant.teams.values()].flat().find(({ displayName }) => displayName === "Harbour")!;
    harbour.displayName = "Port";
    board.displayName = "Committee";
    tenant.put(harness.drive, "Harbour/depth.md", "Ten metres.");
    tenant.share(file, [grantUser(tenant, "bob")]);
    for (let syncs = 0; syncs < 2; syncs += 1) {
      await sync(chosen);
      expect(titles()).toEqual(["budget.md", "depth.md", "plan.md"]);
    }
    expect(target.documents.get(`files/${harness.drive.id}/${file.id}`)?.text).toBe("Ten metres.");
    expect(await readersOf(`files/${harness.drive.id}/${file.id}`)).toEqual(["bob"]);
    await sync({ channels: ["General", "Committee"] });
    expect(titles()).toEqual(["budget.md", "plan.md"]);
  });

  it("of a channel that is added or taken out of the settings come and go", async () => {
    const { tenant } = harness.fake;
    await harness.put("plan.md", "The plan.");
    tenant.put(harness.drive, "Harbour/depth.md", "Nine metres.");
    await sync();
    harness.addFolder("Harbour");
    await sync();
    expect(titles()).toEqual(["depth.md", "plan.md"]);
    await sync({ channels: ["General"] });
    expect(titles()).toEqual(["plan.md"]);
  });

  it.each(["cannot be had", "cannot be understood"])(
    "stay where a channel's folder %s, and are read of the others",
    async (what) => {
      const { tenant } = harness.fake;
      const { drive, channel } = addPrivate("Board");
      tenant.put(drive, "budget.md", "The budget.");
      await harness.put("plan.md", "The plan.");
      await sync();
      const faults = what === "cannot be had" ? tenant.brokenFolders : tenant.garbledFolders;
      faults.add(channel.id);
      await harness.put("more.md", "More.");
      await sync();
      expect(titles()).toEqual(["budget.md", "more.md", "plan.md"]);
      expect(target.failures.map(({ ref }) => ref)).toEqual([`files/${harness.teamId}/${channel.id}/`]);
      faults.clear();
      await sync();
      expect(target.failures).toEqual([]);
    },
  );

  it("stay when one of the folders in a shared drive cannot be had", async () => {
    const { tenant } = harness.fake;
    const harbour = harness.addFolder("Harbour");
    tenant.put(harness.drive, "Harbour/depth.md", "Nine metres.");
    await harness.put("plan.md", "The plan.");
    await sync();
    tenant.brokenFolders.add(harbour.id);
    await harness.remove("plan.md");
    await sync();
    expect(titles()).toEqual(["depth.md", "plan.md"]);
    tenant.brokenFolders.clear();
    await sync();
    expect(titles()).toEqual(["depth.md"]);
  });

  it("stay when Graph says that there is no folder while it is there, and go when it is gone", async () => {
    const { tenant } = harness.fake;
    const harbour = harness.addFolder("Harbour");
    tenant.put(harness.drive, "Harbour/depth.md", "Nine metres.");
    await harness.put("plan.md", "The plan.");
    await sync();
    tenant.deniedFolders.add(harbour.id);
    await sync();
    expect(titles()).toEqual(["depth.md", "plan.md"]);
    expect(target.failures.map(({ error }) => error.code)).toEqual(["SOURCE_UNREACHABLE"]);
    await sync();
    expect(titles()).toEqual(["depth.md", "plan.md"]);
    tenant.deniedFolders.clear();
    tenant.remove(harness.drive, "Harbour");
    await sync();
    expect(titles()).toEqual(["plan.md"]);
    expect(target.failures).toEqual([]);
  });

  it("are none where nobody has opened a channel's files yet", async () => {
    await harness.put("plan.md", "The plan.");
    harness.fake.tenant.addChannel(harness.teamId, "New", "standard");
    await sync();
    expect(titles()).toEqual(["plan.md"]);
    expect(target.failures).toEqual([]);
  });

  it("that may not be read leave the threads readable, with one sentence of what to grant", async () => {
    const { tenant } = harness.fake;
    harness.addFolder("Harbour");
    tenant.post(harness.channel.messages, "Hello.");
    tenant.scopes.delete("Sites.Read.All");
    await sync({ messages: true });
    expect(titles()).toEqual(["Hello."]);
    expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["", "SOURCE_FORBIDDEN"]]);
    expect(target.failures[0]?.error.action).toContain("Files.Read.All");
    const { checks, error } = await check({ messages: true });
    expect(error).toBeNull();
    expect(checks.find(({ capability }) => capability === "files")).toMatchObject({
      status: "warning",
      action: expect.stringContaining("Files.Read.All") as string,
    });
  });

  it("are shown to an account that reads them for itself, without messages that an administrator must allow", async () => {
    const account = asAccount<TeamsConfig, ChannelFilesHarness>(
      harness,
      teamsScopes({ messages: false, files: true }),
      { owner: false, adminConsents: [] },
    );
    joinTeam(harness, "clerk");
    harness = account;
    await harness.put("plan.md", "The plan.");
    await harness.share("plan.md", [{ user: "clerk" }]);
    await harness.put("other.md", "Another.");
    await harness.share("other.md", [{ user: "ann" }]);
    await sync();
    expect(titles()).toEqual(["plan.md"]);
    const { error } = await check({ messages: true });
    expect(error?.action).toContain("ChannelMessage.Read.All");
  });

  it("are counted in check(), beside the threads", async () => {
    await harness.put("plan.md", "The plan.");
    expect((await check()).summary).toBe("1 channel can be read, with 1 file: plan.md.");
    expect((await check({ messages: true })).summary).toBe(
      "1 channel can be read, with no thread to read and 1 file: plan.md.",
    );
  });
});
