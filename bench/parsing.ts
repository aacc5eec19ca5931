/**
 * Documents and pages a second through the pool of parsers, as the worker has it, and the share of the text that comes
 * out again, by format: `node parsing.ts [--documents 60] [--seed 1]` prints one JSON object and exits 1 where a document cannot be
 * read or less than 99% of its text is recovered.
 *
 * Recovered: of the words and numbers that were written into the documents, each counted as often as it was written, those that the
 * parsed text holds, weighted by their characters. What is read twice does not count twice; order is not looked at.
 */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { documentText } from "@anneal/core/document/element";
import { ParserPool } from "@anneal/documents/parser-pool";
import { repoDir } from "@anneal/local-stack/environment";
import { formats, makeDocuments, type MadeDocument } from "./parsing-documents.ts";

const wantedShare = 0.99;
const warmUpDocuments = 8;
const { values } = parseArgs({
  options: { documents: { type: "string", default: "60" }, seed: { type: "string", default: "1" } },
});

const folder = await mkdtemp(join(tmpdir(), "anneal-bench-parsing-"));
const pool = new ParserPool();
const failures: string[] = [];
try {
  const figures: Record<string, unknown> = {};
  for (const format of formats) {
    // Each process of the pool loads a format's parser with the first document of it.
    await parseAll(await write(makeDocuments(format, warmUpDocuments, 0)));
    figures[format] = await measure(makeDocuments(format, Number(values.documents), Number(values.seed)));
  }
  figures["examples"] = await measureExamples();
  console.log(JSON.stringify({ ...figures, failures }));
} finally {
  await pool.close();
  await rm(folder, { recursive: true, force: true });
}
if (failures.length > 0) process.exitCode = 1;

async function measure(documents: MadeDocument[]): Promise<unknown> {
  const paths = await write(documents);
  const startedAt = performance.now();
  const parsed = await parseAll(paths);
  const seconds = (performance.now() - startedAt) / 1000;
  const written = { all: 0, found: 0 };
  for (const [at, { truth }] of documents.entries()) {
    const { all, found } = recoveredChars(parsed[at] ?? "", truth.join("\n"));
    written.all += all;
    written.found += found;
  }
  const recovered = written.found / written.all;
  const pages = documents.reduce((sum, document) => sum + document.pages, 0);
  if (recovered < wantedShare) failures.push(`${documents[0]?.name}: ${(recovered * 100).toFixed(1)}% recovered`);
  return {
    documents: documents.length,
    documentsPerSecond: round1(documents.length / seconds),
    ...(pages > documents.length ? { pagesPerSecond: round1(pages / seconds) } : {}),
    charactersPerSecond: Math.round(written.all / seconds),
    recovered: Math.round(recovered * 10_000) / 10_000,
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
  return { documents: paths.length, documentsPerSecond: round1(paths.length / seconds), refused };
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

function recoveredChars(text: string, truth: string): { all: number; found: number } {
  const wordsOf = (of: string) => of.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const left = new Map<string, number>();
  for (const word of wordsOf(text)) left.set(word, (left.get(word) ?? 0) + 1);
  let [all, found] = [0, 0];
  for (const word of wordsOf(truth)) {
    all += word.length;
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    found += word.length;
  }
  return { all, found };
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
