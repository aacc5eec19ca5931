import { gzipSync } from "node:zlib";
import { parsedDocumentSchema } from "@anneal/core/document/element";
import { isAnnealError } from "@anneal/core/errors";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDocument } from "./parse-document.ts";
import { deflatedArchive, writeTar } from "./testing/archive-fixture.ts";
import { docxParagraph, slideShape, writeDocx, writeOdf, writePptx, writeXlsx } from "./testing/office-fixture.ts";
import { failureOf, parseFixture } from "./testing/outline-of.ts";
import { lines, writePdf } from "./testing/pdf-fixture.ts";

const MiB = 1024 * 1024;
const extensions = [
  "md",
  "html",
  "txt",
  "py",
  "csv",
  "tsv",
  "json",
  "jsonl",
  "xml",
  "eml",
  "pdf",
  "docx",
  "xlsx",
  "pptx",
  "odt",
  "ods",
  "epub",
  "doc",
  "zip",
  "tar",
  "gz",
  "",
];

/** Parses, and fails the test on anything but a document or an AnnealError with a DOCUMENT_ code. */
async function parseSafely(bytes: Uint8Array, fileName: string): Promise<void> {
  try {
    parsedDocumentSchema.parse(await parseDocument({ bytes, fileName }));
  } catch (error) {
    if (!isAnnealError(error)) throw error;
    expect(error.code).toMatch(/^DOCUMENT_/u);
    expect(error.action).not.toBe("");
  }
}

describe("parseDocument", () => {
  it("ends random bytes under any name in a document or an AnnealError", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), fc.constantFrom(...extensions), (bytes, extension) =>
        parseSafely(bytes, `a.${extension}`),
      ),
      { numRuns: 300 },
    );
  });

  it("ends random text under any name in a document or an AnnealError", async () => {
    const text = fc.string({
      unit: fc.constantFrom(
        "<",
        ">",
        "/",
        "{",
        "}",
        "[",
        "]",
        '"',
        "a",
        "b",
        "\n",
        ",",
        " ",
        "|",
        "-",
        "#",
        "*",
        ":",
        "&",
        "ü",
        "\uD800",
      ),
      maxLength: 300,
    });
    await fc.assert(
      fc.asyncProperty(text, fc.constantFrom(...extensions), (content, extension) =>
        parseSafely(Buffer.from(content), `a.${extension}`),
      ),
      { numRuns: 500 },
    );
  });

  it("ends damaged files of every binary format in a document or an AnnealError", async () => {
    const whole: [string, Uint8Array][] = [
      ["a.docx", writeDocx(docxParagraph("Guide", "Title") + docxParagraph("Text."))],
      ["a.pptx", writePptx([{ shapes: slideShape("title", "Results") }])],
      ["a.xlsx", writeXlsx([{ name: "S", data: '<row r="1"><c r="A1"><v>1</v></c></row>' }])],
      ["a.odt", writeOdf("text", "<text:h>Guide</text:h><text:p>Text.</text:p>")],
      ["a.zip", deflatedArchive([{ name: "a.txt", data: "Text." }])],
      ["a.tar", writeTar([{ name: "a.txt", data: "Text." }])],
      ["a.tgz", gzipSync(writeTar([{ name: "a.txt", data: "Text." }]))],
      ["a.pdf", writePdf([lines(72, 700, ["Some text", "on two lines"])])],
    ];
    const damage = fc.record({
      file: fc.constantFrom(...whole),
      cut: fc.double({ min: 0.2, max: 1, noNaN: true }),
      changes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ file: [name, bytes], cut, changes }) => {
        const damaged = new Uint8Array(bytes.slice(0, Math.ceil(bytes.length * cut)));
        for (const [at, value] of changes) damaged[at % damaged.length] = value;
        await parseSafely(damaged, name);
      }),
      { numRuns: 300 },
    );
  });

  it("refuses a file beyond the size limit and an unsupported one, with what to do", async () => {
    expect(await failureOf(parseFixture("x".repeat(2000), "a.txt", { maxBytes: 1024 }))).toBe(
      "DOCUMENT_TOO_LARGE: The file has 2 KiB; the limit is 1 KiB.",
    );
    expect(await failureOf(parseFixture(Buffer.from([0, 1, 2, 3]), "a.txt"))).toMatch(
      /^DOCUMENT_UNSUPPORTED: The file holds binary data/u,
    );
  });

  const log = (sizeBytes: number, separator: string) => {
    const line = (number: number) => `Line ${number}: the ventilator log number ${number} reads normal pressure.`;
    const count = Math.ceil(sizeBytes / (line(1).length + separator.length));
    return Array.from({ length: count }, (_, index) => line(index + 1)).join(separator);
  };

  it("refuses a plain text of more than the limit, and says both", async () => {
    expect(await failureOf(parseFixture(log(20 * MiB, "\n"), "a.txt"))).toMatch(
      /^DOCUMENT_TOO_LARGE: It has 2\d,\d{3},\d{3} characters of text; the limit is 20,000,000\.$/u,
    );
  });

  it.each([
    ["many paragraphs", "a.txt", log(2_000, "\n\n")],
    ["a heading above it", "a.txt", `Ventilators\n===========\n\n${log(2_000, "\n")}`],
    ["source code", "a.py", log(2_000, "\n")],
    ["one value of JSON", "a.json", JSON.stringify({ name: "Log", body: log(2_000, "\n") })],
    ["a list of JSON", "a.json", JSON.stringify(log(2_000, "\n").split("\n"))],
    ["a table of CSV", "a.csv", log(2_000, "\n").replaceAll(":", ",")],
    ["XML", "a.xml", `<log><body>${log(2_000, "\n")}</body></log>`],
    ["HTML", "a.html", `<html><body><p>${log(2_000, "\n")}</p></body></html>`],
    ["Markdown", "a.md", log(2_000, "\n")],
  ])("refuses it in every form: %s", async (_form, name, content) => {
    expect(await failureOf(parseFixture(content, name, { maxTextLength: 1_000 }))).toMatch(
      /^DOCUMENT_TOO_LARGE: It has [12],\d{3} characters of text; the limit is 1,000\.$/u,
    );
  });

  it("reads a text of one paragraph up to the limit whole", async () => {
    const text = log(20_000_000, "\n").slice(0, 20_000_000).trimEnd();
    const document = await parseFixture(text, "a.txt");
    expect(document.elements.map((element) => element.text.length)).toEqual([text.length]);
    expect(document.warnings).toEqual([]);
  });

  it("keeps the beginning of a file inside another one, and says what was left", async () => {
    const text = (body: string) => deflatedArchive([{ name: "a.txt", data: body }]);
    const document = await parseFixture(text("one\n\ntwo\n\nthree\n\nfour"), "a.zip", { maxTextLength: 13 });
    expect(document.elements.map((element) => element.text)).toEqual(["a.txt", "one", "two"]);
    expect(document.warnings).toEqual(["a.txt: Kept the first 8 characters; 2 elements left out."]);
    expect(await failureOf(parseFixture(text("One paragraph."), "a.zip", { maxTextLength: 13 }))).toBe(
      "DOCUMENT_TOO_LARGE: None of the 1 file in the archive can be read; one is a.txt: It has 14 characters of text; the limit is 8.",
    );
  });

  it("keeps a text with invalid bytes and says what was replaced", async () => {
    const document = await parseFixture(
      Buffer.concat([Buffer.from("Größe über "), Buffer.from([0xff]), Buffer.from(" alles")]),
      "a.txt",
    );
    expect(document.elements[0]?.text).toBe("Größe über \uFFFD alles");
    expect(document.warnings).toHaveLength(1);
  });
});
