import { randomUUID } from "node:crypto";
import { mayRead } from "@anneal/core/access/acl";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describePermissions } from "../../conformance/describe-permissions.ts";
import { asAccount } from "../../conformance/fake-microsoft/as-account.ts";
import { createTeamsHarness, type TeamsHarness } from "../../conformance/fake-microsoft/create-teams-harness.ts";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { testContext } from "../../conformance/test-context.ts";
import type { TeamsConfig } from "./config.ts";
import { teamsScopes } from "./delegated-scopes.ts";
import { teamsConnector } from "./teams-connector.ts";

describeConnector("teams", createTeamsHarness, "http");
describePermissions("teams", createTeamsHarness, createTeamsHarness);

/** An administrator let the app read messages, people and groups. */
const createTeamsOfAccount = async () => {
  const harness = asAccount<TeamsConfig, TeamsHarness>(
    await createTeamsHarness(),
    teamsScopes({ messages: true, files: false }),
    {
      owner: false,
      adminConsents: ["ChannelMessage.Read.All", "ChannelMember.Read.All", "User.Read.All", "GroupMember.Read.All"],
    },
  );
  harness.config.files = false;
  return harness;
};
describeConnector("teams by an account", createTeamsOfAccount, "http");
describePermissions("teams by an account", createTeamsOfAccount, createTeamsOfAccount);

describe("a team", () => {
  let harness: TeamsHarness;
  let target: MemoryTarget;
  beforeEach(async () => {
    harness = await createTeamsHarness();
    target = new MemoryTarget();
  });
  afterEach(() => harness.close());

  const context = testContext({ limits: { documentBytes: 1024 * 1024, requestTimeoutMs: 10_000 } });
  const sync = (changes: Partial<TeamsConfig> = {}) =>
    target.apply(
      teamsConnector.read({
        config: { ...harness.config, ...changes },
        secrets: harness.secrets,
        cursor: target.cursor,
        journal: target.journal(),
        known: target.known(),
        context,
      }),
    );
  const check = () => teamsConnector.check(harness.config, harness.secrets, context);
  const titles = () => [...target.documents.values()].map(({ item }) => item.title).sort();
  const only = () => [...target.documents.values()][0]!;
  const readers = async () => {
    const { config, secrets } = harness;
    const directory = await MemoryDirectory.read(teamsConnector.readDirectory!({ config, secrets, context }));
    return ["ann", "bob", "eve", "clerk"].filter((name) =>
      mayRead(only().item.acl, directory.heldBy(harness.emailOf(name))),
    );
  };

  it("makes one document of a thread, with every reply, and reads it again when somebody replies", async () => {
    const { tenant } = harness.fake;
    tenant.feedNames = "replies";
    const channel = tenant.addChannel(harness.teamId, "General", "standard");
    const thread = tenant.post(channel.messages, "When is the harbour dredged?");
    for (const text of ["In May.", "In the second half.", "Not at night.", "<b>Who</b> asks?"]) {
      tenant.post(thread.replies, text);
    }
    tenant.post(channel.messages, "<systemEventMessage/>", { messageType: "unknownFutureValue" });
    await sync();
    expect(titles()).toEqual(["When is the harbour dredged?"]);
    expect(only().text).toContain("In the second half.");
    expect(only().text).toContain("&lt;b&gt;Who");
    await sync();
    expect(target.opened).toEqual([]);
    tenant.post(thread.replies, "The master does.");
    await sync();
    expect(target.opened).toHaveLength(1);
    expect(only().text).toContain("The master does.");
  });

  it("leaves out what was deleted, and keeps a thread as long as one message is left", async () => {
    const { tenant } = harness.fake;
    tenant.feedNames = "replies";
    const channel = tenant.addChannel(harness.teamId, "General", "standard");
    const thread = tenant.post(channel.messages, "First.", { deletedDateTime: "2026-02-01T00:00:00Z" });
    const reply = tenant.post(thread.replies, "Second.");
    await sync();
    expect(only().text).not.toContain("First.");
    tenant.deleteMessage(reply);
    await sync();
    expect(target.documents.size).toBe(0);
  });

  it("leaves out what a loss-prevention policy keeps from its readers, and takes it out when it begins to", async () => {
    const { tenant } = harness.fake;
    tenant.feedNames = "replies";
    const channel = tenant.addChannel(harness.teamId, "General", "standard");
    const thread = tenant.post(channel.messages, "Pay it with the card.");
    const blocked = tenant.post(thread.replies, "4111 1111 1111 1111", {
      policyViolation: { dlpAction: "notifySender,blockAccess" },
    });
    tenant.post(thread.replies, "Thanks.", { policyViolation: { dlpAction: "notifySender" } });
    tenant.post(thread.replies, "Not for guests.", { policyViolation: { dlpAction: "blockAccessExternal" } });
    await sync();
    expect(only().text).not.toContain("4111");
    for (const said of ["Pay it", "Thanks.", "Not for guests."]) expect(only().text).toContain(said);
    tenant.revise(blocked, { policyViolation: null });
    await sync();
    expect(only().text).toContain("4111");
    tenant.revise(blocked, { policyViolation: { dlpAction: "blockAccess" } });
    await sync();
    expect(only().text).not.toContain("4111");
  });

  it("shows a standard channel to its team, and follows the team", async () => {
    const { tenant } = harness.fake;
    const [ann, bob] = ["ann", "bob"].map((name) => tenant.users.get(name)!.id);
    const team = { id: harness.teamId, displayName: "Team", groupTypes: ["Unified"], members: [ann!], owners: [ann!] };
    tenant.groups.set("team", team);
    tenant.post(tenant.addChannel(harness.teamId, "General", "standard").messages, "Hello.");
    await sync();
    expect(await readers()).toEqual(["ann"]);
    team.members = [bob!];
    expect(await readers()).toEqual(["bob"]);
  });

  it("takes nobody of another tenant for one of this tenant's own, in a shared channel", async () => {
    const { tenant } = harness.fake;
    const members = [
      { userId: tenant.users.get("ann")!.id, tenantId: tenant.id },
      { userId: tenant.users.get("bob")!.id, tenantId: randomUUID() },
    ];
    tenant.post(tenant.addChannel(harness.teamId, "Partners", "shared", members).messages, "Hello.");
    await sync();
    expect(await readers()).toEqual(["ann"]);
  });

  it("shows a private channel whose members it may not see to nobody", async () => {
    await harness.put("plan.md", "The plan.");
    await harness.share("plan.md", [{ user: "ann" }]);
    await sync();
    expect(await readers()).toEqual(["ann"]);
    harness.fake.tenant.scopes.delete("ChannelMember.Read.All");
    expect(await readers()).toEqual([]);
  });

  it("shows threads to the account that reads them, and to nobody whose membership it is not told", async () => {
    const { tenant, entra } = harness.fake;
    harness = asAccount<TeamsConfig, TeamsHarness>(harness, ["Channel.ReadBasic.All", "User.Read"], {
      owner: false,
      adminConsents: ["ChannelMessage.Read.All"],
    });
    const members = ["ann", "clerk"].map((name) => tenant.users.get(name)!.id);
    const team = { id: harness.teamId, displayName: "Team", groupTypes: ["Unified"], members, owners: [] };
    tenant.groups.set("team", team);
    harness.config = { ...harness.config, files: false };
    tenant.post(tenant.addChannel(harness.teamId, "General", "standard").messages, "Hello.");
    tenant.post(tenant.addChannel(harness.teamId, "Board", "private").messages, "Not for clerk.");
    await sync();
    expect(titles()).toEqual(["Hello."]);
    expect(await readers()).toEqual(["clerk"]);
    entra.adminConsents.add("GroupMember.Read.All").add("User.Read.All");
    expect(await readers()).toEqual(["ann", "clerk"]);
  });

  it("keeps the threads of a channel that cannot be read, and reads the others", async () => {
    const { tenant } = harness.fake;
    const one = tenant.addChannel(harness.teamId, "One", "standard");
    tenant.post(one.messages, "In one.");
    tenant.post(tenant.addChannel(harness.teamId, "Two", "standard").messages, "In two.");
    await sync();
    tenant.brokenChannels.add(one.id);
    tenant.post(tenant.addChannel(harness.teamId, "Three", "standard").messages, "In three.");
    await sync();
    expect(titles()).toEqual(["In one.", "In three.", "In two."]);
    expect(target.failures.map(({ ref }) => ref)).toEqual([`${harness.teamId}/${one.id}/`]);
    tenant.brokenChannels.clear();
    await sync({ channels: ["One"] });
    expect(titles()).toEqual(["In one."]);
  });

  it("keeps the threads of a channel that was chosen and has another name by now, which it says, and shows them to nobody", async () => {
    const { tenant } = harness.fake;
    const members = [tenant.users.get("ann")!.id];
    tenant.groups.set("team", {
      id: harness.teamId,
      displayName: "Team",
      groupTypes: ["Unified"],
      members,
      owners: [],
    });
    const one = tenant.addChannel(harness.teamId, "One", "standard");
    tenant.post(one.messages, "In one.");
    tenant.post(tenant.addChannel(harness.teamId, "Two", "standard").messages, "In two.");
    const audiences = () =>
      Object.fromEntries([...target.documents.values()].map(({ item }) => [item.title, item.acl!.allow.length]));
    await sync({ channels: ["One", "Two"] });
    expect(audiences()).toEqual({ "In one.": 1, "In two.": 1 });
    one.displayName = "Uno";
    for (let syncs = 0; syncs < 2; syncs += 1) {
      await sync({ channels: ["One", "Two"] });
      expect(audiences()).toEqual({ "In one.": 0, "In two.": 1 });
      const message = expect.stringContaining('no channel "One"');
      expect(target.failures).toMatchObject([{ ref: "channels/One/", error: { code: "SOURCE_NOT_FOUND", message } }]);
    }
    await sync({ channels: ["Uno", "Two"] });
    expect(audiences()).toEqual({ "In one.": 1, "In two.": 1 });
    expect(target.failures).toEqual([]);
    await expect(sync({ channels: ["One"] })).rejects.toMatchObject({ code: "SOURCE_NOT_FOUND" });
    expect(audiences()).toEqual({ "In one.": 0, "In two.": 0 });
  });

  it("keeps the threads of a channel whose listing cannot be understood, and reads the others, unless there are none", async () => {
    const { tenant } = harness.fake;
    const one = tenant.addChannel(harness.teamId, "One", "standard");
    const thread = tenant.post(one.messages, "In one.");
    tenant.post(tenant.addChannel(harness.teamId, "Two", "standard").messages, "In two.");
    await sync({ completeEveryHours: 0 });
    tenant.garbled.add(one.id);
    tenant.purge(one, thread);
    tenant.post(tenant.addChannel(harness.teamId, "Three", "standard").messages, "In three.");
    await sync({ completeEveryHours: 0 });
    expect(titles()).toEqual(["In one.", "In three.", "In two."]);
    const message = expect.stringMatching(/^Microsoft Graph sent an answer that cannot be understood \(value\.0\.id: /);
    expect(target.failures).toMatchObject([{ ref: `${harness.teamId}/${one.id}/`, error: { message } }]);
    await expect(sync({ completeEveryHours: 0, channels: ["One"] })).rejects.toMatchObject({ message });
    tenant.garbled.clear();
    await sync({ completeEveryHours: 0 });
    expect(titles()).toEqual(["In three.", "In two."]);
  });

  it("keeps what is in a team whose channels cannot be understood, and reads the others", async () => {
    const { tenant } = harness.fake;
    const one = tenant.addChannel(harness.teamId, "One", "standard");
    tenant.post(one.messages, "In one.");
    const otherTeamId = randomUUID();
    tenant.teams.set(otherTeamId, []);
    const two = tenant.addChannel(otherTeamId, "Two", "standard");
    tenant.post(two.messages, "In two.");
    const teams = [harness.teamId, otherTeamId];
    await sync({ teams, files: false });
    expect(titles()).toEqual(["In one.", "In two."]);
    tenant.garbled.add(harness.teamId);
    tenant.post(two.messages, "In two as well.");
    await sync({ teams, files: false });
    expect(titles()).toEqual(["In one.", "In two as well.", "In two."]);
    const message = expect.stringMatching(/^Microsoft Graph sent an answer that cannot be understood \(value\.0\.id: /);
    expect(target.failures).toMatchObject([{ ref: `${harness.teamId}/`, error: { message } }]);
    tenant.garbled.clear();
    await sync({ teams, files: false });
    expect(titles()).toEqual(["In one.", "In two as well.", "In two."]);
    expect(target.failures).toEqual([]);
  });

  it("says in check() what would be read, and what to grant", async () => {
    const { tenant } = harness.fake;
    tenant.post(tenant.addChannel(harness.teamId, "General", "standard").messages, "Hello.");
    expect((await check()).summary).toBe("1 channel can be read, with 1 thread: “Hello.” and no file to read.");
    tenant.scopes.delete("ChannelMessage.Read.All");
    expect((await check()).error?.action).toContain("ChannelMessage.Read.All");
  });
});
