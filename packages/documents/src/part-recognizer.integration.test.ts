import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ParserPool, type ParserPoolOptions } from "./parser-pool.ts";
import { deflatedArchive, writeTar } from "./testing/archive-fixture.ts";
import { fakeTesseract, pictureThat } from "./testing/fake-tesseract.ts";
import { writeEml } from "./testing/mail-fixture.ts";
import { writeMsg } from "./testing/msg-fixture.ts";
import { failureOf, outlineOf } from "./testing/outline-of.ts";
import { lines, writePdf } from "./testing/pdf-fixture.ts";
import { type ScanPrograms, drawScan, findScanPrograms } from "./testing/scan-fixture.ts";

const prose = ["The pump keeps the coolant moving as long as the shaft", "turns freely and the seal holds."];
const recognised = ["paragraph Prüfung", "paragraph stdout -l eng+deu tsv"];
const note = { name: "note.txt", data: "Text." };

let folder: string;
let command: string;
let programs: ScanPrograms | null;
let pool: ParserPool;

async function parse(
  fileName: string,
  content: Uint8Array | string,
  { onRecognition, ...options }: ParserPoolOptions & { onRecognition?: () => void } = {},
) {
  const path = join(folder, fileName);
  await writeFile(path, content);
  pool = new ParserPool({ size: 1, ocr: { command }, ...options });
  return pool.parse({ path, ...(onRecognition === undefined ? {} : { onRecognition }) });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anneal-parts-"));
  command = join(folder, "fake-tesseract");
  await writeFile(command, fakeTesseract, { mode: 0o755 });
  programs = await findScanPrograms(folder);
}, 300_000);
afterEach(() => pool.close());
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each([
  [
    "an e-mail",
    "a.eml",
    (name: string, data: Uint8Array) => writeEml([{ type: "image/png", body: data, fileName: name }]),
  ],
  [
    "an e-mail that marks it as inline, as Apple Mail does",
    "a.eml",
    (name: string, data: Uint8Array) =>
      writeEml([
        { type: "text/plain", body: "See it." },
        { type: "image/png", body: data, fileName: name, disposition: "inline" },
      ]),
  ],
  [
    "an Outlook message",
    "a.msg",
    (name: string, data: Uint8Array) => writeMsg({ subject: "Scan", text: "See it.", attachments: [{ name, data }] }),
  ],
  ["a ZIP archive", "a.zip", (name: string, data: Uint8Array) => deflatedArchive([note, { name, data }])],
  ["a tar.gz", "a.tgz", (name: string, data: Uint8Array) => gzipSync(writeTar([note, { name, data }]))],
])("in %s", (_, fileName, pack) => {
  it("a picture is read as if it stood alone, at its place", async () => {
    const document = await parse(fileName, pack("photo.png", pictureThat("text")));
    expect(outlineOf(document).slice(-3)).toEqual(["heading1 photo.png", ...recognised]);
    expect(document.elements.at(-1)).toMatchObject({ container: "photo.png", page: 1 });
    expect(document.warnings).toEqual([
      "photo.png: The text was recognised in a picture (OCR); it can hold wrong letters.",
    ]);
  });

  it("a scanned PDF is read between its other pages", async ({ skip }) => {
    if (programs === null) return skip();
    const typed = "This page was written on a computer and carries its own text.";
    const pdf = writePdf([[], lines(72, 700, [typed])], { images: new Map([[1, drawScan(prose)]]) });
    const document = await parse(fileName, pack("scan.pdf", pdf), { ocr: programs });
    expect(outlineOf(document).slice(-3)).toEqual([
      "heading1 scan.pdf",
      `paragraph ${prose.join(" ")}`,
      `paragraph ${typed}`,
    ]);
    expect(document.elements.slice(-2).map(({ page, container }) => [page, container])).toEqual([
      [1, "scan.pdf"],
      [2, "scan.pdf"],
    ]);
    expect(document.warnings).toEqual([
      "scan.pdf: Page 1 is scanned; the text was recognised (OCR) and can hold wrong letters.",
    ]);
  }, 120_000);
});

describe("files inside a document", () => {
  it("are read where a mail holds an archive that holds them", async () => {
    const zip = deflatedArchive([{ name: "in/photo.png", data: pictureThat("text") }]);
    const mail = writeEml([{ type: "application/zip", body: zip, fileName: "files.zip" }]);
    const document = await parse("a.eml", mail);
    expect(outlineOf(document).slice(-2)).toEqual(recognised);
    expect(document.elements.at(-1)).toMatchObject({ container: "files.zip / in/photo.png" });
  });

  it("take the languages of the setting", async () => {
    const zip = deflatedArchive([{ name: "photo.png", data: pictureThat("text") }]);
    const document = await parse("a.zip", zip, { ocr: { command, languages: ["deu"] } });
    expect(outlineOf(document).at(-1)).toBe("paragraph stdout -l deu tsv");
  });

  it("cost only themselves when they are broken, too slow or too large, and are then told", async () => {
    const pictures = ["cut", "slow", "huge", "text"].map((name) => ({ name: `${name}.png`, data: pictureThat(name) }));
    const document = await parse("a.zip", deflatedArchive([...pictures, note]), { ocr: { command, timeoutMs: 2000 } });
    expect(outlineOf(document)).toEqual(["heading1 text.png", ...recognised, "heading1 note.txt", "paragraph Text."]);
    expect(document.warnings.slice(1)).toEqual([
      expect.stringMatching(/^The file cut\.png was left out \(DOCUMENT_DAMAGED\)/u),
      expect.stringMatching(/^The file slow\.png was left out \(DOCUMENT_TIMEOUT\)/u),
      expect.stringMatching(/^The file huge\.png was left out \(DOCUMENT_TOO_LARGE\)/u),
    ]);
  });

  it("do not use up their document's time while they are recognised", async () => {
    const zip = deflatedArchive([{ name: "nap.png", data: pictureThat("nap") }, note]);
    const document = await parse("a.zip", zip, { timeoutMs: 5000, ocr: { command, timeoutMs: 60_000 } });
    expect(outlineOf(document)).toContain("paragraph Awake");
    expect(outlineOf(document)).toContain("paragraph Text.");
  }, 60_000);

  it("have together as many pages as one document may have", async () => {
    const names = ["1.png", "2.png", "3.png"];
    const pictures = names.map((name) => ({ name, data: pictureThat("text") }));
    const blank = { name: "blank.pdf", data: writePdf([[], lines(72, 700, ["Typed text stands on this page."])]) };
    const document = await parse("a.zip", deflatedArchive([...pictures, blank]), { limits: { maxScannedPages: 2 } });
    expect(outlineOf(document).filter((line) => line.startsWith("heading"))).toEqual([
      "heading1 1.png",
      "heading1 2.png",
      "heading1 blank.pdf",
    ]);
    expect(outlineOf(document).at(-1)).toBe("paragraph Typed text stands on this page.");
    expect(document.warnings.slice(2)).toEqual([
      "blank.pdf: Page 1 is beyond the first 2 scanned pages and was left out.",
      "The file 3.png was left out (DOCUMENT_TOO_LARGE): It is beyond the first 2 scanned pages of the whole document.",
    ]);
  });

  it("keep their share of the document's text", async () => {
    const picture = { name: "photo.png", data: pictureThat("text") };
    const document = await parse("a.zip", deflatedArchive([picture, note]), { limits: { maxTextLength: 29 } });
    expect(outlineOf(document).slice(0, 2)).toEqual(["heading1 photo.png", "paragraph Prüfung"]);
    // What the file's name takes is not there for its text.
    expect(document.warnings.join("\n")).toContain("photo.png: Kept the first 20 characters");
  });

  it("say what to install where Tesseract is missing, keep the mail, and have it tried again later", async () => {
    const missing = { ocr: { command: join(folder, "not-there") } };
    const onRecognition = vi.fn<() => void>();
    const mail = writeEml([
      { type: "text/plain", body: "Body." },
      { type: "image/png", body: pictureThat("text"), fileName: "photo.png" },
    ]);
    const document = await parse("a.eml", mail, { ...missing, onRecognition });
    expect(outlineOf(document)).toContain("paragraph Body.");
    expect(document.warnings).toEqual([
      expect.stringMatching(/^The attachment photo\.png was left out .* Tesseract is installed/u),
    ]);
    expect(onRecognition).toHaveBeenCalled();

    const untouched = vi.fn<() => void>();
    await parse("b.eml", writeEml([{ type: "text/plain", body: "Body." }]), { ...missing, onRecognition: untouched });
    expect(untouched).not.toHaveBeenCalled();
  });

  it("leave logos alone, which belong to a mail's body", async () => {
    const mail = writeEml([
      { type: "text/html", body: '<p>Body.</p><img src="cid:logo@1">' },
      { type: "image/png", body: pictureThat("text"), contentId: "logo@1" },
    ]);
    const document = await parse("a.eml", mail);
    expect(outlineOf(document).at(-1)).toBe("paragraph Body.");
    expect(document.warnings).toEqual(["1 picture in the e-mail left out."]);
  });

  it("end with the pool, and leave no file behind", async () => {
    const before = await partFolders();
    const zip = deflatedArchive([{ name: "slow.png", data: pictureThat("slow") }]);
    const result = failureOf(parse("a.zip", zip));
    await vi.waitFor(async () => expect((await partFolders()).length).toBeGreaterThan(before.length), 30_000);
    await pool.close();
    expect(await result).toMatch(/^CANCELLED/u);
    expect(await partFolders()).toEqual(before);
  }, 60_000);
});

async function partFolders(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith("anneal-part-")).sort();
}
