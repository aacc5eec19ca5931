import type { Cursor } from "@anneal/core/connect/change";
import { z } from "zod";

/**
 * How a mailbox was when all of it was stored and nothing in it was left to delete. UIDs only grow, so the same
 * UIDVALIDITY, the same next UID and the same number of messages mean the same messages; and a message never changes.
 * Mod-sequences (CONDSTORE) would only tell of flags, which nobody reads here.
 */
const mailboxStateSchema = z.object({
  uidValidity: z.string(),
  uidNext: z.number(),
  messages: z.number(),
  /** UIDs that could not be read and are tried again. */
  failed: z.array(z.number()),
});
export type MailboxState = z.infer<typeof mailboxStateSchema>;

const cursorSchema = z.object({
  version: z.literal(1),
  /** Of the account and the audience that it was read with; under others everything is compared anew. */
  settings: z.string(),
  mailboxes: z.record(z.string(), mailboxStateSchema),
});

export type MailboxStates = ReadonlyMap<string, MailboxState>;

/** @returns null for no cursor, and for one of other settings */
export function parseImapCursor(cursor: Cursor | null, settings: string): MailboxStates | null {
  const parsed = cursorSchema.safeParse(cursor);
  return parsed.success && parsed.data.settings === settings ? new Map(Object.entries(parsed.data.mailboxes)) : null;
}

const maxFailed = 100;

/** A mailbox in which more failed is compared with what is known, message by message. */
export function writeImapCursor(states: MailboxStates, settings: string): Cursor {
  const mailboxes = [...states].filter(([, { failed }]) => failed.length <= maxFailed);
  return { version: 1, settings, mailboxes: Object.fromEntries(mailboxes) };
}
