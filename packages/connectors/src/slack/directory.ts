import type { Principal } from "@anneal/core/access/acl";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import type { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { DirectoryRequest } from "../connector.ts";
import { noneIfClosed } from "../hiding.ts";
import type { SlackConfig, SlackSecrets } from "./config.ts";
import { emailsOf, isGuest, isPerson, nameOf, userSchema } from "./people.ts";
import { unknownMembers } from "../remote/refused-alone.ts";
import { createSlackClient, type SlackClient } from "./slack-client.ts";
import { isAboutOneItem } from "./slack-error.ts";
import { channelGroup, fullMembers, listChannels, openWorkspace, personOf, type Channel } from "./workspace.ts";

export const usersSchema = z.looseObject({ members: z.array(userSchema) });
const membersSchema = z.looseObject({ members: z.array(z.string()) });

/**
 * The workspace's people, its full members as one group, and each channel that is read as a group: of its members when
 * it is private, of all full members and of the guests that are in it when it is public.
 */
export async function* readSlackDirectory(
  request: DirectoryRequest<SlackConfig, SlackSecrets>,
): AsyncIterable<DirectoryEntry> {
  const { config, secrets, context } = request;
  const client = createSlackClient(config, secrets, context);
  try {
    const workspace = await openWorkspace(client);
    /** True for a guest. */
    const people = new Map<string, boolean>();
    for await (const { members } of client.pages("users.list", usersSchema)) {
      for (const user of members) {
        if (!isPerson(user, workspace)) continue;
        people.set(user.id, isGuest(user));
        yield { type: "user", principal: personOf(workspace, user.id), name: nameOf(user), emails: emailsOf(user) };
      }
    }
    yield {
      type: "group",
      principal: fullMembers(workspace),
      name: `Full members of ${workspace.name}`,
      members: [...people].filter(([, guest]) => !guest).map(([id]) => personOf(workspace, id)),
    };
    const listed = await listChannels(client, config).catch(noneIfClosed);
    for (const channel of listed?.channels ?? []) {
      const name = `#${channel.name}`;
      const { ids, refused } = await readMembers(client, channel);
      if (refused !== null) yield unknownMembers(name, refused);
      // A public one's full members are known without asking.
      if (refused !== null && channel.isPrivate) continue;
      const named = ids.filter((id) => (channel.isPrivate ? people.has(id) : people.get(id) === true));
      const members: Principal[] = named.map((id) => personOf(workspace, id));
      if (!channel.isPrivate) members.unshift(fullMembers(workspace));
      yield { type: "group", principal: channelGroup(workspace, channel.id), name, members };
    }
  } finally {
    await client.close();
  }
}

/** A channel whose members Slack does not give lets none of them in until it does: the others' are still known. */
async function readMembers(
  client: SlackClient,
  channel: Channel,
): Promise<{ ids: string[]; refused: AnnealError | null }> {
  const ids: string[] = [];
  try {
    for await (const { members } of client.pages("conversations.members", membersSchema, { channel: channel.id })) {
      ids.push(...members);
    }
  } catch (error) {
    if (!isAboutOneItem(error)) throw error;
    return { ids: [], refused: error };
  }
  return { ids, refused: null };
}
