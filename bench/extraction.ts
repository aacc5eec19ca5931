/**
 * Main content of web pages against PyPI trafilatura on the same pages, whose text is known because they were made up:
 * `node extraction.ts [--python path] [--pages 3] [--seed 1] [--show seen]` prints one JSON object and exits 1 where the platform's F1
 * is lower. `platform` is what a crawl does (activities/clean.ts): trafilatura in the sidecar, and the platform's own reader
 * where that finds next to nothing; `reader` is that reader alone, which reads HTML files of every other source. Half of the layouts
 * are held out: nobody looks at them, page by page, while an extractor is changed.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { documentText } from "@anneal/core/document/element";
import { parseDocument } from "@anneal/documents/parse-document";
import { repoDir } from "@anneal/local-stack/environment";
import { makePages, scoreText, type BenchPage } from "./extraction-pages.ts";

/** As in apps/worker/src/activities/clean.ts: with less than this, extraction has thrown the page away. */
const minMainContentChars = 200;
const url = "https://example.org/page";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: process.env["ANNEAL_PYTHON"] ?? "python3" },
    pages: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
    /** "seen": each layout of the half that may be looked at. */
    show: { type: "string" },
  },
});

type Texts = { texts: string[]; seconds: number };
const pages = makePages(Number(values.pages), Number(values.seed));
const peer = runPeer();
const reader = await timed((page) => readHtml(page.html));
const extracted = runSidecar();
const platform: Texts = {
  texts: await Promise.all(extracted.markdown.map((markdown, at) => readMarkdown(markdown, reader.texts[at] ?? ""))),
  seconds: extracted.seconds,
};

const systems: Record<string, Texts> = {
  platform,
  reader,
  trafilatura: peer.default,
  trafilaturaWithoutComments: peer.withoutComments,
};
if (values.show === "seen") showLayouts();
const all = compare(() => true);
const heldOut = compare(({ heldOut }) => heldOut);
console.log(
  JSON.stringify({
    pages: pages.length,
    layouts: new Set(pages.map(({ layout }) => layout)).size,
    peer: `trafilatura ${peer.version}`,
    pagesPerSecond: Object.fromEntries(
      Object.entries(systems).map(([name, { seconds }]) => [name, Math.round(pages.length / seconds)]),
    ),
    seen: compare(({ heldOut }) => !heldOut),
    heldOut,
    all,
  }),
);
const isBelow = (scores: Scores) =>
  scores["platform"]!.f1 < Math.max(scores["trafilatura"]!.f1, scores["trafilaturaWithoutComments"]!.f1);
if (isBelow(all) || isBelow(heldOut)) process.exitCode = 1;

type Scores = Record<string, { f1: number; precision: number; recall: number }>;

/** The mean over the pages, every page counting the same. */
function compare(isWanted: (page: BenchPage) => boolean): Scores {
  return Object.fromEntries(
    Object.entries(systems).map(([name, { texts }]) => {
      const scores = pages.flatMap((page, at) => (isWanted(page) ? [scoreText(texts[at] ?? "", page.gold)] : []));
      const mean = (of: "f1" | "precision" | "recall") =>
        Math.round((scores.reduce((sum, score) => sum + score[of], 0) / scores.length) * 1000) / 1000;
      return [name, { f1: mean("f1"), precision: mean("precision"), recall: mean("recall") }];
    }),
  );
}

function showLayouts(): void {
  for (const layout of new Set(pages.filter(({ heldOut }) => !heldOut).map((page) => page.layout))) {
    const scores = compare((page) => page.layout === layout);
    const line = Object.values(scores).map(({ f1, precision, recall }) => `${f1} (${precision}/${recall})`);
    console.error(layout.padEnd(26), line.join("  "));
  }
}

async function timed(read: (page: BenchPage) => Promise<string>): Promise<Texts> {
  const startedAt = performance.now();
  const texts: string[] = [];
  for (const page of pages) texts.push(await read(page));
  return { texts, seconds: (performance.now() - startedAt) / 1000 };
}

async function readHtml(html: string): Promise<string> {
  const { elements } = await parseDocument({ bytes: Buffer.from(html), fileName: "page.html" });
  return documentText(elements);
}

/** @param fallback what the platform's own reader finds on the page */
async function readMarkdown(markdown: string, fallback: string): Promise<string> {
  if (markdown.length < minMainContentChars) return fallback;
  const { elements } = await parseDocument({ bytes: Buffer.from(markdown), fileName: "page.md" });
  return documentText(elements);
}

function runPeer(): { version: string; default: Texts; withoutComments: Texts } {
  const folder = mkdtempSync(join(tmpdir(), "anneal-bench-extraction-"));
  try {
    const [pagesPath, resultPath] = [join(folder, "pages.json"), join(folder, "result.json")];
    writeFileSync(pagesPath, JSON.stringify(pages.map(({ html }) => html)));
    runPython([join(import.meta.dirname, "extraction_peer.py"), pagesPath, resultPath], "");
    return JSON.parse(readFileSync(resultPath, "utf8")) as ReturnType<typeof runPeer>;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The extractor of the worker: lines in, lines out, an empty text where it finds none. Its start is counted. */
function runSidecar(): { markdown: string[]; seconds: number } {
  const startedAt = performance.now();
  const lines = pages.map(({ html }, at) => `${JSON.stringify({ id: at, html, url })}\n`);
  const output = runPython(["-m", "sidecars.main_content"], lines.join(""));
  const replies = output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { ok: boolean; text_markdown?: string });
  if (replies.length !== pages.length) throw new Error("The extractor did not answer for every page.");
  return {
    markdown: replies.map(({ text_markdown: markdown = "" }) => markdown),
    seconds: (performance.now() - startedAt) / 1000,
  };
}

function runPython(args: string[], input: string): string {
  const run = spawnSync(values.python, args, {
    input,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], PYTHONPATH: join(repoDir, "apps/sidecars/src") },
    maxBuffer: 256 * 1024 * 1024,
    timeout: 240_000,
  });
  if (run.status !== 0) throw new Error(`${args.join(" ")} failed: ${run.error?.message ?? run.stderr}`);
  return run.stdout;
}
