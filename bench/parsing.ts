/**
 * Documents and pages a second through the pool of parsers, as the worker has it, and the share of the text that comes
 * out again, by format: `node parsing.ts [--documents 60] [--seed 1] [--formats "pdf;docx"]` prints a line for each format as
 * it is done, and one JSON object at the end; it exits 1 where a document cannot be read or less of its text is recovered
 * than is wanted. A format that has no pages is told in documents and characters a second alone. Of what Tesseract has to
 * recognise a twentieth of the documents is made; where it cannot be had, none, and which formats were left out is told.
 */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { documentText } from "@anneal/core/document/element";
import { ParserPool } from "@anneal/documents/parser-pool";
import { repoDir } from "@anneal/local-stack/environment";
import { findScanPrograms } from "@anneal/documents/testing/scan-fixture";
import { formats, makeDocuments, type MadeDocument } from "./parsing-documents.ts";
import { measureRecovery } from "./parsing-recovery.ts";

const wantedShare = { read: 0.99, recognised: 0.95 };
const warmUpDocuments = 8;
const { values } = parseArgs({
  options: {
    documents: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    formats: { type: "string" },
  },
});
const chosen = values.formats?.split(";");

const folder = await mkdtemp(join(tmpdir(), "anneal-bench-parsing-"));
const programs = await findScanPrograms(folder);
const pool = new ParserPool(programs === null ? {} : { ocr: programs });
const failures: string[] = [];
const skipped: string[] = [];
try {
  const figures: Record<string, unknown> = {};
  for (const [format, { isRecognised = false }] of Object.entries(formats)) {
    if (chosen?.includes(format) === false) continue;
    if (isRecognised && programs === null) {
      skipped.push(format);
      continue;
    }
    // Each process of the pool loads a format's parser with the first document of it.
    if (!isRecognised) await parseAll(await write(makeDocuments(format, warmUpDocuments, 0)));
    const count = Math.ceil(Number(values.documents) / (isRecognised ? 20 : 1));
    const wanted = isRecognised ? wantedShare.recognised : wantedShare.read;
    figures[format] = await measure(format, makeDocuments(format, count, Number(values.seed)), wanted);
    console.error(format, JSON.stringify(figures[format]));
  }
  if (chosen === undefined) figures["examples"] = await measureExamples();
  console.log(JSON.stringify({ ...figures, ...(skipped.length === 0 ? {} : { skipped }), failures }));
} finally {
  await pool.close();
  await rm(folder, { recursive: true, force: true });
}
if (failures.length > 0) process.exitCode = 1;

async function measure(format: string, documents: MadeDocument[], wanted: number): Promise<unknown> {
  const paths = await write(documents);
  const startedAt = performance.now();
  const parsed = await parseAll(paths);
  const seconds = (performance.now() - startedAt) / 1000;
  const total = { written: 0, found: 0, inOrder: 0 };
  for (const [at, { truth }] of documents.entries()) {
    const { written, found, inOrder } = measureRecovery(parsed[at] ?? "", truth.join("\n"));
    total.written += written;
    total.found += found;
    total.inOrder += inOrder;
  }
  const [recovered, inOrder] = [total.found / total.written, total.inOrder / total.written];
  const pages = documents.reduce((sum, document) => sum + (document.pages ?? 0), 0);
  if (inOrder < wanted) {
    failures.push(`${format}: ${(recovered * 100).toFixed(1)}% recovered, ${(inOrder * 100).toFixed(1)}% in order`);
  }
  return {
    documents: documents.length,
    documentsPerSecond: round(documents.length / seconds, 2),
    ...(pages > 0 ? { pagesPerSecond: round(pages / seconds, 2) } : {}),
    charactersPerSecond: Math.round(total.written / seconds),
    recovered: round(recovered, 4),
    inOrder: round(inOrder, 4),
  };
}

/** Files as people have them, two of which are broken on purpose; what was written into them is not known. */
async function measureExamples(): Promise<unknown> {
  const root = join(repoDir, "examples/documents");
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const startedAt = performance.now();
  const results = await Promise.allSettled(paths.map((path) => pool.parse({ path })));
  const seconds = (performance.now() - startedAt) / 1000;
  const refused = results.flatMap((result, at) => (result.status === "rejected" ? [basename(paths[at]!)] : []));
  return { documents: paths.length, documentsPerSecond: round(paths.length / seconds, 1), refused };
}

async function write(documents: readonly MadeDocument[]): Promise<string[]> {
  return Promise.all(
    documents.map(async ({ name, bytes }) => {
      const path = join(folder, name);
      await writeFile(path, bytes);
      return path;
    }),
  );
}

/** What each document says, "" of one that failed. */
async function parseAll(paths: readonly string[]): Promise<string[]> {
  return Promise.all(
    paths.map(async (path) => {
      try {
        const { title, elements } = await pool.parse({ path });
        const text = documentText(elements);
        // A title of the file's own, such as a mail's subject, need not stand in its text.
        return title === null || text.includes(title) ? text : `${title}\n${text}`;
      } catch (error) {
        failures.push(`${basename(path)}: ${error instanceof Error ? error.message : String(error)}`);
        return "";
      }
    }),
  );
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
