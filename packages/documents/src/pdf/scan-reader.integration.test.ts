import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ParserPool } from "../parser-pool.ts";
import { faxPage, faxWords } from "../testing/fax-fixture.ts";
import { failureOf, outlineOf } from "../testing/outline-of.ts";
import { lines, writePdf } from "../testing/pdf-fixture.ts";
import { type ScanPrograms, drawScan, findScanPrograms } from "../testing/scan-fixture.ts";

const prose = ["The pump keeps the coolant moving as long as the shaft", "turns freely and the seal holds."];
const typed = [
  "This page was written on a computer and carries its own text,",
  "which is kept as it stands and is never recognised from a picture.",
];

let folder: string;
let programs: ScanPrograms | null;
let pool: ParserPool;

async function parse(pdf: Uint8Array, options: ConstructorParameters<typeof ParserPool>[0] = {}) {
  const path = join(folder, "scan.pdf");
  await writeFile(path, pdf);
  pool = new ParserPool({ size: 1, ...options });
  return pool.parse({ path });
}

const missing = () => ({ ocr: { command: join(folder, "not-there") } });

function isInstalled(packageName: string): boolean {
  try {
    createRequire(import.meta.url).resolve(`${packageName}/package.json`);
    return true;
  } catch {
    return false;
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anneal-scan-"));
  programs = await findScanPrograms(folder);
}, 300_000);
afterEach(() => pool?.close());
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("scanned PDF", () => {
  it("keeps the files that are attached to it behind its pages", async ({ skip }) => {
    if (programs === null) return skip();
    const attachments = [{ name: "inner.pdf", content: writePdf([lines(72, 700, typed)]) }];
    const document = await parse(writePdf([[]], { images: new Map([[1, drawScan(prose)]]), attachments }), {
      ocr: programs,
    });
    expect(outlineOf(document)).toEqual([
      `paragraph ${prose.join(" ")}`,
      "heading1 inner.pdf",
      `paragraph ${typed.join(" ")}`,
    ]);
  });

  it("is read page by page, each page by what it is", async ({ skip }) => {
    if (programs === null) return skip();
    const pdf = writePdf([lines(72, 700, typed), [], lines(72, 700, typed), []], {
      images: new Map([
        [2, drawScan(prose)],
        [4, drawScan(["Second scan, with the number 4711."])],
      ]),
    });
    const document = await parse(pdf, { ocr: programs });
    expect(outlineOf(document)).toEqual([
      `paragraph ${typed.join(" ")}`,
      `paragraph ${prose.join(" ")}`,
      `paragraph ${typed.join(" ")}`,
      "paragraph Second scan, with the number 4711.",
    ]);
    expect(document.elements.map(({ page }) => page)).toEqual([1, 2, 3, 4]);
    const { box } = document.elements[1]!;
    // The first line's letters begin 120 of 1,240 points from the left and about 180 of 1,754 from the top.
    expect(box?.left).toBeCloseTo(120 / 1240, 2);
    expect(box?.top).toBeCloseTo(178 / 1754, 2);
    expect(document.warnings).toEqual([
      "Pages 2, 4 are scanned; the text was recognised (OCR) and can hold wrong letters.",
    ]);
  }, 120_000);

  it("is read where the scanner stamped a few words of text on it, and a short page without a scan is left as it is", async ({
    skip,
  }) => {
    if (programs === null) return skip();
    const pdf = writePdf([[{ x: 400, y: 20, text: "Scan 0001" }], [{ x: 72, y: 700, text: "A short page." }]], {
      images: new Map([[1, drawScan(prose)]]),
    });
    const document = await parse(pdf, { ocr: programs });
    const text = outlineOf(document).join("\n");
    expect(text).toContain(prose.join(" "));
    expect(text).toContain("Scan 0001");
    expect(document.elements.at(-1)).toMatchObject({ text: "A short page.", page: 2 });
    expect(document.warnings).toEqual(["Page 1 is scanned; the text was recognised (OCR) and can hold wrong letters."]);
  }, 120_000);

  it("is read with what was filled in and noted on it, however much that is", async ({ skip }) => {
    if (programs === null) return skip();
    const value = "Filled in on a computer, and by far longer than the stamp of a scanner would be.";
    const pdf = writePdf([[]], {
      images: new Map([[1, drawScan(prose)]]),
      annotations: new Map([
        [
          1,
          [
            `/Subtype /Widget /FT /Tx /TU (Remarks) /Rect [72 300 500 320] /V (${value})`,
            "/Subtype /Text /Rect [10 90 20 100] /T (Ann) /Contents (The seal was new)",
            `/Subtype /Text /Rect [10 40 20 50] /Contents (${prose[0]})`,
          ],
        ],
      ]),
    });
    const document = await parse(pdf, { ocr: programs });
    expect(outlineOf(document)).toEqual([
      `paragraph ${prose.join(" ")}`,
      `paragraph Remarks: ${value}`,
      "paragraph Note by Ann: The seal was new",
      `paragraph Note: ${prose[0]}`,
    ]);
    pool = new ParserPool({ size: 1, ...missing() });
    const unread = await pool.parse({ path: join(folder, "scan.pdf") });
    expect(outlineOf(unread)[0]).toBe(`paragraph Remarks: ${value}`);
    expect(unread.warnings.join()).toContain("Page 1 holds no text that can be read, and no text could be recognised");
  }, 120_000);

  it("says which pages show nothing, and which hold a picture that is not decoded", async ({ skip }) => {
    if (programs === null) return skip();
    const broken = { data: Buffer.from("no picture"), width: 100, height: 100, filter: "JPXDecode" as const };
    const pdf = writePdf([lines(72, 700, typed), [], []], { images: new Map([[3, broken]]) });
    const document = await parse(pdf, { ocr: programs });
    expect(document.warnings).toEqual([
      "Page 2 shows no text that could be recognised.",
      expect.stringMatching(/^Page 3 holds a picture that cannot be decoded/u),
    ]);
    const only = writePdf([[]], { images: new Map([[1, broken]]) });
    expect(await failureOf(parse(only, { ocr: programs }))).toMatch(/^DOCUMENT_UNSUPPORTED: .*cannot be decoded/u);
  }, 120_000);

  it("is read where its page is a fax, for which pdf.js itself is needed", async ({ skip }) => {
    if (programs === null || !isInstalled("pdfjs-dist")) return skip();
    const document = await parse(writePdf([[]], { images: new Map([[1, faxPage]]) }), { ocr: programs });
    expect(outlineOf(document).join()).toContain(faxWords);
  }, 120_000);

  it("keeps to the limit on scanned pages and on their points", async ({ skip }) => {
    if (programs === null) return skip();
    const pdf = writePdf([[], [], []], {
      images: new Map([1, 2, 3].map((page) => [page, drawScan([`This is page number ${page} of three.`])])),
    });
    const document = await parse(pdf, { ocr: programs, limits: { maxScannedPages: 2, maxPagePixels: 2_000_000 } });
    expect(outlineOf(document)).toEqual([
      "paragraph This is page number 1 of three.",
      "paragraph This is page number 2 of three.",
    ]);
    expect(document.warnings.at(-1)).toBe("Page 3 is beyond the first 2 scanned pages and was left out.");
  }, 120_000);

  it("says what to install where Tesseract is missing, and keeps the pages that have text", async () => {
    const scan = { data: Buffer.from("ffd8ffd9", "hex"), width: 8, height: 8, filter: "DCTDecode" as const };
    const mixed = writePdf([lines(72, 700, typed), []], { images: new Map([[2, scan]]) });
    const document = await parse(mixed, missing());
    expect(outlineOf(document)).toEqual([`paragraph ${typed.join(" ")}`]);
    expect(document.warnings).toEqual([
      expect.stringMatching(/^Page 2 holds no text that can be read, .*Tesseract is installed.*Install Tesseract/u),
    ]);
    const only = writePdf([[]], { images: new Map([[1, scan]]) });
    expect(await failureOf(parse(only, missing()))).toMatch(
      /^DOCUMENT_UNSUPPORTED: The file is a PDF with scanned pages; .* Tesseract is installed/u,
    );
  });

  it("costs the page that takes too much memory to draw, and not the document", async ({ skip }) => {
    if (programs === null) return skip();
    const huge = drawScan(prose, 6);
    const pdf = writePdf([lines(72, 700, typed), [], []], {
      images: new Map([
        [2, huge],
        [3, drawScan(prose)],
      ]),
    });
    const document = await parse(pdf, { ocr: programs, maxMemoryBytes: 320 * 1024 * 1024 });
    expect(outlineOf(document)).toEqual([`paragraph ${typed.join(" ")}`, `paragraph ${prose.join(" ")}`]);
    expect(document.warnings).toContainEqual(
      expect.stringMatching(/^Page 2 could not be recognised \(DOCUMENT_TOO_LARGE\)/u),
    );
  }, 120_000);

  it("is cancelled with the pool", async ({ skip }) => {
    if (programs === null) return skip();
    const pdf = writePdf([[]], { images: new Map([[1, drawScan(prose)]]) });
    const path = join(folder, "cancelled.pdf");
    await writeFile(path, pdf);
    pool = new ParserPool({ size: 1, ocr: programs });
    const result = failureOf(pool.parse({ path }));
    await pool.close();
    expect(await result).toMatch(/^CANCELLED/u);
  }, 60_000);
});
