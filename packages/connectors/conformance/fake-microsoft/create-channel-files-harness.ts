import { randomUUID } from "node:crypto";
import { teamsConfigSchema, type TeamsConfig } from "../../src/microsoft/config.ts";
import { teamsConnector } from "../../src/microsoft/teams-connector.ts";
import { createDriveHarness, type DriveHarness } from "./create-drive-harness.ts";
import type { FakeChannel, FakeDrive, FakeTenant } from "./fake-tenant.ts";

export type ChannelFilesHarness = DriveHarness<TeamsConfig> & {
  teamId: string;
  channel: FakeChannel;
  /** A further channel of the team with a folder in the team's drive, as each standard channel has. */
  addFolder(name: string): FakeChannel;
};

const folder = "General";

/** A team of which the files are read. The documents of the kit lie in the folder of its one channel. */
export async function createChannelFilesHarness(): Promise<ChannelFilesHarness> {
  const teamId = randomUUID();
  const drives: FakeDrive[] = [];
  const harness = await createDriveHarness<TeamsConfig>(filesConnector, {
    configOf: ({ tenant, graphUrl, authorityUrl }) =>
      teamsConfigSchema.parse({
        tenantId: tenant.id,
        clientId: tenant.clientId,
        teams: [teamId],
        messages: false,
        graphUrl,
        authorityUrl,
        allowPrivateHosts: true,
      }),
    addDrive({ tenant }) {
      const drive = tenant.addDrive("Team", "/sites/our-team");
      drives.push(drive);
      return drive;
    },
    fault: "locked",
  });
  const { tenant } = harness.fake;
  const [drive] = drives;
  if (drive === undefined) throw new Error("the team has no drive");
  tenant.teams.set(teamId, []);
  const addFolder = (name: string) => addChannel(tenant, drive, teamId, name);
  const channel = addFolder(folder);
  const inFolder = (name: string) => `${folder}/${name}`;
  return {
    ...harness,
    teamId,
    channel,
    addFolder,
    refOf: (name) => `files/${harness.refOf(inFolder(name))}`,
    put: (name, text) => harness.put(inFolder(name), text),
    remove: (name) => harness.remove(inFolder(name)),
    move: (from, to) => harness.move(inFolder(from), inFolder(to)),
    restore: (name) => harness.restore!(inFolder(name)),
    moveFolder: (from, to) => harness.moveFolder!(inFolder(from), inFolder(to)),
    async addParts(count) {
      // A private channel has a drive of its own.
      for (let number = 0; number < count; number += 1) {
        const own = tenant.addDrive(`Channel ${number}`, `/sites/our-team-channel-${number}`);
        tenant.openFiles(tenant.addChannel(teamId, `Channel ${number}`, "private"), own, "");
        tenant.put(own, "part.md", `Of channel ${number}.`);
      }
    },
    breakItem: (name) => harness.breakItem(inFolder(name)),
    share: (name, allow) => harness.share(inFolder(name), allow),
    shareFolder: (name, allow) => harness.shareFolder!(inFolder(name), allow),
    breakPermissions: (name) => harness.breakPermissions(inFolder(name)),
  };
}

function addChannel(tenant: FakeTenant, drive: FakeDrive, teamId: string, name: string): FakeChannel {
  const channel = tenant.addChannel(teamId, name, "standard");
  tenant.openFiles(channel, drive, name);
  return channel;
}

/** The kit asks the connector whether documents move; threads do not, and these are files alone. */
const filesConnector: typeof teamsConnector = {
  ...teamsConnector,
  capabilities: { ...teamsConnector.capabilities, moves: true },
};
