import { describe, expect, it } from "vitest";
import { parseImapCursor, writeImapCursor, type MailboxState } from "./imap-cursor.ts";

const stateOf = (messages: number, failed: number[] = []): MailboxState => ({
  uidValidity: "1700000000",
  uidNext: messages + 1,
  messages,
  failed,
});

describe("the cursor of a mail account", () => {
  it("gives back the states that it was written from, and none under other settings", () => {
    const states = new Map([["INBOX", stateOf(5, [2])]]);
    const cursor = writeImapCursor(states, "settings");
    expect(parseImapCursor(structuredClone(cursor), "settings")).toEqual(states);
    expect(parseImapCursor(cursor, "others")).toBeNull();
    expect(parseImapCursor(null, "settings")).toBeNull();
    expect(parseImapCursor({ version: 2, settings: "settings", mailboxes: {} }, "settings")).toBeNull();
  });

  it("forgets a mailbox in which too much failed, so that all of it is compared", () => {
    const states = new Map([
      [
        "INBOX",
        stateOf(
          500,
          Array.from({ length: 200 }, (_, uid) => uid + 1),
        ),
      ],
    ]);
    expect(parseImapCursor(writeImapCursor(states, "settings"), "settings")?.size).toBe(0);
  });
});
