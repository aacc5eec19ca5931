import type { AnnealError } from "@anneal/core/errors";
import type { ListResponse, StatusObject } from "imapflow";
import type { ImapConfig } from "./config.ts";
import { missingMailbox } from "./imap-errors.ts";

export type ListedMailbox = { path: string; status: StatusObject | null };
export type ChosenMailboxes = { mailboxes: ListedMailbox[]; missing: { path: string; error: AnnealError }[] };

/** What a sync reads of all that a server lists; names are compared as the server writes them, INBOX in any case. */
export function chooseMailboxes(listed: readonly ListResponse[], config: ImapConfig): ChosenMailboxes {
  const selectable = listed.filter(({ flags }) => !flags.has("\\Noselect") && !flags.has("\\NonExistent"));
  const isExcluded = within(config.exclude);
  const names = config.mailboxes.map(canonicalName);
  const chosen =
    names.length > 0 ? selectable.filter(({ path }) => names.includes(canonicalName(path))) : worthReading(selectable);
  const found = new Set(selectable.map(({ path }) => canonicalName(path)));
  return {
    mailboxes: chosen
      .filter((mailbox) => !isExcluded(mailbox))
      .map(({ path, status }) => ({ path, status: status ?? null }))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
    missing: names.filter((name) => !found.has(name)).map((name) => ({ path: name, error: missingMailbox(name) })),
  };
}

/**
 * All but spam and trash. A mailbox of all mail (Gmail's) holds the messages of all others, so that only it is read;
 * elsewhere what merely shows flagged messages of other mailboxes is left out.
 */
function worthReading(selectable: readonly ListResponse[]): readonly ListResponse[] {
  const all = selectable.find(({ specialUse }) => specialUse === "\\All");
  if (all !== undefined) return [all];
  const unwanted = selectable.filter(({ specialUse }) => specialUse !== undefined && unwantedUses.has(specialUse));
  const isUnwanted = within(unwanted.map(({ path }) => path));
  return selectable.filter((mailbox) => !isUnwanted(mailbox));
}

const unwantedUses = new Set(["\\Junk", "\\Trash", "\\Flagged"]);

function within(parents: readonly string[]): (mailbox: ListResponse) => boolean {
  const names = parents.map(canonicalName);
  return ({ path, delimiter }) => {
    const name = canonicalName(path);
    return names.some((parent) => name === parent || (delimiter !== "" && name.startsWith(parent + delimiter)));
  };
}

function canonicalName(path: string): string {
  return path.toUpperCase() === "INBOX" ? "INBOX" : path;
}
