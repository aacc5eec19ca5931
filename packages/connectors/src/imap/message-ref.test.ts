import { describe, expect, it } from "vitest";
import { imapConfigSchema } from "./config.ts";
import { messageUri, parseMessageRef, writeMailboxRef, writeMessageRef } from "./message-ref.ts";

describe("the ref of a message", () => {
  it("gives back what it was written from, whatever the mailbox is called", () => {
    for (const mailbox of ["INBOX", "a/b.c", "Größe & 日本語", "x;UIDVALIDITY=1/;UID=2", "two\nlines", ""]) {
      const message = { mailbox, uidValidity: "4294967295", uid: 7 };
      expect(parseMessageRef(writeMessageRef(message))).toEqual(message);
      const part = { ...message, section: "2.1" };
      expect(parseMessageRef(writeMessageRef(part))).toEqual(part);
    }
  });

  it("is not that of a mailbox or of a thread", () => {
    expect(parseMessageRef(writeMailboxRef("INBOX"))).toBeNull();
    expect(parseMessageRef("thread;ID=0123")).toBeNull();
  });

  it("is cited as an IMAP address without a password, with the port where it is not the usual one", () => {
    const config = imapConfigSchema.parse({ host: "mail.example", user: "ann@example.org" });
    const ref = { mailbox: "Work/50% #1", uidValidity: "3", uid: 9, section: "2" };
    const place = "Work/50%25%20%231;UIDVALIDITY=3/;UID=9/;SECTION=2";
    expect(messageUri(config, ref)).toBe(`imap://ann%40example.org@mail.example/${place}`);
    expect(messageUri({ ...config, port: 1993 }, ref)).toBe(`imap://ann%40example.org@mail.example:1993/${place}`);
  });
});
