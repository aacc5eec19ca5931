import { describe, expect, it } from "vitest";
import { failureOf, outlineOf, parseFixture } from "../testing/outline-of.ts";
import { docxParagraph, writeDocx } from "../testing/office-fixture.ts";
import { type MsgContent, writeCompound, writeMsg } from "../testing/msg-fixture.ts";

const ann = { name: "Ann", address: "ann@example.org" };
const read = (content: MsgContent) => parseFixture(writeMsg(content), "a.msg");

describe("Outlook message", () => {
  it("reads subject, envelope and body as those of an e-mail, and attachments as sections of their own", async () => {
    const docx = writeDocx(docxParagraph("Report", "Title") + docxParagraph("Words."));
    const document = await read({
      subject: "Prüfung",
      from: ann,
      to: [{ name: "Bob", exchangePath: "/O=ACME/CN=BOB", address: "bob@example.org" }, { name: "Carl" }],
      cc: [{ name: "dora@example.org", address: "dora@example.org" }],
      sentAt: new Date("2026-03-02T10:00:00Z"),
      html: "<h1>Hello</h1><p>See <b>attached</b>: Größe.</p>",
      text: "not this",
      attachments: [
        { name: "report.docx", data: docx },
        { name: "table.csv", data: "a,b\n1,2\n", mediaType: "text/csv" },
      ],
    });
    expect(document.mediaType).toBe("application/vnd.ms-outlook");
    expect(document.title).toBe("Prüfung");
    expect(outlineOf(document)).toEqual([
      "title Prüfung",
      "paragraph From: Ann <ann@example.org>\nTo: Bob <bob@example.org>, Carl\nCc: dora@example.org\nDate: 2026-03-02T10:00:00.000Z",
      "heading1 Hello",
      "paragraph See attached: Größe.",
      "heading1 report.docx",
      "heading2 Report",
      "paragraph Words.",
      "heading1 table.csv",
      "table | a | b |\n| --- | --- |\n| 1 | 2 |",
    ]);
    expect(document.elements[6]).toMatchObject({
      container: "report.docx",
      section: ["Prüfung", "report.docx", "Report"],
    });
    expect(document.warnings).toEqual([]);
  });

  it("takes the plain text where there is no HTML, and RTF where there is neither", async () => {
    expect(outlineOf(await read({ subject: "S", text: "Plain.", rtf: "{\\rtf1 not this}" })).at(-1)).toBe(
      "paragraph Plain.",
    );
    const rtf =
      "{\\rtf1\\ansi\\ansicpg1252\\fromhtml1{\\fonttbl{\\f0 Arial;}}{\\*\\htmltag64 <p>}Gr\\'f6\\'dfe \\u8364?5 \\{a\\}\\par\\par Next.}";
    expect(outlineOf(await read({ subject: "S", rtf })).slice(1)).toEqual([
      "paragraph Größe €5 {a}",
      "paragraph Next.",
    ]);
  });

  it("reads strings in the code page that the message names", async () => {
    const encode = (text: string) =>
      Uint8Array.from([...text].map((char) => (char >= "А" ? char.charCodeAt(0) - 0x410 + 0xc0 : char.charCodeAt(0))));
    const document = await read({ subject: "Привет", text: "Мир.", old: { codePage: 1251, encode } });
    expect(outlineOf(document)).toEqual(["title Привет", "paragraph Мир."]);
    const unknown = await read({ subject: "Hello", text: "World.", old: { codePage: 4242, encode: Buffer.from } });
    expect(outlineOf(unknown)).toEqual(["title Hello", "paragraph World."]);
  });

  it("reads messages in messages to a bounded depth", async () => {
    let content: MsgContent = { subject: "innermost", text: "innermost" };
    for (let depth = 0; depth < 5; depth += 1) {
      content = { subject: `level ${depth}`, attachments: [{ name: `level ${depth}`, message: content }] };
    }
    const document = await read(content);
    expect(outlineOf(document).join("\n")).not.toContain("innermost");
    expect(document.warnings[0]).toContain("Attachments are read 3 levels deep");
    expect(document.elements.at(-1)?.section).toEqual(["level 4", "level 4.msg", "level 3.msg", "level 2.msg"]);
    const message = {
      subject: "inner",
      text: "Inner words.",
      attachments: [{ name: "a.txt", data: "x".repeat(9000) }],
    };
    const inner = await read({ subject: "outer", attachments: [{ name: "", message }] });
    expect(outlineOf(inner)).toEqual([
      "title outer",
      "heading1 inner.msg",
      "heading2 inner",
      "paragraph Inner words.",
      "heading2 a.txt",
      `paragraph ${"x".repeat(9000)}`,
    ]);
  });

  it("leaves the body's small pictures out, and keeps the message when an attachment cannot be read", async () => {
    const png = Buffer.from("89504e470d0a1a0a", "hex");
    const document = await read({
      subject: "S",
      html: '<p>Body.</p><img src="cid:logo@1"><img src="cid:scan@1">',
      attachments: [
        { name: "logo.png", data: png, contentId: "logo@1" },
        { name: "scan.png", data: Buffer.concat([png, Buffer.alloc(40_000)]), contentId: "scan@1" },
        { name: "hidden.gif", data: png, isHidden: true },
        { name: "b.bin", data: "\0\x01\x02" },
        { name: "far.docx", link: true },
      ],
    });
    expect(outlineOf(document)).toEqual(["title S", "paragraph Body."]);
    expect(document.warnings).toEqual([
      "2 pictures in the e-mail left out.",
      // Too large for a logo: what is pasted into a message may be what it is about.
      expect.stringContaining("The attachment scan.png was left out (DOCUMENT_UNSUPPORTED)"),
      expect.stringContaining("The attachment b.bin was left out (DOCUMENT_UNSUPPORTED)"),
      expect.stringMatching(/^The attachment far\.docx was left out .*a link to a file elsewhere/u),
    ]);
  });

  it("keeps to the limit on attachments", async () => {
    const attachments = Array.from({ length: 6 }, (_, index) => ({ name: `${index}.txt`, data: "text" }));
    const document = await parseFixture(writeMsg({ subject: "S", attachments }), "a.msg", { maxAttachments: 4 });
    expect(document.warnings).toEqual(["Kept the first 4 attachments, 2 left out."]);
  });

  it("reads a large one, whose directory and tables lie anywhere in the file", async () => {
    const attachments = [{ name: "long.txt", data: `${"word ".repeat(19)}\n\n`.repeat(90_000) }];
    const document = await parseFixture(writeMsg({ subject: "S", attachments }), "no-extension");
    expect(document.mediaType).toBe("application/vnd.ms-outlook");
    expect(document.elements).toHaveLength(90_002);
  });

  it("still refuses the Office formats before 2007 in their own words", async () => {
    const doc = writeCompound([
      { name: "WordDocument", data: Buffer.alloc(5000) },
      // A message inside a document does not make it one.
      { name: "ObjectPool", children: [{ name: "__properties_version1.0", data: Buffer.alloc(32) }] },
    ]);
    expect(await failureOf(parseFixture(doc, "a.doc"))).toMatch(
      /^DOCUMENT_UNSUPPORTED: .*Word document from before 2007/u,
    );
    expect(await failureOf(parseFixture(doc, "a.msg"))).toMatch(
      /^DOCUMENT_UNSUPPORTED: .*Word document from before 2007/u,
    );
    const xls = writeCompound([{ name: "Workbook", data: Buffer.alloc(10) }]);
    expect(await failureOf(parseFixture(xls, "a"))).toMatch(
      /^DOCUMENT_UNSUPPORTED: .*Excel workbook from before 2007/u,
    );
  });
});

describe("hostile Outlook message", () => {
  const whole = Buffer.from(
    writeMsg({ subject: "S", html: "<p>word</p>".repeat(450), attachments: [{ name: "a.txt", data: "text" }] }),
  );
  const directoryAt = (whole.readUInt32LE(0x30) + 1) * 512;
  const fatAt = (whole.readUInt32LE(0x4c) + 1) * 512;
  const changed = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(whole);
    change(bytes);
    return failureOf(parseFixture(bytes, "a.msg"));
  };
  const recordsOf = (type: number) =>
    Array.from({ length: 40 }, (_, index) => directoryAt + index * 128).filter((at) => whole[at + 0x42] === type);

  it("is refused where a chain of sectors goes in a circle", async () => {
    const start = whole.readUInt32LE(0x30);
    expect(await changed((bytes) => bytes.writeUInt32LE(start, fatAt + start * 4))).toMatch(/^DOCUMENT_HOSTILE/u);
  });

  it("is refused where the directory goes in a circle, or one record stands in two places", async () => {
    const [first, second] = recordsOf(1);
    expect(await changed((bytes) => bytes.writeUInt32LE(0, first! + 0x4c))).toMatch(/^DOCUMENT_HOSTILE: .*circle/u);
    const child = whole.readUInt32LE(second! + 0x4c);
    expect(await changed((bytes) => bytes.writeUInt32LE(child, first! + 0x4c))).toMatch(/^DOCUMENT_HOSTILE/u);
  });

  it("is refused where two streams claim the same sectors", async () => {
    const large = recordsOf(2).filter((at) => whole.readUInt32LE(at + 0x78) >= 4096);
    const small = recordsOf(2).find((at) => !large.includes(at))!;
    const result = await changed((bytes) => {
      whole.copy(bytes, small + 0x74, large[0]! + 0x74, large[0]! + 0x7c);
    });
    expect(result).toMatch(/^DOCUMENT_HOSTILE: .*one place/u);
  });

  it("is refused where counts and sizes are beyond the file", async () => {
    for (const offset of [0x2c, 0x48]) {
      expect(await changed((bytes) => bytes.writeUInt32LE(0x7f_ff_ff_ff, offset))).toMatch(/^DOCUMENT_DAMAGED/u);
    }
    const [stream] = recordsOf(2);
    expect(await changed((bytes) => bytes.writeUInt32LE(0xff_ff_ff_f0, stream! + 0x78))).toMatch(/^DOCUMENT_DAMAGED/u);
  });

  it("is refused wherever it is cut off, and never read in part", async () => {
    for (let length = 8; length < whole.length - 512; length += 1021) {
      expect(await failureOf(parseFixture(whole.subarray(0, length), "a.msg"))).toMatch(
        /^DOCUMENT_(?:DAMAGED|UNSUPPORTED)/u,
      );
    }
  });

  it("ends in words whichever byte of its tables is another", async () => {
    for (let at = 0; at < whole.length; at += 61) {
      expect(await changed((bytes) => bytes.writeUInt8(bytes[at]! ^ 0xff, at))).toMatch(/^(?:DOCUMENT_|parsed)/u);
    }
  });

  it("does not believe what compressed text says of its length", async () => {
    const lying = Buffer.alloc(24);
    lying.writeUInt32LE(0x7f_ff_ff_00, 0);
    lying.write("LZFu", 8, "latin1");
    const file = writeCompound([
      { name: "__properties_version1.0", data: Buffer.alloc(32) },
      { name: "__substg1.0_0037001F", data: Buffer.from("S", "utf16le") },
      { name: "__substg1.0_10090102", data: lying },
    ]);
    const document = await parseFixture(file, "a.msg");
    expect(document.warnings).toEqual(["The message's body was left out: its formatted text is cut off."]);
  });
});
