/**
 * Documents listed and synced a second by each kind of source, and the connector's memory. Every source runs in a process
 * of its own and every connector in another: `node connectors.ts [--kinds s3,file] [--count 100000]` prints one JSON
 * object. Synced: a first run, which reads, hashes and forgets every content, one document after the other as the worker
 * does (`--without-contents`: opens none); listed: a second run over what has not changed, which `--once` leaves out, and its figure
 * with it. A source that is "resumed" goes on from what an earlier run has left, which is made up: `read` are the documents
 * that were read here, and the figures a second are of those. Writing to the database and to the object store is not in it, see sync.ts.
 * Memory is that of the connector's process, what is known of the documents included, with a heap of 112 MiB. A folder and
 * a bucket have 100,000 documents by default, so that what grows with their number shows; the others have as many as their
 * server serves in a minute or two.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { repoDir } from "@anneal/local-stack/environment";
import type { BareResult } from "./connectors-bare-s3.ts";
import { fileSources } from "./connectors-files.ts";
import type { ReaderResult } from "./connectors-reader.ts";
import { recordSources } from "./connectors-records.ts";
import { startSource, type BenchSource, type SourceRecipe } from "./connectors-source.ts";

const wantedPerSecond = 500;
const maxPeakBytes = 300e6;
const MiB = 1024 ** 2;
/** V8 fills what it is given before it looks for what is left over; a reader has to do with this. */
const readerHeap = ["--max-old-space-size=112", "--max-semi-space-size=8"];
const recipes = { ...fileSources, ...recordSources };
const { values } = parseArgs({
  options: {
    kinds: { type: "string" },
    count: { type: "string" },
    python: { type: "string" },
    "without-contents": { type: "boolean", default: false },
    once: { type: "boolean", default: false },
  },
});
const how = { contents: !values["without-contents"], once: values.once };
const names = values.kinds?.split(",") ?? Object.keys(recipes);
const env = {
  ...process.env,
  ...(values.python === undefined ? {} : { ANNEAL_PYTHON: values.python }),
  PYTHONPATH: join(repoDir, "apps/sidecars/src"),
};

const figures: Record<string, unknown> = {};
const unmet: string[] = [];
for (const name of names) {
  const recipe = recipes[name];
  if (recipe === undefined)
    throw new Error(`There is no source ${name}. There are: ${Object.keys(recipes).join(", ")}.`);
  figures[name] = await measure(name, recipe, Number(values.count ?? recipe.count));
  console.error(name, JSON.stringify(figures[name]));
}
console.log(JSON.stringify({ ...figures, unmet }));
if (unmet.length > 0) process.exitCode = 1;

async function measure(name: string, recipe: SourceRecipe, count: number): Promise<unknown> {
  const source = await startSource(name, count, env);
  if (source === null) return "skipped: its server is not here";
  try {
    const { told } = source;
    const what = JSON.parse(told) as BenchSource;
    const result = await ask<ReaderResult>("connectors-reader.ts", JSON.stringify({ ...what, ...how }));
    const bare = name === "s3-moto" ? await ask<BareResult>("connectors-bare-s3.ts", told) : null;
    const before = what.earlier?.documents ?? 0;
    const read = result.documents - before;
    const syncedPerSecond = Math.round(read / result.syncSeconds);
    if (before > 0 && result.opened > read) unmet.push(`${name}: what an earlier run had read was read again`);
    check(name, count, result, syncedPerSecond);
    return {
      server: recipe.server,
      documents: result.documents,
      ...(before === 0 ? {} : { read }),
      ...(result.again === null ? {} : { listedPerSecond: Math.round(result.documents / result.again.seconds) }),
      syncedPerSecond,
      cpuMsPerDocument: round2((result.syncCpuSeconds * 1000) / read),
      peakMiB: Math.round(result.peakBytes / MiB),
      limitMiB: Math.round(maxPeakBytes / MiB),
      growthMiB: Math.round((result.peakBytes - result.startBytes) / MiB),
      ...(bare === null ? {} : { bareClientPerSecond: bare, ratio: round2(syncedPerSecond / bare.oneAtATime) }),
      ...(result.failures.length === 0 ? {} : { failures: result.failures }),
    };
  } finally {
    await source.stop();
  }
}

function check(name: string, count: number, result: ReaderResult, syncedPerSecond: number): void {
  if (result.documents !== count || result.failures.length > 0) unmet.push(`${name} was not read to its end`);
  const readAgain = result.again?.documents ?? 0;
  if (readAgain > 0) unmet.push(`${name}: ${readAgain} documents were read again`);
  if (result.peakBytes > maxPeakBytes) unmet.push(`${name}: more than 300 MB`);
  if (["file", "s3", "s3-far"].includes(name) && syncedPerSecond < wantedPerSecond) {
    unmet.push(`${name}: less than ${wantedPerSecond} documents/s`);
  }
}

/** One program that reads a line and answers with its last. */
async function ask<Result>(script: string, input: string): Promise<Result> {
  const child = spawn(process.execPath, [...readerHeap, join(import.meta.dirname, script)], {
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit") as Promise<[number | null]>;
  child.stdin.end(input);
  const output = await text(child.stdout);
  const [code] = await ended;
  if (code !== 0) throw new Error(`${script} ended with ${code}.`);
  return JSON.parse(output.trim().split("\n").at(-1) ?? "") as Result;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
