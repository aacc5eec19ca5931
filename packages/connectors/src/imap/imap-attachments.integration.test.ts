import { simpleParser } from "mailparser";
import { expect, it } from "vitest";
import { describeMail } from "../../conformance/describe-mail.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { changesOf, messageIdOf, secrets, subjectsOf, sync } from "../../conformance/start-mail-server.ts";
import { testContext } from "../../conformance/test-context.ts";
import { imapConnector } from "./imap-connector.ts";

describeMail("attachments apart", (server) => {
  const csv = "pump,bar\r\nnorth,4.5\r\n".repeat(200);
  const inline = (boundary: string, name: string, bytes: number) => [
    `--${boundary}`,
    `Content-Type: image/png; name="${name}"`,
    `Content-Disposition: inline; filename="${name}"`,
    `Content-ID: <${name}>`,
    "Content-Transfer-Encoding: base64",
    "",
    Buffer.alloc(bytes, "\x89PNG\r\n\x1a\n", "latin1").toString("base64").replace(/.{76}/g, "$&\r\n"),
  ];
  const attached = (subject: string, more: string[] = []) =>
    [
      "From: Ann <ann@example.org>",
      `Subject: ${subject}`,
      `Message-ID: ${messageIdOf(subject)}`,
      "MIME-Version: 1.0",
      'Content-Type: multipart/mixed;\r\n boundary="outer"',
      "",
      "--outer",
      'Content-Type: multipart/alternative; boundary="inner"',
      "",
      "--inner\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n",
      `Gr=C3=BC=C3=9Fe von ${subject}`,
      '--inner\r\nContent-Type: multipart/related; boundary="shown"\r\n',
      "--shown\r\nContent-Type: text/html; charset=utf-8\r\n",
      `<p>Letter of ${subject}</p>`,
      ...inline("shown", "logo.png", 8),
      "--shown--",
      "--inner--",
      "--outer",
      'Content-Type: application/octet-stream; name="../w=C3=A4rme.csv"',
      `Content-Disposition: attachment; filename*=utf-8''w%C3%A4rme.csv`,
      "Content-Transfer-Encoding: base64",
      "",
      Buffer.from(csv).toString("base64").replace(/.{76}/g, "$&\r\n"),
      ...more,
      "--outer--",
      "",
    ].join("\r\n");
  const withLetter = async (subject: string) => {
    const account = server.createAccount();
    await account.asUser((client) => client.append("INBOX", attached(subject)));
    return { account, apart: account.config({ attachments: "apart" }) };
  };

  it("are documents of their own, decoded, and not in their message any more", async () => {
    const { apart } = await withLetter("letter");
    const target = await sync(new MemoryTarget(), apart);
    expect(subjectsOf(target)).toEqual(["letter", "wärme.csv"]);
    const [attachment, message] = [...target.documents.values()].sort((a, b) =>
      a.item.title! < b.item.title! ? 1 : -1,
    );
    expect(attachment).toMatchObject({ text: csv, item: { mediaType: "text/csv", sizeBytes: expect.any(Number) } });
    expect(attachment!.item.ref).toBe(`${message!.item.ref}/;SECTION=2`);
    const mail = await simpleParser(message!.text);
    expect([mail.subject, mail.messageId]).toEqual(["letter", messageIdOf("letter")]);
    expect([mail.text?.trim(), mail.html]).toEqual(["Grüße von letter", expect.stringContaining("Letter of letter")]);
    expect(mail.attachments).toEqual([]);
    await sync(target, apart);
    expect(changesOf(target)).toEqual([]);
  });

  it("are pictures as well that are marked as inline, but for the small ones that a text shows", async () => {
    const account = server.createAccount();
    const related = 'Content-Type: multipart/related; boundary="pictures"\r\n';
    const more = [
      ...inline("outer", "bill.png", 8),
      `--outer\r\n${related}`,
      ...inline("pictures", "line.png", 8),
      ...inline("pictures", "screen.png", 40_000),
      "--pictures--",
    ];
    await account.asUser((client) => client.append("INBOX", attached("letter", more)));
    const target = await sync(new MemoryTarget(), account.config({ attachments: "apart" }));
    expect(subjectsOf(target)).toEqual(["bill.png", "letter", "screen.png", "wärme.csv"]);
  });

  it("go with their message when it is moved and when it is deleted", async () => {
    const { account, apart } = await withLetter("letter");
    const target = await sync(new MemoryTarget(), apart);
    const message = [...target.documents.keys()].find((ref) => !ref.includes("SECTION"))!;
    const moved = await account.move(message, "Archive");
    await sync(target, apart);
    expect(changesOf(target)).toEqual(["moved", "moved"]);
    await account.expunge(moved);
    await sync(target, apart);
    expect(changesOf(target)).toEqual(["delete", "delete"]);
  });

  it("are all there after a kill at any change", async () => {
    const { account, apart } = await withLetter("letter");
    await account.asUser((client) => client.append("INBOX", attached("second")));
    const whole = await sync(new MemoryTarget(), apart);
    const read = (target: MemoryTarget) =>
      imapConnector.read({
        config: apart,
        secrets,
        cursor: target.cursor,
        journal: target.journal(),
        known: target.known(),
        context: testContext(),
      });
    for (const [at] of whole.changes.entries()) {
      for (const write of ["lost", "done"] as const) {
        const target = new MemoryTarget();
        expect(await target.apply(read(target), { at, write })).toBe("killed");
        await sync(target, apart);
        expect(target.contents(), `killed at ${at}, write ${write}`).toEqual(whole.contents());
      }
    }
  });

  it("have the readers of their message, and follow a change of them", async () => {
    const { account } = await withLetter("letter");
    const configOf = (reader: string) => account.config({ attachments: "apart", readers: [reader] });
    const target = await sync(new MemoryTarget(), configOf("ann@example.org"));
    await sync(target, configOf("bob@example.org"));
    expect(changesOf(target)).toEqual(["acl", "acl"]);
    for (const { item } of target.documents.values()) {
      expect(item.acl?.allow.map(({ id }) => id)).toEqual(["bob@example.org"]);
    }
  });

  it("are read again later when one of them failed", async () => {
    const { apart } = await withLetter("letter");
    const target = await sync(new MemoryTarget(), apart, { limits: { documentBytes: 2000 } });
    expect(target.failures.map(({ error }) => error.code)).toEqual(["DOCUMENT_TOO_LARGE"]);
    expect(subjectsOf(target)).toEqual(["letter"]);
    await sync(target, apart);
    expect(changesOf(target)).toEqual(["upsert"]);
    expect(subjectsOf(target)).toEqual(["letter", "wärme.csv"]);
  });

  it("come and go with the setting", async () => {
    const { account, apart } = await withLetter("letter");
    const target = await sync(new MemoryTarget(), account.config());
    expect([...target.documents.values()].map(({ text }) => text)).toEqual([attached("letter")]);
    await sync(target, apart);
    expect(subjectsOf(target)).toEqual(["letter", "wärme.csv"]);
    await sync(target, account.config());
    expect([...target.documents.values()].map(({ text }) => text)).toEqual([attached("letter")]);
  });
});
