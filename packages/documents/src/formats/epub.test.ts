import { describe, expect, it } from "vitest";
import { type FixtureEntry, deflatedArchive } from "../testing/archive-fixture.ts";
import { failureOf, outlineOf, parseFixture } from "../testing/outline-of.ts";

const MiB = 1024 * 1024;
type Chapter = { file: string; body: string };

const container = (path: string) =>
  `<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="${path}" media-type="application/oebps-package+xml"/></rootfiles></container>`;

/** A book whose manifest lists the chapters backwards, so that only the spine tells their order. */
function writeEpub(
  chapters: readonly Chapter[],
  extra: readonly FixtureEntry[] = [],
  manifest = "",
  spine = "",
): Uint8Array {
  const items = chapters.map(
    ({ file }, index) => `<item id="c${index}" href="${file}" media-type="application/xhtml+xml"/>`,
  );
  const references = chapters.map((_, index) => `<itemref idref="c${index}"/>`);
  return deflatedArchive([
    { name: "mimetype", data: "application/epub+zip", stored: true },
    { name: "META-INF/container.xml", data: container("OEBPS/book.opf") },
    {
      name: "OEBPS/book.opf",
      data: `<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>Die Prüfung 検査</dc:title></metadata><manifest>${items.toReversed().join("")}${manifest}</manifest><spine toc="ncx">${references.join("")}${spine}</spine></package>`,
    },
    ...chapters.map(({ file, body }) => ({
      name: `OEBPS/${decodeURIComponent(file)}`,
      data: `<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>${body}</body></html>`,
    })),
    ...extra,
  ]);
}

describe("EPUB", () => {
  it("refuses a book of more text than the limit with the length of all its chapters", async () => {
    const chapters = ["a", "b", "c"].map((file) => ({ file: `${file}.xhtml`, body: `<p>${file.repeat(700)}</p>` }));
    expect(await failureOf(parseFixture(writeEpub(chapters), "a.epub", { maxTextLength: 1_000 }))).toBe(
      `DOCUMENT_TOO_LARGE: It has ${(3 * 700 + "Die Prüfung 検査".length).toLocaleString("en-US")} characters of text; the limit is 1,000.`,
    );
  });

  it("keeps the beginning of a book inside an archive, and says what was left", async () => {
    const chapters = ["a", "b", "c"].map((file) => ({ file: `${file}.xhtml`, body: `<p>${file.repeat(700)}</p>` }));
    const archive = deflatedArchive([{ name: "a.epub", data: writeEpub(chapters) }]);
    const document = await parseFixture(archive, "a.zip", { maxTextLength: 1_000 });
    expect(document.elements.at(-1)?.text).toBe("a".repeat(700));
    expect(document.warnings).toEqual([expect.stringContaining("2 elements left out")]);
  });

  it("reads the chapters in the spine's order under the book's title", async () => {
    const book = writeEpub([
      { file: "text/b%20one.xhtml", body: "<h1>Eins</h1><p>Erster Text – „gut“ 🙂.</p>" },
      { file: "text/a.xhtml", body: "<h1>Zwei</h1><h2>Teil</h2><ul><li>a</li><li>b</li></ul>" },
    ]);
    const document = await parseFixture(book, "a.zip");
    expect(document).toMatchObject({ title: "Die Prüfung 検査", mediaType: "application/epub+zip", warnings: [] });
    expect(outlineOf(document)).toEqual([
      "title Die Prüfung 検査",
      "heading1 Eins",
      "paragraph Erster Text – „gut“ 🙂.",
      "heading1 Zwei",
      "heading2 Teil",
      "list - a\n- b",
    ]);
    expect(document.elements[5]).toMatchObject({
      container: "OEBPS/text/a.xhtml",
      section: ["Die Prüfung 検査", "Zwei", "Teil"],
    });
  });

  it("names a chapter without a heading as the table of contents does, and does not read that as a chapter", async () => {
    const nav = `<html xmlns:epub="x"><body><nav epub:type="toc"><ol><li><a href="a.xhtml#top">Kapitel&nbsp;A</a></li></ol></nav></body></html>`;
    const withNav = writeEpub(
      [{ file: "a.xhtml", body: "<p>Text.</p>" }],
      [{ name: "OEBPS/nav.xhtml", data: nav }],
      '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>',
      '<itemref idref="nav"/>',
    );
    expect(outlineOf(await parseFixture(withNav, "a.epub")).slice(1)).toEqual([
      "heading1 Kapitel A",
      "paragraph Text.",
    ]);
    const ncx = `<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://127.0.0.1:9/ncx.dtd"><ncx><navMap><navPoint><navLabel><text>Kapitel B</text></navLabel><content src="a.xhtml"/></navPoint></navMap></ncx>`;
    const withNcx = writeEpub(
      [{ file: "a.xhtml", body: "<p>Text.</p>" }],
      [{ name: "OEBPS/toc.ncx", data: ncx }],
      '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>',
    );
    expect(outlineOf(await parseFixture(withNcx, "a.epub")).slice(1)).toEqual([
      "heading1 Kapitel B",
      "paragraph Text.",
    ]);
  });

  it("reads on when a chapter is missing, and reads a chapter that is named again only once", async () => {
    const book = writeEpub(
      [{ file: "a.xhtml", body: "<p>Text.</p>" }],
      [],
      '<item id="gone" href="gone.xhtml" media-type="application/xhtml+xml"/>',
      `<itemref idref="gone"/>${'<itemref idref="c0"/>'.repeat(1000)}`,
    );
    const document = await parseFixture(book, "a.epub");
    expect(outlineOf(document)).toEqual(["title Die Prüfung 検査", "paragraph Text."]);
    expect(document.warnings).toEqual(["1 chapter missing from the file: OEBPS/gone.xhtml."]);
  });

  it("refuses protected chapters, and reads a book in which only fonts are obfuscated", async () => {
    const encryption = (path: string) => ({
      name: "META-INF/encryption.xml",
      data: `<encryption><EncryptedData><CipherData><CipherReference URI="${path}"/></CipherData></EncryptedData></encryption>`,
    });
    const chapters = [{ file: "a.xhtml", body: "<p>Text.</p>" }];
    expect(await failureOf(parseFixture(writeEpub(chapters, [encryption("OEBPS/a.xhtml")]), "a.epub"))).toMatch(
      /^DOCUMENT_ENCRYPTED/u,
    );
    const fonts = await parseFixture(writeEpub(chapters, [encryption("OEBPS/font.otf")]), "a.epub");
    expect(fonts.elements).toHaveLength(2);
  });

  it("refuses a zip bomb and an entity bomb in its package", async () => {
    const bomb = { file: "a.xhtml", body: " ".repeat(64 * MiB) };
    expect(await failureOf(parseFixture(writeEpub([bomb]), "a.epub"))).toMatch(/^DOCUMENT_HOSTILE: .*zip bomb/u);
    const entities = deflatedArchive([
      { name: "mimetype", data: "application/epub+zip", stored: true },
      { name: "META-INF/container.xml", data: container("a.opf") },
      { name: "a.opf", data: '<!DOCTYPE p [<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]><p>&a;&b;</p>' },
    ]);
    expect(await failureOf(parseFixture(entities, "a.epub"))).toMatch(
      /^DOCUMENT_HOSTILE: a.opf declares XML entities/u,
    );
  });

  it("never reads outside of its archive", async () => {
    const book = writeEpub(
      [],
      [],
      '<item id="x" href="../../../etc/hostname" media-type="application/xhtml+xml"/>',
      '<itemref idref="x"/>',
    );
    const document = await parseFixture(book, "a.epub");
    expect(outlineOf(document)).toEqual(["title Die Prüfung 検査"]);
    expect(document.warnings[0]).toContain("1 chapter missing from the file");
  });

  it("reports a cut-off book and one without a package as damaged", async () => {
    const whole = writeEpub([{ file: "a.xhtml", body: "<p>Text.</p>" }]);
    expect(await failureOf(parseFixture(whole.subarray(0, whole.length / 2), "a.epub"))).toMatch(/^DOCUMENT_DAMAGED/u);
    const empty = deflatedArchive([{ name: "mimetype", data: "application/epub+zip", stored: true }]);
    expect(await failureOf(parseFixture(empty, "a.epub"))).toMatch(/^DOCUMENT_DAMAGED: The book names no package/u);
  });

  it("ends a chapter's entities where HTML ends them", async () => {
    const bomb = `<!DOCTYPE html [<!ENTITY a "aaaa">]><html><body><p>x &a; y</p></body></html>`;
    const book = writeEpub(
      [],
      [{ name: "OEBPS/e.xhtml", data: bomb }],
      '<item id="e" href="e.xhtml" media-type="application/xhtml+xml"/>',
      '<itemref idref="e"/>',
    );
    expect(outlineOf(await parseFixture(book, "a.epub")).at(-1)).toContain("x &a; y");
  });
});
