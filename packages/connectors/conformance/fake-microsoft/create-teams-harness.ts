import { randomUUID } from "node:crypto";
import { teamsConfigSchema, type MicrosoftSecrets, type TeamsConfig } from "../../src/microsoft/config.ts";
import { teamsConnector } from "../../src/microsoft/teams-connector.ts";
import type { PermissionHarness } from "../describe-permissions.ts";
import { accountName } from "./as-account.ts";
import type { FakeChannel, FakeMessage } from "./fake-tenant.ts";
import { startFakeMicrosoft, type FakeMicrosoft } from "./start-fake-microsoft.ts";

export type TeamsHarness = PermissionHarness<TeamsConfig, MicrosoftSecrets> & { fake: FakeMicrosoft; teamId: string };

type Thread = { teamId: string; channel: FakeChannel; message: FakeMessage };

/**
 * Teams of a fresh tenant. Each document is a thread in a channel of its own: a private one, which has the people as
 * members that it is shared with, or a standard one of the team that it is shared with.
 */
export async function createTeamsHarness(): Promise<TeamsHarness> {
  const fake = await startFakeMicrosoft();
  const { tenant } = fake;
  for (const name of ["ann", "bob", "eve"]) tenant.addUser(name);
  const teamId = randomUUID();
  tenant.teams.set(teamId, []);
  const config = teamsConfigSchema.parse({
    tenantId: tenant.id,
    clientId: tenant.clientId,
    teams: [teamId],
    graphUrl: fake.graphUrl,
    authorityUrl: fake.authorityUrl,
    allowPrivateHosts: true,
  });
  const threads = new Map<string, Thread>();
  const requireThread = (name: string) => {
    const thread = threads.get(name);
    if (thread === undefined) throw new Error(`there is no thread "${name}"`);
    return thread;
  };
  const idOf = (person: string) => {
    const user = tenant.users.get(person);
    if (user === undefined) throw new Error(`there is no "${person}"`);
    return user.id;
  };
  /** An account that reads is a member of whatever it reads. */
  const withReader = (ids: string[]) => {
    const reader = tenant.users.get(accountName)?.id;
    return reader === undefined ? ids : [...ids, reader];
  };
  const membersOf = (ids: string[]) => withReader(ids).map((userId) => ({ userId, tenantId: tenant.id }));
  const setTeam = (name: string, id: string, ids: string[]) => {
    const members = withReader(ids);
    tenant.groups.set(name, { id, displayName: name, groupTypes: ["Unified"], members, owners: [] });
  };
  const begin = (name: string, text: string, teamOf: string, channel: FakeChannel) => {
    threads.set(name, { teamId: teamOf, channel, message: tenant.post(channel.messages, text, { subject: name }) });
  };
  const put = (name: string, text: string) => {
    // An account's own team is there once it has signed in, which is after the harness was made.
    if (!tenant.groups.has("own")) setTeam("own", teamId, []);
    const found = threads.get(name);
    if (found === undefined)
      return begin(name, text, teamId, tenant.addChannel(teamId, name, "private", membersOf([])));
    if (found.message.deletedDateTime !== null) return begin(name, text, found.teamId, found.channel);
    tenant.revise(found.message, { body: { ...found.message.body, content: text } });
  };
  const remove = (name: string) => tenant.deleteMessage(requireThread(name).message);

  return {
    fake,
    teamId,
    connector: teamsConnector,
    config,
    secrets: { clientSecret: tenant.clientSecret },
    refOf(name) {
      const thread = threads.get(name);
      return thread === undefined ? `${teamId}/none` : `${thread.teamId}/${thread.channel.id}/${thread.message.id}`;
    },
    put: async (name, text) => put(name, text),
    remove: async (name) => remove(name),
    async move(from, to) {
      // Nobody can move a message; what comes nearest is to write it again elsewhere.
      put(to, requireThread(from).message.body.content);
      remove(from);
    },
    async addParts(count) {
      for (let number = 0; number < count; number += 1) put(`part ${number}`, `Of channel ${number}.`);
    },
    async breakItem(name) {
      // A thread comes with its list; its size stops it.
      const { content } = requireThread(name).message.body;
      put(name, "x".repeat(2 * 1024 ** 2));
      return async () => put(name, content);
    },
    async vanish() {
      tenant.vanished = true;
      return async () => void (tenant.vanished = false);
    },
    setClock: async (aheadMs) => void (tenant.aheadMs = aheadMs),
    remote: {
      trouble: fake.trouble,
      expireToken: () => fake.expireTokens(),
      staleCursor(status) {
        tenant.staleStatus = status;
        tenant.expireFeeds();
      },
      tellsReaders: /\/channels\/[^?]*\/members/,
      tellsMembers: /\/(groups|channels)\/[^?]*\/(members|owners)/,
      tellsGroups: /\/channels(\?|$)/,
      aboutAll: /\/token|\/channels(\?|$)|\/me\?/,
    },
    close: () => fake.stop(),

    emailOf: (person) => tenant.users.get(person)?.mail ?? "",
    async setGroup(name, members) {
      const known = tenant.groups.get(name);
      const id = known?.id ?? randomUUID();
      if (known === undefined) {
        tenant.teams.set(id, []);
        config.teams.push(id);
      }
      setTeam(name, id, members.map(idOf));
    },
    async share(name, allow) {
      const thread = requireThread(name);
      const [first] = allow;
      if (first !== undefined && first !== "anyone" && "group" in first) {
        const team = tenant.groups.get(first.group);
        if (team === undefined || allow.length > 1) throw new Error("a thread is in a channel of one team");
        // Said there from the beginning, as nobody can move it.
        const text = thread.message.body.content;
        tenant.purge(thread.channel, thread.message);
        return begin(name, text, team.id, tenant.addChannel(team.id, name, "standard"));
      }
      thread.channel.members = membersOf(
        allow.map((who) => {
          if (who === "anyone" || !("user" in who)) throw new Error("a private channel has people as members");
          return idOf(who.user);
        }),
      );
    },
    async breakPermissions(name) {
      const { id } = requireThread(name).channel;
      tenant.brokenMembers.add(id);
      return async () => void tenant.brokenMembers.delete(id);
    },
    // A team is a Microsoft 365 group, and these hold no groups.
    supports: { groups: true, nestedGroups: false, deny: false, domain: false, anyone: false },
  };
}
