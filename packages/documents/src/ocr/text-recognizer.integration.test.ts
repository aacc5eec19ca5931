import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ParsedDocument } from "@anneal/core/document/element";
import { isAnnealError } from "@anneal/core/errors";
import { expectNoOrphan } from "@anneal/processes/orphan.fixture";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ParserPool } from "../parser-pool.ts";
import { fakeTesseract, pictureThat } from "../testing/fake-tesseract.ts";
import { failureOf, outlineOf } from "../testing/outline-of.ts";
import { drawScan, findGermanScanPrograms } from "../testing/scan-fixture.ts";
import type { OcrOptions } from "./text-recognizer.ts";

let folder: string;
let command: string;
let pool = new ParserPool();

async function picture(does: string, start?: string): Promise<string> {
  const path = join(folder, `${does}.txt`);
  await writeFile(path, pictureThat(does, start));
  return path;
}

async function parse(path: string, ocr: OcrOptions = {}) {
  pool = new ParserPool({ size: 1, ocr: { command, ...ocr } });
  return pool.parse({ path });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anneal-ocr-"));
  command = join(folder, "tesseract");
  await writeFile(command, fakeTesseract, { mode: 0o755 });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await pool.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("TextRecognizer", () => {
  it("reads a picture, whatever it is called, with the languages that are installed", async () => {
    const document = await parse(await picture("text"));
    expect(document.mediaType).toBe("image/png");
    expect(outlineOf(document)).toEqual(["paragraph Prüfung", "paragraph stdout -l eng+deu tsv"]);
    expect(document.elements[0]?.page).toBe(1);
    expect(document.warnings).toEqual([expect.stringContaining("(OCR)")]);
  });

  it("takes the languages that are set, and names those that are not installed", async () => {
    const document = await parse(await picture("text"), { languages: ["deu"] });
    expect(document.elements[1]?.text).toBe("stdout -l deu tsv");
    const failure = parse(await picture("text"), { languages: ["deu", "chi_sim"] });
    expect(await failureOf(failure)).toBe(
      "DOCUMENT_UNSUPPORTED: The file is a PNG image, and Tesseract has no language pack for chi_sim.",
    );
    const error: unknown = await failure.catch((reason: unknown) => reason);
    expect(isAnnealError(error) && error.action).toContain("tesseract-ocr-chi-sim");
  });

  it("says what to install where Tesseract is missing", async () => {
    const failure = parse(await picture("text"), { command: join(folder, "not-there") });
    expect(await failureOf(failure)).toMatch(
      /^DOCUMENT_UNSUPPORTED: The file is a PNG image; .* Tesseract is installed/u,
    );
    const error: unknown = await failure.catch((reason: unknown) => reason);
    expect(isAnnealError(error) && error.action).toContain("Install Tesseract");
  });

  it("tells which languages it uses, and of each document whether it depends on them, so that what could not be read is tried again", async () => {
    const late = join(folder, "late-tesseract");
    const languagesWith = (languages?: string[]) => {
      pool = new ParserPool({ size: 1, ocr: { command: late, ...(languages === undefined ? {} : { languages }) } });
      return pool.recognitionLanguages();
    };
    const depends = vi.fn<() => void>();
    expect(await languagesWith()).toEqual([]);
    const unread = pool.parse({ path: await picture("text"), onRecognition: depends });
    expect(await failureOf(unread)).toMatch(/^DOCUMENT_UNSUPPORTED/u);
    expect(depends).toHaveBeenCalled();
    expect(await languagesWith(["fra"])).toEqual([]);

    await writeFile(late, fakeTesseract, { mode: 0o755 });
    expect(await languagesWith()).toEqual(["deu", "eng"]);
    expect((await pool.parse({ path: await picture("text") })).elements).not.toEqual([]);
    // A language that is wanted and missing reads nothing, as if there were no Tesseract.
    expect(await languagesWith(["fra"])).toEqual([]);
    await writeFile(late, fakeTesseract.replace("echo eng;", "echo eng; echo fra;"), { mode: 0o755 });
    expect(await languagesWith(["fra"])).toEqual(["fra"]);
  });

  it("ends a picture that takes too long, and tells a broken one from one that takes too much memory", async () => {
    expect(await failureOf(parse(await picture("slow"), { timeoutMs: 500 }))).toBe(
      "DOCUMENT_TIMEOUT: Recognising the picture's text took longer than 0.5 s and was ended.",
    );
    expect(await failureOf(parse(await picture("cut")))).toMatch(/^DOCUMENT_DAMAGED: .*Error during processing/u);
    expect(await failureOf(parse(await picture("huge")))).toMatch(/^DOCUMENT_TOO_LARGE: .*2 GiB of memory/u);
  });

  it("bounds the program's memory and gives it none of our environment", async () => {
    vi.stubEnv("ANNEAL_ENCRYPTION_KEY", "secret");
    const document = await parse(await picture("bounds"), { maxMemoryBytes: 1024 ** 3 });
    expect(document.elements[0]?.text).toBe(String(1024 * 1024));
    expect(document.elements[1]?.text).not.toContain("ANNEAL");
  });

  it("never gives the program a file that only begins like a picture", async () => {
    const path = await picture("\x01list", "\x89PNG\n/etc/other.png\n");
    expect(await failureOf(parse(path))).toMatch(/^DOCUMENT_UNSUPPORTED: The file is a PNG image, which is not read/u);
  });

  it("reads one picture at a time", async () => {
    const path = await picture("alone");
    pool = new ParserPool({ size: 4, ocr: { command } });
    const documents = await Promise.all([1, 2, 3].map(() => pool.parse({ path })));
    expect(documents.map((document) => document.elements[0]?.text)).toEqual(["alone", "alone", "alone"]);
  });

  it("ends with the pool, what runs and what waits", async () => {
    const path = await picture("slow");
    pool = new ParserPool({ size: 1, ocr: { command } });
    const results = [1, 2].map(() => failureOf(pool.parse({ path })));
    await pool.close();
    expect(await Promise.all(results)).toEqual([
      expect.stringMatching(/^CANCELLED/u),
      expect.stringMatching(/^CANCELLED/u),
    ]);
  });

  it("leaves no program behind when the worker is killed", async () => {
    const path = JSON.stringify(await picture("slow"));
    await expectNoOrphan(
      `const { TextRecognizer } = await import(${JSON.stringify(new URL("./text-recognizer.ts", import.meta.url))});
       const recognizer = new TextRecognizer({ command: ${JSON.stringify(command)} });
       await recognizer.recognize(${path}, { mediaType: "image/png", name: "a PNG image" });`,
      "sleep 600",
    );
  });
});

describe("Tesseract itself", () => {
  const lines = [
    "Die Prüfung der Kühlpumpe gehört zur jährlichen Wartung.",
    "The annual test of the pump includes its seals.",
  ];

  it("reads German and English beside each other where it has both packs", async ({ skip }) => {
    const programs = await findGermanScanPrograms(await mkdtemp(join(folder, "real-")));
    if (programs === null) return skip("Debian's tesseract-ocr, tesseract-ocr-deu and fonts-dejavu-core are needed.");
    const path = join(folder, "letter.jpg");
    await writeFile(path, drawScan(lines).data);
    const text = (document: ParsedDocument) => document.elements.map((element) => element.text).join(" ");
    expect(text(await parse(path, programs))).toBe(lines.join(" "));
    expect(await pool.recognitionLanguages()).toEqual(["deu", "eng"]);
    // English alone has no such letters.
    expect(text(await parse(path, { ...programs, languages: ["eng"] }))).not.toContain("Prüfung");
    expect(text(await parse(path, { ...programs, languages: ["deu"] }))).toContain("Prüfung");
    expect(await failureOf(parse(path, { ...programs, languages: ["deu", "fra"] }))).toBe(
      "DOCUMENT_UNSUPPORTED: The file is a JPEG image, and Tesseract has no language pack for fra.",
    );
  }, 300_000);
});
