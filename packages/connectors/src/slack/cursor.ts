import type { Cursor } from "@anneal/core/connect/change";
import { z } from "zod";
import { defaultLimits, type ConnectLimits } from "../connector.ts";
import type { SlackConfig } from "./config.ts";
import { compareTs } from "./message.ts";

const cursorSchema = z.object({
  version: z.literal(1),
  /** The setting under which everything was read. */
  since: z.string().nullable(),
  /** The size up to which documents were read, above which they are left until they change. */
  documentBytes: z.number().default(defaultLimits.documentBytes),
  /** The newest message that a whole sync has seen, by Slack's clock. */
  newest: z.string(),
  /** Syncs since the last complete listing. */
  syncs: z.number(),
  /** A complete listing is unfinished. */
  listing: z.boolean(),
  /** How far it has come: everything of the channels before, and of this one what is as new or newer. */
  doneTo: z.object({ channel: z.string(), ts: z.string() }).nullable(),
  /** Channels to be read from their beginning: new ones, ones that failed, and ones that are gone and hidden. */
  pending: z.array(z.string()),
  /** Threads and days that failed, by their refs. */
  retry: z.array(z.string()),
});
export type SlackCursor = z.infer<typeof cursorSchema>;

/** Beyond this a complete listing is cheaper than a long cursor. */
export const maxListed = 500;

/** A cursor of another release begins anew, which loses nothing: what is known is known by its fingerprint. */
export function parseCursor(
  cursor: Cursor | null,
  { since }: Pick<SlackConfig, "since">,
  { documentBytes }: Pick<ConnectLimits, "documentBytes">,
): SlackCursor {
  const parsed = cursorSchema.safeParse(cursor);
  if (parsed.success && parsed.data.since === since && parsed.data.documentBytes === documentBytes) return parsed.data;
  return {
    version: 1,
    since,
    documentBytes,
    newest: "0.000000",
    syncs: 0,
    listing: true,
    doneTo: null,
    pending: [],
    retry: [],
  };
}

export function isCompleteDue(cursor: SlackCursor, config: SlackConfig, confirmed: boolean): boolean {
  // Deletions that a person confirmed may lie anywhere.
  return cursor.listing || confirmed || cursor.syncs + 1 >= config.completeEvery;
}

/** True for a thread that a listing up to `doneTo` has read: channels go by id, and within one the newest first. */
export function isCovered(doneTo: SlackCursor["doneTo"], channelId: string, ts: string): boolean {
  if (doneTo === null) return false;
  return channelId < doneTo.channel || (channelId === doneTo.channel && compareTs(ts, doneTo.ts) >= 0);
}

/** The ts of a day's beginning (UTC), `days` before the one of `ts`. */
export function windowStart(ts: string, days: number): string {
  const daySeconds = 24 * 60 * 60;
  const start = Math.floor(Number(ts) / daySeconds) * daySeconds - days * daySeconds;
  return `${Math.max(0, start)}.000000`;
}

export function startOfDay(day: string | null): string {
  return day === null ? "0.000000" : `${Date.parse(day) / 1000}.000000`;
}

/** The last ts of a day (UTC), of which the first is `start`. */
export function endOfDay(start: string): string {
  return `${Number(start) + 24 * 60 * 60 - 1}.999999`;
}

/** Of a document: the time of its day's beginning or of its thread's root. */
export function startOfRef(ref: string): { channel: string; ts: string; isThread: boolean } {
  const slash = ref.indexOf("/");
  const place = ref.slice(slash + 1);
  const isThread = place.includes(".");
  return { channel: ref.slice(0, slash), ts: isThread ? place : startOfDay(place), isThread };
}
