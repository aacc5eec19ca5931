import { describe, expect, it } from "vitest";
import { deflatedArchive } from "../testing/archive-fixture.ts";
import { writeEml } from "../testing/mail-fixture.ts";
import { outlineOf, parseFixture } from "../testing/outline-of.ts";
import { writeDocx, docxParagraph } from "../testing/office-fixture.ts";

describe("e-mail", () => {
  it("reads subject, envelope and body, and attachments as sections of their own", async () => {
    const docx = writeDocx(
      docxParagraph("Report", "Title") + docxParagraph("Part", "Heading1") + docxParagraph("Words."),
    );
    const document = await parseFixture(
      writeEml([
        { type: "text/html; charset=utf-8", body: "<h1>Hello</h1><p>See <b>attached</b>.</p>" },
        { type: "application/octet-stream", body: docx, fileName: "report.docx" },
        { type: "text/csv", body: "a,b\n1,2\n", fileName: "table.csv" },
      ]),
      "a.eml",
    );
    expect(document.title).toBe("Prüfung");
    expect(outlineOf(document)).toEqual([
      "title Prüfung",
      "paragraph From: Ann <ann@example.org>\nTo: bob@example.org\nDate: 2026-03-02T10:00:00.000Z",
      "heading1 Hello",
      "paragraph See attached.",
      "heading1 report.docx",
      "heading2 Report",
      "heading2 Part",
      "paragraph Words.",
      "heading1 table.csv",
      "table | a | b |\n| --- | --- |\n| 1 | 2 |",
    ]);
    expect(document.elements[7]).toMatchObject({
      container: "report.docx",
      section: ["Prüfung", "report.docx", "Part"],
    });
  });

  it("keeps the e-mail when an attachment cannot be read, and says why", async () => {
    const document = await parseFixture(
      writeEml([
        { type: "text/plain", body: "Body." },
        { type: "application/pdf", body: "%PDF-1.4 broken", fileName: "a.pdf" },
        { type: "application/octet-stream", body: "\0\x01\x02", fileName: "b.bin" },
      ]),
      "a.eml",
    );
    expect(outlineOf(document)).toContain("paragraph Body.");
    expect(document.warnings).toEqual([
      expect.stringContaining("The attachment a.pdf was left out (DOCUMENT_DAMAGED)"),
      expect.stringContaining("The attachment b.bin was left out (DOCUMENT_UNSUPPORTED)"),
    ]);
  });

  it("leaves out the small pictures that its text shows, and no other: an inline one may be what was sent", async () => {
    const picture = (bytes: number) => Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(bytes)]);
    const html = {
      type: "text/html",
      body: '<p>Hello.</p><img src="cid:logo@1"><img src="cid:a%20b@1"><img src="cid:scan@1">',
    };
    const image = (fileName: string, bytes: number, contentId?: string) => ({
      type: "image/png",
      body: picture(bytes),
      fileName,
      disposition: "inline" as const,
      ...(contentId === undefined ? {} : { contentId }),
    });
    const leftOut = async (...message: Parameters<typeof writeEml>) =>
      (await parseFixture(writeEml(...message), "a.eml")).warnings.map((warning) => warning.split(" (")[0]);
    const parts = [html, image("logo.png", 900, "logo@1"), image("b.png", 900, "a b@1")];
    expect(await leftOut([...parts, image("bill.png", 900), image("bill2.png", 900, "bill@1")])).toEqual([
      "2 pictures in the e-mail left out.",
      "The attachment bill.png was left out",
      "The attachment bill2.png was left out",
    ]);
    expect(await leftOut([html, image("scan.png", 40_000, "scan@1")])).toEqual([
      "The attachment scan.png was left out",
    ]);
    // What HTML does not name may be shown in another way.
    const related = [image("line.gif", 900, "line@1"), image("photo.png", 40_000, "photo@1")];
    expect(await leftOut([html, ...related], "", "related")).toEqual([
      "1 picture in the e-mail left out.",
      "The attachment photo.png was left out",
    ]);
  });

  it("reads e-mails in e-mails to a bounded depth", async () => {
    let message = writeEml([{ type: "text/plain", body: "innermost" }]);
    for (let depth = 0; depth < 5; depth += 1)
      message = writeEml([{ type: "message/rfc822", body: message, fileName: `level${depth}.eml` }]);
    const document = await parseFixture(message, "a.eml");
    expect(outlineOf(document).join("\n")).not.toContain("innermost");
    expect(document.warnings[0]).toContain("Attachments are read 3 levels deep");
    expect(document.elements.at(-1)?.section).toEqual(["Prüfung", "level4.eml", "level3.eml", "level2.eml", "Prüfung"]);
  });

  it("reads an attached archive's files, and no archive in it", async () => {
    const inner = deflatedArchive([{ name: "deep.txt", data: "deep" }]);
    const archive = deflatedArchive([
      { name: "a.txt", data: "Größe" },
      { name: "inner.zip", data: inner },
    ]);
    const document = await parseFixture(
      writeEml([
        { type: "text/plain", body: "Body." },
        { type: "application/zip", body: archive, fileName: "files.zip" },
      ]),
      "a.eml",
    );
    expect(outlineOf(document).slice(-3)).toEqual(["heading1 files.zip", "heading2 a.txt", "paragraph Größe"]);
    expect(document.elements.at(-1)).toMatchObject({
      container: "files.zip / a.txt",
      section: ["Prüfung", "files.zip", "a.txt"],
    });
    expect(document.warnings).toEqual([
      expect.stringMatching(
        /^files\.zip: The file inner\.zip was left out \(DOCUMENT_UNSUPPORTED\): .*archive inside/u,
      ),
    ]);
  });

  it("keeps no more text of all attachments together than of one document", async () => {
    const files = ["a", "b", "c"].map((name) => ({
      type: "text/plain",
      body: `${name}\n\n`.repeat(400),
      fileName: `${name}.txt`,
    }));
    const document = await parseFixture(writeEml(files), "a.eml", { maxTextLength: 600 });
    expect(document.elements.filter((element) => element.text === "b").length).toBeLessThan(201);
    expect(document.elements.some((element) => element.text === "c.txt")).toBe(false);
    expect(document.warnings.join("\n")).toContain("The text is longer than what is kept; 1 attachment left out.");
  });

  it("stops at the limit on attachments", async () => {
    const files = Array.from({ length: 6 }, (_, index) => ({
      type: "text/plain",
      body: `text ${index}`,
      fileName: `${index}.txt`,
    }));
    const document = await parseFixture(writeEml(files), "a.eml", { maxAttachments: 4 });
    expect(document.warnings).toEqual(["Kept the first 4 attachments, 2 left out."]);
  });
});
