import { nobody, type Acl, type Principal } from "@anneal/core/access/acl";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { isRefusedAlone, unknownMembers } from "../remote/refused-alone.ts";
import { RemoteError } from "../remote/remote-client.ts";
import type { Graph } from "./graph-client.ts";
import { channelPath, type TeamChannel } from "./list-channels.ts";
import { channelMemberPageSchema } from "./teams-schemas.ts";

/** A standard channel is its team's; a private or shared one has members of its own. */
export function audienceOf(graph: Graph, channel: TeamChannel): Acl {
  switch (channel.membershipType) {
    case "standard":
      return { allow: [graph.principal("group", channel.teamId)], deny: [] };
    case "private":
    case "shared":
      return { allow: [membersOf(graph, channel)], deny: [] };
    default:
      return nobody;
  }
}

function membersOf(graph: Graph, channel: TeamChannel): Principal {
  return graph.principal("group", `channel/${channel.id}`);
}

/**
 * The members of private and shared channels; whom Graph does not name is not let in. Of a channel whose members it does
 * not tell nothing is said: another source of the tenant may know them.
 */
export async function* readChannelMembers(
  graph: Graph,
  channels: readonly TeamChannel[],
): AsyncIterable<DirectoryEntry> {
  for (const channel of channels) {
    const { membershipType } = channel;
    if (membershipType !== "private" && membershipType !== "shared") continue;
    const path = `${channelPath(channel)}/${membershipType === "shared" ? "allMembers" : "members"}`;
    const members: Principal[] = [];
    try {
      for await (const page of graph.pages(path, channelMemberPageSchema)) {
        for (const { userId, tenantId } of page) {
          // A shared channel has members of other tenants, whose ids mean nothing here.
          if (userId && (!tenantId || tenantId.toLowerCase() === graph.tenantId))
            members.push(graph.principal("user", userId));
        }
      }
    } catch (error) {
      if (isRefusedAlone(error)) yield unknownMembers(channel.displayName ?? channel.id, error);
      // Gone, or not for this source to see.
      else if (!(error instanceof RemoteError) || (error.status !== 403 && error.status !== 404)) throw error;
      continue;
    }
    yield { type: "group", principal: membersOf(graph, channel), name: channel.displayName ?? channel.id, members };
  }
}
