import type { Acl, Principal } from "@anneal/core/access/acl";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { SlackConfig } from "./config.ts";
import type { SlackClient } from "./slack-client.ts";

export type Workspace = {
  teamId: string;
  name: string;
  /** "https://acme.slack.com/" */
  url: string;
};

export type Channel = { id: string; name: string; isPrivate: boolean; createdAtMs: number | null };

/** `unknown`: channels that were chosen and that the app is not in. */
export type ChannelList = { channels: Channel[]; unknown: string[] };

const authSchema = z.looseObject({ team_id: z.string().min(1), team: z.string().default(""), url: z.url() });
const channelsSchema = z.looseObject({
  channels: z.array(
    z.looseObject({
      id: z.string().min(1),
      name: z.string().nullish(),
      is_private: z.boolean().nullish(),
      is_im: z.boolean().nullish(),
      is_mpim: z.boolean().nullish(),
      /** In seconds since 1970. */
      created: z.number().nullish(),
    }),
  ),
});

export async function openWorkspace(client: SlackClient): Promise<Workspace> {
  const { team_id, team, url } = await client.call("auth.test", authSchema);
  return { teamId: team_id, name: team || team_id, url: url.endsWith("/") ? url : `${url}/` };
}

/**
 * The channels that the app is in, by id, as far as they were chosen.
 *
 * @throws AnnealError SOURCE_NOT_FOUND when there is none: an app that was put out of every channel looks like an
 *   emptied workspace
 */
export async function listChannels(client: SlackClient, config: SlackConfig): Promise<ChannelList> {
  const types = config.includePrivate ? "public_channel,private_channel" : "public_channel";
  const all: Channel[] = [];
  // The channels of the caller, not of the workspace: a bot may not read where it is not a member.
  for await (const { channels } of client.pages("users.conversations", channelsSchema, { types })) {
    for (const { id, name, is_private, is_im, is_mpim, created } of channels) {
      if (is_im || is_mpim) continue;
      // What does not say that it is public is not taken for it.
      const createdAtMs = created ? created * 1000 : null;
      all.push({ id, name: name ?? id, isPrivate: is_private !== false, createdAtMs });
    }
  }
  all.sort((a, b) => (a.id < b.id ? -1 : 1));
  const wanted = config.channels.map((channel) => channel.replace(/^#/, ""));
  const isCalled = (channel: Channel, call: string) => channel.id === call || channel.name === call.toLowerCase();
  const channels = wanted.length === 0 ? all : all.filter((channel) => wanted.some((call) => isCalled(channel, call)));
  const unknown = wanted.filter((call) => !all.some((channel) => isCalled(channel, call)));
  if (channels.length === 0) throw noChannel(wanted);
  return { channels, unknown };
}

function noChannel(wanted: readonly string[]): AnnealError {
  const which = wanted.length === 0 ? "any channel" : wanted.map((call) => `#${call}`).join(", ");
  return new AnnealError("SOURCE_NOT_FOUND", `The Slack app is not in ${which}.`, {
    action: "Invite it in Slack (/invite and the app's name) to each channel that is to be read; then sync again.",
  });
}

export function notInChannel(call: string): AnnealError {
  return new AnnealError("SOURCE_NOT_FOUND", `The Slack app is not in a channel #${call}.`, {
    action: "Invite it there in Slack (/invite and the app's name), or correct the channel's name in the settings.",
  });
}

/** Every member of the workspace who is not a guest: the audience of a public channel. */
export function fullMembers(workspace: Workspace): Principal {
  return { source: "slack", tenant: workspace.teamId, kind: "group", id: "full-members" };
}

export function channelGroup(workspace: Workspace, channelId: string): Principal {
  return { source: "slack", tenant: workspace.teamId, kind: "group", id: channelId };
}

export function personOf(workspace: Workspace, userId: string): Principal {
  return { source: "slack", tenant: workspace.teamId, kind: "user", id: userId };
}

/**
 * A document names its channel and nothing else; who that is, the directory says. So a channel that is made private
 * closes all of its documents at once, also those that no sync reads again soon.
 */
export function aclOf(workspace: Workspace, channel: Channel): Acl {
  return { allow: [channelGroup(workspace, channel.id)], deny: [] };
}
