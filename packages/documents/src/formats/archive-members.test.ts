import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type FixtureEntry, deflatedArchive, writeTar } from "../testing/archive-fixture.ts";
import { docxParagraph, writeDocx } from "../testing/office-fixture.ts";
import { failureOf, outlineOf, parseFixture } from "../testing/outline-of.ts";

const MiB = 1024 * 1024;
const docx = writeDocx(docxParagraph("Report", "Title") + docxParagraph("Words."));
const text = { name: "a.txt", data: "Text." };

describe.each([
  ["ZIP", (entries: FixtureEntry[]) => deflatedArchive(entries), "application/zip"],
  ["tar", (entries: FixtureEntry[]) => writeTar(entries), "application/x-tar"],
  ["tar.gz", (entries: FixtureEntry[]) => gzipSync(writeTar(entries)), "application/gzip"],
])("%s", (_, write, mediaType) => {
  it("reads each file as a section named by its path", async () => {
    const entries = [
      { name: "berichte/Übersicht.md", data: "# Größe 大きさ\n\nErster Satz." },
      { name: "berichte/report.docx", data: docx },
      { name: "__MACOSX/._report.docx", data: "junk" },
    ];
    const document = await parseFixture(write(entries), "a.bin");
    expect(document.mediaType).toBe(mediaType);
    expect(outlineOf(document)).toEqual([
      "heading1 berichte/Übersicht.md",
      "heading2 Größe 大きさ",
      "paragraph Erster Satz.",
      "heading1 berichte/report.docx",
      "heading2 Report",
      "paragraph Words.",
    ]);
    expect(document.elements[5]).toMatchObject({
      container: "berichte/report.docx",
      section: ["berichte/report.docx", "Report"],
    });
    expect(document.warnings).toEqual([]);
  });

  it("reports archives inside and files that cannot be read, and opens neither", async () => {
    const entries = [
      text,
      { name: "inner.zip", data: deflatedArchive([{ name: "secret.txt", data: "inner" }]) },
      { name: "inner.tgz", data: gzipSync(writeTar([{ name: "secret.txt", data: "inner" }])) },
      { name: "photo.png", data: "\x89PNG\r\n\x1a\n" },
    ];
    const document = await parseFixture(write(entries), "a");
    expect(outlineOf(document)).toEqual(["heading1 a.txt", "paragraph Text."]);
    expect(document.warnings).toEqual([
      expect.stringMatching(/^The file inner\.zip was left out \(DOCUMENT_UNSUPPORTED\): It is an archive inside/u),
      expect.stringMatching(/^The file inner\.tgz was left out \(DOCUMENT_UNSUPPORTED\): It is an archive inside/u),
      expect.stringMatching(/^The file photo\.png was left out \(DOCUMENT_UNSUPPORTED\)/u),
    ]);
  });

  it("stops at the limits on files and on text", async () => {
    const entries = Array.from({ length: 6 }, (_unused, index) => ({ name: `${index}.txt`, data: "x".repeat(100) }));
    const few = await parseFixture(write(entries), "a", { maxArchiveMembers: 4 });
    expect(few.warnings).toEqual(["Kept the first 4 files, 2 left out."]);
    const short = await parseFixture(write(entries), "a", { maxTextLength: 250 });
    expect(short.elements.reduce((sum, element) => sum + element.text.length, 0)).toBeLessThanOrEqual(250);
    expect(await failureOf(parseFixture(write(entries), "a", { maxArchiveEntries: 5 }))).toMatch(/^DOCUMENT_HOSTILE/u);
  });

  it("refuses a name that leaves the archive's folder", async () => {
    expect(await failureOf(parseFixture(write([text, { name: "../../etc/x", data: "x" }]), "a"))).toMatch(
      /^DOCUMENT_HOSTILE/u,
    );
  });

  it("reports a cut-off archive as damaged", async () => {
    const whole = write([text, { name: "b.txt", data: "x".repeat(2000) }]);
    for (const share of [0.3, 0.6]) {
      const cut = whole.subarray(0, Math.floor(whole.length * share));
      expect(await failureOf(parseFixture(cut, "a"))).toMatch(/^DOCUMENT_DAMAGED/u);
    }
  });

  it("fails when not one of its files can be read, and says why", async () => {
    const pictures = [{ name: "photo.png", data: "\x89PNG\r\n\x1a\n" }];
    expect(await failureOf(parseFixture(write(pictures), "a"))).toMatch(
      /^DOCUMENT_UNSUPPORTED: None of the 1 file in the archive can be read; one is photo\.png/u,
    );
  });
});

describe("archives", () => {
  it("refuses bombs by what they inflate to", async () => {
    const zip = deflatedArchive([{ name: "a.txt", data: " ".repeat(64 * MiB) }]);
    expect(await failureOf(parseFixture(zip, "a.zip"))).toMatch(/^DOCUMENT_HOSTILE: .*zip bomb/u);
    const gzip = gzipSync(Buffer.alloc(64 * MiB, " "));
    expect(await failureOf(parseFixture(gzip, "a.gz"))).toMatch(/^DOCUMENT_HOSTILE: .*zip bomb/u);
  });

  it("tells that a bomb inside is left out, and keeps the other files", async () => {
    const bomb = writeDocx(`<w:p><w:t>${" ".repeat(64 * MiB)}</w:t></w:p>`);
    const document = await parseFixture(deflatedArchive([{ name: "bomb.docx", data: bomb }, text]), "a.zip");
    expect(outlineOf(document)).toEqual(["heading1 a.txt", "paragraph Text."]);
    expect(document.warnings).toEqual([
      expect.stringMatching(/^The file bomb\.docx was left out \(DOCUMENT_HOSTILE\)/u),
    ]);
  });

  it("keeps the readable files of a partly protected archive, and says so of one that is wholly protected", async () => {
    const secret = { name: "secret.txt", data: "secret", encrypted: true };
    const partly = await parseFixture(deflatedArchive([secret, text]), "a.zip");
    expect(outlineOf(partly)).toEqual(["heading1 a.txt", "paragraph Text."]);
    expect(partly.warnings).toEqual([
      "The file secret.txt was left out (DOCUMENT_ENCRYPTED): The file is protected by a password.",
    ]);
    expect(await failureOf(parseFixture(deflatedArchive([secret]), "a.zip"))).toMatch(/^DOCUMENT_ENCRYPTED/u);
  });

  it("refuses a ZIP that holds a name twice, and takes a tar's last one as unpacking would", async () => {
    const twice = ["first", "last"].map((data) => ({ name: "a.txt", data }));
    expect(await failureOf(parseFixture(deflatedArchive(twice), "a.zip"))).toMatch(/^DOCUMENT_HOSTILE/u);
    expect(outlineOf(await parseFixture(writeTar(twice), "a.tar"))).toEqual(["heading1 a.txt", "paragraph last"]);
  });

  it("takes a tar's long names, and leaves its links and folders out", async () => {
    const long = `${"ordner/".repeat(30)}größe.txt`;
    const pax = `path=${long}\n`;
    const length = Buffer.byteLength(pax) + 4;
    const document = await parseFixture(
      writeTar([
        { name: "folder/", type: "5" },
        { name: "link.txt", type: "2" },
        { name: "././@LongLink", type: "L", data: `${long}\0` },
        { name: "short", data: "Gnu." },
        { name: "pax", type: "x", data: `${length} ${pax}` },
        { name: "short", data: "Pax." },
      ]),
      "a.tar",
    );
    expect(outlineOf(document)).toEqual([`heading1 ${long}`, "paragraph Pax."]);
  });

  it("refuses a tar whose header was changed or claims more than there is", async () => {
    const changed = writeTar([text]);
    changed.write("b", 0);
    expect(await failureOf(parseFixture(changed, "a.tar"))).toMatch(/^DOCUMENT_DAMAGED: .*checksums/u);
    const greedy = writeTar([{ ...text, declaredBytes: 0o77777777777 }]);
    expect(await failureOf(parseFixture(greedy, "a.tar"))).toMatch(/^DOCUMENT_DAMAGED: .*cut off/u);
  });

  it("reads a single compressed file under its own name", async () => {
    const document = await parseFixture(gzipSync("# Titel\n\nText."), "folder/notes.md.gz");
    expect(outlineOf(document)).toEqual(["heading1 notes.md", "heading2 Titel", "paragraph Text."]);
  });
});
