import { randomUUID } from "node:crypto";
import { teamsConfigSchema, type MicrosoftSecrets, type TeamsConfig } from "../../src/microsoft/config.ts";
import { teamsConnector } from "../../src/microsoft/teams-connector.ts";
import type { PermissionHarness } from "../describe-permissions.ts";
import type { FakeChannel, FakeMessage } from "./fake-tenant.ts";
import { startFakeMicrosoft, type FakeMicrosoft } from "./start-fake-microsoft.ts";

export type TeamsHarness = PermissionHarness<TeamsConfig, MicrosoftSecrets> & { fake: FakeMicrosoft; teamId: string };

/** One team in a fresh tenant. Each document is a thread in a private channel of its own, so that it can be shared alone. */
export async function createTeamsHarness(): Promise<TeamsHarness> {
  const fake = await startFakeMicrosoft();
  const { tenant } = fake;
  for (const name of ["ann", "bob", "eve"]) tenant.addUser(name);
  const teamId = randomUUID();
  tenant.teams.set(teamId, []);
  const threads = new Map<string, { channel: FakeChannel; message: FakeMessage }>();
  const requireThread = (name: string) => {
    const thread = threads.get(name);
    if (thread === undefined) throw new Error(`there is no thread "${name}"`);
    return thread;
  };
  const put = (name: string, text: string) => {
    const found = threads.get(name);
    if (found !== undefined && found.message.deletedDateTime === null) {
      found.message.body.content = text;
      return;
    }
    const channel = found?.channel ?? tenant.addChannel(teamId, name, "private");
    threads.set(name, { channel, message: tenant.post(channel.messages, text, { subject: name }) });
  };
  const remove = (name: string) => {
    const { message } = requireThread(name);
    message.deletedDateTime = message.lastModifiedDateTime;
    message.body.content = "";
  };

  return {
    fake,
    teamId,
    connector: teamsConnector,
    config: teamsConfigSchema.parse({
      tenantId: tenant.id,
      clientId: tenant.clientId,
      teams: [teamId],
      graphUrl: fake.graphUrl,
      authorityUrl: fake.authorityUrl,
      allowPrivateHosts: true,
    }),
    secrets: { clientSecret: tenant.clientSecret },
    refOf(name) {
      const thread = threads.get(name);
      return thread === undefined ? `${teamId}/none` : `${teamId}/${thread.channel.id}/${thread.message.id}`;
    },
    put: async (name, text) => put(name, text),
    remove: async (name) => remove(name),
    async move(from, to) {
      // Nobody can move a message; what comes nearest is to write it again elsewhere.
      put(to, requireThread(from).message.body.content);
      remove(from);
    },
    async vanish() {
      tenant.vanished = true;
      return async () => void (tenant.vanished = false);
    },
    setClock: async (aheadMs) => void (tenant.aheadMs = aheadMs),
    remote: {
      trouble: fake.trouble,
      expireToken: () => fake.expireTokens(),
      aboutAll: /\/token|\/channels(\?|$)|\/me\?/,
    },
    close: () => fake.stop(),

    emailOf: (person) => tenant.users.get(person)?.mail ?? "",
    setGroup: async () => {
      throw new Error("a channel has people as members, not groups");
    },
    async share(name, allow) {
      requireThread(name).channel.members = allow.map((who) => {
        const user = who !== "anyone" && "user" in who ? tenant.users.get(who.user) : undefined;
        if (user === undefined) throw new Error("a channel has people as members");
        return { userId: user.id, tenantId: tenant.id };
      });
    },
    supports: { groups: false, nestedGroups: false, deny: false, domain: false, anyone: false },
  };
}
