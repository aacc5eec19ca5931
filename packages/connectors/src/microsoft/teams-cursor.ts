import type { Cursor } from "@anneal/core/connect/change";
import { z } from "zod";
import { digest, drivePlaces } from "./drive-cursor.ts";
import type { TeamChannel } from "./list-channels.ts";

/** The folder of each channel as it was found last: by its drive, and then by a digest of the channel's id. */
const foldersSchema = z.record(z.string(), z.record(z.string(), z.string()));
export type ChannelFolders = z.infer<typeof foldersSchema>;

/**
 * How far a channel's messages have been read: the delta link to go on from, as `packLink` writes it, when the last listing
 * of all of them began, in seconds since 1970 by Graph's own clock, and what the documents were made `of` besides (`madeOf`);
 * "" where an earlier version left that out.
 */
const channelStateSchema = z.object({ link: z.string(), listedAt: z.number(), of: z.string().default("") });
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
  /** How many files a first sync has counted, until it lists them. */
  fileCount: z.number().nullable().default(null),
});
/** Of a cursor: see `keepPartsInJournal`. */
export const teamsPlaces = [...drivePlaces.map((place) => `files.${place}`), "folders", "channels"];
export type TeamsCursor = {
  version: 2;
  files: Cursor | null;
  folders: ChannelFolders;
  channels: ChannelStates;
  fileCount: number | null;
};

export function parseTeamsCursor(cursor: Cursor | null): TeamsCursor {
  const { files = null, folders = {}, channels = {}, fileCount = null } = cursorSchema.safeParse(cursor).data ?? {};
  return { version: 2, files, folders, channels, fileCount };
}

/** It begins with its team's part: of a team that cannot be listed no channel is known, and its states stay. */
export function stateKey({ teamId, id }: Pick<TeamChannel, "teamId" | "id">): string {
  return `${teamPart(teamId)}${digest(teamId, id)}`;
}

export function teamPart(teamId: string): string {
  return `${digest(teamId).slice(0, 8)}.`;
}

/**
 * Of all that a channel's documents are made of besides its messages: with another one than its state has, the state counts
 * for nothing, and the channel is listed. It is no part of the key, under which a state from before would be found again
 * when a name or a setting goes back to what it was.
 * @param settings a digest of those that hold for every channel
 */
export function madeOf({ displayName, membershipType }: TeamChannel, settings: string): string {
  return digest(settings, displayName, membershipType).slice(0, 12);
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
