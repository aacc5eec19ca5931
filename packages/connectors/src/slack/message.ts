import { hash } from "node:crypto";
import { z } from "zod";

const fileSchema = z.looseObject({
  id: z.string(),
  name: z.string().nullish(),
  title: z.string().nullish(),
  mimetype: z.string().nullish(),
  size: z.number().nullish(),
  permalink: z.string().nullish(),
  /** "tombstone" for a file that was deleted, "hidden_by_limit" for one that the plan no longer shows. */
  mode: z.string().nullish(),
});
const attachmentSchema = z.looseObject({
  pretext: z.string().nullish(),
  title: z.string().nullish(),
  text: z.string().nullish(),
  fallback: z.string().nullish(),
});

export const messageSchema = z.looseObject({
  /** "1512085950.000216": seconds and a counter; unique in its channel and the message's id. */
  ts: z.string().regex(/^\d+\.\d+$/),
  user: z.string().nullish(),
  username: z.string().nullish(),
  bot_profile: z.looseObject({ name: z.string().nullish() }).nullish(),
  text: z.string().nullish(),
  subtype: z.string().nullish(),
  thread_ts: z.string().nullish(),
  reply_count: z.number().nullish(),
  latest_reply: z.string().nullish(),
  edited: z.looseObject({ ts: z.string() }).nullish(),
  // Apps write these as they like: one that is not understood reads as empty, and its channel is still read.
  files: z.array(fileSchema).nullish().catch(null),
  attachments: z.array(attachmentSchema).nullish().catch(null),
  blocks: z.array(z.unknown()).nullish().catch(null),
});
export type Message = z.infer<typeof messageSchema>;

/** Raised when the rendering changes, so that every document gets a new fingerprint. */
const renderingVersion = 1;
const digestChars = 32;

/** Notices of the channel itself, which nobody wrote. */
const noticeSubtype =
  /^(channel|group)_(join|leave|topic|purpose|name|archive|unarchive|posting_permissions|convert_to_private|convert_to_public)$|^(bot_add|bot_remove|pinned_item|unpinned_item|reminder_add|tombstone)$/;

/** False for what is not said by anyone, such as the mark that a deleted root leaves above its replies. */
export function isSaid(message: Message): boolean {
  return !noticeSubtype.test(message.subtype ?? "");
}

export function isThreadRoot(message: Message): boolean {
  return message.thread_ts === message.ts && (message.reply_count ?? 0) > 0;
}

/** A reply that was also sent to the channel; it belongs to its thread. */
export function isBroadcast(message: Message): boolean {
  return message.thread_ts !== null && message.thread_ts !== undefined && message.thread_ts !== message.ts;
}

export function timeOf(ts: string): Date {
  return new Date(Number(ts) * 1000);
}

/** The day in UTC, as a date. */
export function dayOf(ts: string): string {
  return timeOf(ts).toISOString().slice(0, 10);
}

export function compareTs(a: string, b: string): number {
  // As numbers they would lose their last digits.
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

export function fingerprintDay(messages: readonly Message[]): string {
  return `${renderingVersion}-${digest(messages.map(facts))}`;
}

/** What the history alone tells of a thread; the first part of its fingerprint. */
export function fingerprintRoot(root: Message): string {
  return `${renderingVersion}-${digest([facts(root), root.reply_count ?? 0, root.latest_reply ?? ""])}`;
}

export function fingerprintThread(root: Message, messages: readonly Message[]): string {
  return `${fingerprintRoot(root)}-${digest(messages.map(facts))}`;
}

/** What a reader sees of a message. People's names are left out: who renames themselves changes no document. */
function facts(message: Message): unknown {
  const files = message.files?.map((file) => [file.id, file.name, file.title, file.mimetype, file.size, file.mode]);
  return [
    message.ts,
    message.user ?? null,
    message.username ?? null,
    message.subtype ?? null,
    message.text ?? "",
    message.edited?.ts ?? null,
    files ?? [],
    (message.attachments ?? []).map(({ pretext, title, text, fallback }) => [pretext, title, text, fallback]),
    message.text ? [] : blockTexts(message.blocks ?? []),
  ];
}

function digest(value: unknown): string {
  return hash("sha256", JSON.stringify(value)).slice(0, digestChars);
}

/** The words of Block Kit blocks, for an app's message that has no text of its own. */
export function blockTexts(blocks: unknown): string[] {
  if (Array.isArray(blocks)) return blocks.flatMap(blockTexts);
  if (typeof blocks !== "object" || blocks === null) return [];
  if ("text" in blocks && typeof blocks.text === "string") return [blocks.text];
  return Object.values(blocks).flatMap(blockTexts);
}
