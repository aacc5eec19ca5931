/**
 * One timed run of our side, in a process of its own: `node dedupe-ours.ts documents.json result.json`. Both figures
 * run from text in memory to the finished answer; reading the file is left out, as it is for the peer.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { findSimilarPairs } from "@anneal/core/dedupe/find-similar-pairs";
import { planDedupe } from "@anneal/core/dedupe/plan-dedupe";
import type { BenchDocument } from "./dedupe-corpus.ts";

export type OurResult = {
  removalSeconds: number;
  /** Processor time of the removal, the collector's and compiler's threads included. */
  removalCpuSeconds: number;
  pairsSeconds: number;
  pairs: [number, number][];
  kept: string[];
  duplicates: { id: string; duplicateOf: string }[];
};

const [documentsPath, resultPath] = process.argv.slice(2);
if (!documentsPath || !resultPath) throw new Error("usage: node dedupe-ours.ts documents.json result.json");

const documents = (JSON.parse(readFileSync(documentsPath, "utf8")) as BenchDocument[]).map((document) => ({
  ...document,
  sourceId: "bench",
  ref: document.id,
  acl: null,
}));

let startedAt = performance.now();
const cpuStart = process.cpuUsage();
const plan = await planDedupe(documents);
const removalSeconds = (performance.now() - startedAt) / 1000;
const cpu = process.cpuUsage(cpuStart);
const removalCpuSeconds = (cpu.user + cpu.system) / 1e6;

startedAt = performance.now();
const pairs = findSimilarPairs(documents.map(({ text }) => text));
const pairsSeconds = (performance.now() - startedAt) / 1000;

const result: OurResult = {
  removalSeconds,
  removalCpuSeconds,
  pairsSeconds,
  kept: plan.kept,
  pairs: pairs.map(({ left, right }) => [left, right]),
  duplicates: plan.duplicates.map(({ id, duplicateOf }) => ({ id, duplicateOf })),
};
writeFileSync(resultPath, JSON.stringify(result));
