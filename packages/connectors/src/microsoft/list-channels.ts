import { AnnealError, type ErrorReport } from "@anneal/core/errors";
import type { TeamsConfig } from "./config.ts";
import { isOwnAnswer, isOwnFault, type Graph } from "./graph-client.ts";
import { whoLooks } from "./list-drives.ts";
import { channelPageSchema, type Channel } from "./teams-schemas.ts";

export type TeamChannel = Channel & { teamId: string };

/** With failures it is not complete, and nothing of those teams counts as gone. */
export type ChannelListing = {
  channels: TeamChannel[];
  failures: { ref: string; error: ErrorReport }[];
  /** A channel that was chosen is not there, or not under this name any more: what belongs to it is not known as such. */
  lacksChosen: boolean;
};

/** Without it Graph names kinds of channels that came later, shared ones, "unknownFutureValue" ("channel resource type"). */
const allKinds = { prefer: "include-unknown-enum-members" };

/** The channels that are to be read; a team that cannot be found or listed leaves the others readable. */
export async function listChannels(
  graph: Graph,
  config: Pick<TeamsConfig, "teams" | "channels">,
): Promise<ChannelListing> {
  const channels: TeamChannel[] = [];
  const errors: { ref: string; error: AnnealError }[] = [];
  for (const teamId of config.teams.map((id) => id.toLowerCase())) {
    try {
      for await (const page of graph.pages(`teams/${teamId}/channels`, channelPageSchema, { headers: allKinds })) {
        channels.push(...page.map((channel) => ({ ...channel, teamId })));
      }
    } catch (error) {
      if (!isOwnAnswer(error)) throw error;
      const isMissing = isOwnFault(error) && error.status === 404;
      errors.push({ ref: `${teamId}/`, error: isMissing ? await missingTeam(graph, teamId) : error });
    }
  }
  if (errors[0] !== undefined && errors.length === config.teams.length) throw errors[0].error;
  const isChosen = ({ displayName }: Channel) =>
    config.channels.length === 0 || config.channels.includes(displayName ?? "");
  // Where a team could not be listed, it may be there.
  const lacking = errors.length > 0 ? [] : config.channels.filter((name) => !isCalled(channels, name));
  for (const name of lacking) errors.push({ ref: `channels/${name}/`, error: missingChannel(name) });
  if (errors[0] !== undefined && lacking.length > 0 && lacking.length === config.channels.length) throw errors[0].error;
  return {
    channels: channels.filter(isChosen),
    failures: errors.map(({ ref, error }) => ({ ref, error: error.toReport() })),
    lacksChosen: lacking.length > 0,
  };
}

function isCalled(channels: readonly Channel[], name: string): boolean {
  return channels.some(({ displayName }) => displayName === name);
}

function missingChannel(name: string): AnnealError {
  return new AnnealError("SOURCE_NOT_FOUND", `The teams have no channel "${name}".`, {
    action: "Correct its name in the settings, which it may have changed in Teams, or take it out of them.",
  });
}

async function missingTeam(graph: Graph, teamId: string): Promise<AnnealError> {
  return new AnnealError("SOURCE_NOT_FOUND", `There is no team ${teamId} that ${await whoLooks(graph)} may see.`, {
    action: "Check the team's id: it is the groupId in the link to the team.",
  });
}

export function channelPath({ teamId, id }: TeamChannel): string {
  return `teams/${teamId}/channels/${encodeURIComponent(id)}`;
}
