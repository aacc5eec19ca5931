import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAnnealError } from "@anneal/core/errors";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ParserPool } from "../parser-pool.ts";
import { failureOf, outlineOf } from "../testing/outline-of.ts";
import type { OcrOptions } from "./text-recognizer.ts";

/**
 * Stands in for Tesseract 5: its language list, its parameters and its "tsv" output, by the manual page tesseract(1). A
 * picture's bytes after its signature say what happens to it.
 */
const fakeTesseract = `#!/bin/sh
if [ "$1" = --list-langs ]; then printf 'List of available languages in "/tessdata/" (3):\\ndeu\\n'; echo eng; echo osd; exit 0; fi
say() { printf '5\\t1\\t1\\t%s\\t1\\t1\\t0\\t0\\t9\\t9\\t95\\t%s\\n' "$@"; }
case "$(tail -c +9 "$1")" in
  slow*) exec sleep 600 ;;
  cut*) echo 'libpng error: Read Error' >&2; echo 'Error during processing.' >&2; exit 1 ;;
  huge*) echo 'Error in pixCreateNoInit: pixdata_malloc fail for data' >&2; exit 1 ;;
  bounds*) say 1 "$(ulimit -v)"; say 2 "$(env | cut -d= -f1 | sort | tr '\\n' ' ')" ;;
  alone*) if mkdir "$1.lock" 2>/dev/null; then say 1 alone; sleep 0.3; rmdir "$1.lock"; else say 1 crowded; fi ;;
  *) say 1 Prüfung; say 2 "$2 $3 $4 $5" ;;
esac
`;

const signature = "\x89PNG\r\n\x1a\n";
let folder: string;
let command: string;
let pool: ParserPool;

async function picture(does: string, start = signature): Promise<string> {
  const path = join(folder, `${does}.txt`);
  await writeFile(path, Buffer.from(start + does, "latin1"));
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

  it("makes another version of the parser once Tesseract or a language is there, so that what it could not read is tried again", async () => {
    const late = join(folder, "late-tesseract");
    const versionWith = (languages?: string[]) => {
      pool = new ParserPool({ size: 1, ocr: { command: late, ...(languages === undefined ? {} : { languages }) } });
      return pool.version();
    };
    const without = await versionWith();
    expect(await failureOf(pool.parse({ path: await picture("text") }))).toMatch(/^DOCUMENT_UNSUPPORTED/u);
    expect(await versionWith(["fra"])).toBe(without);

    await writeFile(late, fakeTesseract, { mode: 0o755 });
    const installed = await versionWith();
    expect(installed).not.toBe(without);
    expect((await pool.parse({ path: await picture("text") })).elements).not.toEqual([]);
    expect(await versionWith()).toBe(installed);
    // A language that is wanted and missing reads nothing, as if there were no Tesseract.
    expect(await versionWith(["fra"])).toBe(without);
    await writeFile(late, fakeTesseract.replace("echo eng;", "echo eng; echo fra;"), { mode: 0o755 });
    expect([without, installed]).not.toContain(await versionWith(["fra"]));
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
});
