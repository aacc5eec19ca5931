import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { detectMediaType, docxMediaType, pptxMediaType, xlsxMediaType } from "./media-type.ts";
import { deflatedArchive, writeTar } from "./testing/archive-fixture.ts";
import { writeDocx, writeOdf, writePptx, writeXlsx } from "./testing/office-fixture.ts";
import { writePdf } from "./testing/pdf-fixture.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");
const typeOf = (content: Uint8Array, name: string, declared?: string) =>
  detectMediaType(content, name, declared).mediaType;
const compound = (stream: string) =>
  Buffer.concat([Buffer.from("d0cf11e0a1b11ae1", "hex"), Buffer.alloc(600), Buffer.from(stream, "utf16le")]);

describe("detectMediaType", () => {
  it("believes the content more than the name", () => {
    expect(typeOf(writePdf([[]]), "notes.txt")).toBe("application/pdf");
    expect(typeOf(writeDocx(""), "report.pdf")).toBe(docxMediaType);
    expect(typeOf(writeXlsx([{ name: "A", data: "" }]), "report")).toBe(xlsxMediaType);
    expect(typeOf(writePptx([]), "deck.docx")).toBe(pptxMediaType);
  });

  it("takes a text that speaks of PDF's header for a text, and a PDF behind a line for a PDF", () => {
    expect(typeOf(bytes('MAGIC = b"%PDF-1.7"\n'), "check.py")).toBe("text/x-source");
    expect(typeOf(bytes("# Formats\n\nA PDF begins with `%PDF-1.7`.\n"), "formats.md")).toBe("text/markdown");
    expect(typeOf(Buffer.concat([bytes("HTTP/1.1 200 OK\n\n"), writePdf([[]])]), "a.txt")).toBe("application/pdf");
    expect(typeOf(bytes("\0\x05junk%PDF-1.4\n"), "a")).toBe("application/pdf");
  });

  it("takes OpenDocument files and their templates by the type that they store, not by their name", () => {
    const stored = (kind: string) =>
      bytes(`PK\x03\x04${"\0".repeat(26)}mimetypeapplication/vnd.oasis.opendocument.${kind}PK`);
    expect(typeOf(writeOdf("text", ""), "a.docx")).toBe("application/vnd.oasis.opendocument.text");
    expect(typeOf(stored("spreadsheet"), "a.zip")).toBe("application/vnd.oasis.opendocument.spreadsheet");
    expect(typeOf(stored("presentation-template"), "a")).toBe("application/vnd.oasis.opendocument.presentation");
    expect(detectMediaType(stored("graphics"), "a.odg")).toMatchObject({
      status: "unsupported",
      mediaType: "application/vnd.oasis.opendocument.graphics",
    });
  });

  it("takes text by its extension, then by what the source declares, then by how it begins", () => {
    expect(typeOf(bytes("# Title"), "a.MD")).toBe("text/markdown");
    expect(typeOf(bytes("a,b"), "a.csv")).toBe("text/csv");
    expect(typeOf(bytes("x = 1"), "a.py")).toBe("text/x-source");
    expect(typeOf(bytes("# Title"), "page", "text/markdown; charset=utf-8")).toBe("text/markdown");
    expect(typeOf(bytes("<!-- x -->\n<!DOCTYPE html><p>x"), "page")).toBe("text/html");
    expect(typeOf(bytes('{"a": 1}'), "data")).toBe("application/json");
    expect(typeOf(bytes("From: a@b\r\nTo: c@d\r\nSubject: x\r\n\r\nhello"), "mail")).toBe("message/rfc822");
    expect(typeOf(bytes("just words"), "words")).toBe("text/plain");
    expect(typeOf(Buffer.alloc(0), "empty.txt")).toBe("text/plain");
  });

  it("names binary data under a text name as binary", () => {
    const detected = detectMediaType(Buffer.from([1, 2, 3, 0, 255, 254, 7, 8]), "readme.txt");
    expect(detected).toMatchObject({
      status: "unsupported",
      mediaType: "application/octet-stream",
    });
    expect(detected.status === "unsupported" && detected.reason).toContain("although its name ends in .txt");
  });

  it("takes 8-bit and 16-bit text as text", () => {
    expect(typeOf(bytes("Gr\xfc\xdfe aus K\xf6ln"), "a.txt")).toBe("text/plain");
    expect(typeOf(Buffer.from("\uFEFFhello", "utf16le"), "a.txt")).toBe("text/plain");
    expect(typeOf(Buffer.from("hello without a mark", "utf16le"), "a.txt")).toBe("text/plain");
    expect(typeOf(Buffer.from("Привет, мир. 你好"), "a.txt")).toBe("text/plain");
  });

  it.each([
    ["WordDocument", "a.doc", "application/msword", "DOCX"],
    ["Workbook", "a.xls", "application/vnd.ms-excel", "XLSX"],
    ["PowerPoint Document", "a.ppt", "application/vnd.ms-powerpoint", "PPTX"],
  ])("tells what to do with an old Office file holding %s", (stream, name, mediaType, target) => {
    const detected = detectMediaType(compound(stream), name);
    expect(detected).toMatchObject({ status: "unsupported", mediaType });
    expect(detected.status === "unsupported" && detected.action).toContain(`Save it as ${target}`);
  });

  it("names images, archives and programs for what they are", () => {
    expect(typeOf(bytes("\x89PNG\r\n\x1a\n\0"), "a.txt")).toBe("image/png");
    expect(typeOf(bytes("PK\x03\x04\x14\0\0\0\0\0notes.txt"), "a.zip")).toBe("application/zip");
    expect(typeOf(bytes("MZ\x90\0\x03\0\0\0"), "a.txt")).toBe("application/x-msdownload");
  });

  it("tells an archive of documents from a document, also where the documents in it are not compressed", () => {
    const stored = (name: string, data: Uint8Array) => deflatedArchive([{ name, data, stored: true }]);
    expect(typeOf(stored("a.docx", writeDocx("")), "a")).toBe("application/zip");
    expect(typeOf(stored("a.pdf", writePdf([[]])), "a.pdf")).toBe("application/zip");
    expect(typeOf(writeTar([{ name: "a.pdf", data: writePdf([[]]) }]), "a.pdf")).toBe("application/x-tar");
    expect(typeOf(gzipSync("text"), "a.txt")).toBe("application/gzip");
    expect(typeOf(stored("META-INF/MANIFEST.MF", bytes("x")), "a.zip")).toBe("application/java-archive");
    expect(typeOf(bytes(`${"x".repeat(257)}ustar is a tar format`), "a.txt")).toBe("text/plain");
  });

  it("is not slowed down by a page that begins with many comments", () => {
    expect(typeOf(bytes(`${"<!--a-->".repeat(400)}text`), "page")).toBe("text/plain");
    expect(typeOf(bytes(`${"<!--a-->".repeat(400)}<html>`), "page")).toBe("text/html");
  });

  it("does not take a text for a program because it begins like one", () => {
    expect(typeOf(bytes("MZ is an abbreviation used in this text."), "a.txt")).toBe("text/plain");
    expect(typeOf(bytes("ID3 tags are described below."), "a.md")).toBe("text/markdown");
  });
});
