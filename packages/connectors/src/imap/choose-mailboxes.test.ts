import type { ListResponse } from "imapflow";
import { describe, expect, it } from "vitest";
import { chooseMailboxes } from "./choose-mailboxes.ts";
import { imapConfigSchema, type ImapConfig } from "./config.ts";

type Listed = { path: string; specialUse?: string; flags?: string[] };

function choose(listed: Listed[], config: Partial<ImapConfig> = {}): { read: string[]; missing: string[] } {
  const entries = listed.map(({ path, specialUse, flags = [] }): ListResponse => ({
    path,
    pathAsListed: path,
    name: path.split("/").at(-1)!,
    delimiter: "/",
    parent: path.split("/").slice(0, -1),
    parentPath: path.split("/").slice(0, -1).join("/"),
    flags: new Set(flags),
    ...(specialUse === undefined ? {} : { specialUse }),
    listed: true,
    subscribed: true,
  }));
  const { mailboxes, missing } = chooseMailboxes(
    entries,
    imapConfigSchema.parse({ host: "mail.example", user: "ann", ...config }),
  );
  return { read: mailboxes.map(({ path }) => path), missing: missing.map(({ path }) => path) };
}

const usual: Listed[] = [
  { path: "INBOX" },
  { path: "Sent", specialUse: "\\Sent" },
  { path: "Drafts", specialUse: "\\Drafts" },
  { path: "Trash", specialUse: "\\Trash" },
  { path: "Trash/2025" },
  { path: "Trashcans" },
  { path: "Spam", specialUse: "\\Junk" },
  { path: "Folders", flags: ["\\Noselect"] },
  { path: "Gone", flags: ["\\NonExistent"] },
];

describe("the mailboxes to read", () => {
  it("are all that hold messages but spam and trash, with all that lies in these", () => {
    expect(choose(usual).read).toEqual(["Drafts", "INBOX", "Sent", "Trashcans"]);
  });

  it("are the one of all mail where there is one, so that no message is read once for each label", () => {
    const labelled = [...usual, { path: "[Gmail]/All Mail", specialUse: "\\All" }];
    expect(choose(labelled).read).toEqual(["[Gmail]/All Mail"]);
    expect(choose(labelled, { mailboxes: ["INBOX"] }).read).toEqual(["INBOX"]);
  });

  it("leave out a view of flagged messages, which lie elsewhere", () => {
    expect(choose([{ path: "INBOX" }, { path: "Starred", specialUse: "\\Flagged" }]).read).toEqual(["INBOX"]);
  });

  it("are those that are named, INBOX in any case, trash too", () => {
    expect(choose(usual, { mailboxes: ["inbox", "Trash"] })).toEqual({ read: ["INBOX", "Trash"], missing: [] });
  });

  it("are missing when they are named and not there, or hold no messages", () => {
    expect(choose(usual, { mailboxes: ["INBOX", "sent", "Folders"] }).missing).toEqual(["sent", "Folders"]);
  });

  it("leave out what is excluded, with all that lies in it and nothing that is only called alike", () => {
    const listed = [{ path: "Work" }, { path: "Work/Old" }, { path: "Workshop" }];
    expect(choose(listed, { exclude: ["Work"] }).read).toEqual(["Workshop"]);
  });
});
