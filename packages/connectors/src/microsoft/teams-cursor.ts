import type { Cursor } from "@anneal/core/connect/change";
import { z } from "zod";
import { digest } from "./drive-cursor.ts";
import type { TeamChannel } from "./list-channels.ts";

/** The folder of each channel as it was found last: by its drive, and then by a digest of the channel's id. */
const foldersSchema = z.record(z.string(), z.record(z.string(), z.string()));
export type ChannelFolders = z.infer<typeof foldersSchema>;

/**
 * How far a channel's messages have been read: the delta link to go on from, as `packLink` writes it, and when the last
 * listing of all of them began, in seconds since 1970 by Graph's own clock.
 */
const channelStateSchema = z.object({ link: z.string(), listedAt: z.number() });
export type ChannelState = z.infer<typeof channelStateSchema>;

/** By `stateKey`. */
const channelsSchema = z.record(z.string(), channelStateSchema);
export type ChannelStates = z.infer<typeof channelsSchema>;

const cursorSchema = z.object({
  /** The first version had no positions of messages: with it every channel is listed, and then followed. */
  version: z.union([z.literal(1), z.literal(2)]),
  /** The position in the drives' feeds. */
  files: z.custom<Cursor>().nullish(),
  folders: foldersSchema.default({}),
  channels: channelsSchema.default({}),
});
export type TeamsCursor = { version: 2; files: Cursor | null; folders: ChannelFolders; channels: ChannelStates };

export function parseTeamsCursor(cursor: Cursor | null): TeamsCursor {
  const { files = null, folders = {}, channels = {} } = cursorSchema.safeParse(cursor).data ?? {};
  return { version: 2, files, folders, channels };
}

/**
 * Of all that a channel's documents are made of besides its messages: under another name or with other settings it has no
 * position, and is listed.
 * @param settings a digest of those that hold for every channel
 */
export function stateKey({ teamId, id, displayName, membershipType }: TeamChannel, settings: string): string {
  return digest(settings, teamId, id, displayName, membershipType);
}

/** A link is some 200 characters, which nothing makes shorter: room for 2,000 channels and more. */
const maxStatesChars = 512 * 1024;

/** What is stored of the states. A channel that finds no room in it is listed at each sync. */
export function storedStates(states: ReadonlyMap<string, ChannelState>): ChannelStates {
  const stored: ChannelStates = {};
  let chars = 0;
  for (const [key, state] of states) {
    chars += key.length + JSON.stringify(state).length + 4;
    if (chars > maxStatesChars) break;
    stored[key] = state;
  }
  return stored;
}

/**
 * A link without the address of the feed, where it begins with just that. What is left, and a link of another form, is kept
 * as Graph gave it.
 */
export function packLink(link: string, feed: URL): string {
  const url = URL.parse(link);
  const isOfFeed = url !== null && url.origin === feed.origin && samePath(url) === samePath(feed);
  return isOfFeed && url.search !== "" ? link.slice(link.indexOf("?")) : link;
}

export function unpackLink(packed: string, feed: URL): string {
  return packed.startsWith("?") ? feed.origin + feed.pathname + packed : packed;
}

/** Graph writes a channel's id ("19:…@thread.tacv2") without escapes. */
function samePath({ pathname }: URL): string {
  return pathname.replaceAll(/%3a/gi, ":").replaceAll("%40", "@");
}
