/**
 * Near-duplicate removal against PyPI datasketch's MinHashLSH on the same documents, one thread each, in alternation:
 * `node dedupe.ts [--python path] [--documents 20000] [--rounds 3]` prints one JSON object and exits 1 when a pair of
 * exact Jaccard >= 0.8 that the peer finds is missed. ANNEAL_PYTHON names the Python when the argument is absent.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeCorpus, type BenchDocument } from "./dedupe-corpus.ts";
import type { OurResult } from "./dedupe-ours.ts";

type PeerResult = {
  seconds: number;
  cpuSeconds: number;
  pairs: [number, number][];
  clusters: number;
  bands: number;
  rows: number;
};

const threshold = 0.8;
const { values } = parseArgs({
  options: {
    python: { type: "string", default: process.env["ANNEAL_PYTHON"] ?? "python3" },
    documents: { type: "string", default: "20000" },
    rounds: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
  },
});

const folder = mkdtempSync(join(tmpdir(), "anneal-bench-dedupe-"));
try {
  const documents = makeCorpus(Number(values.documents), Number(values.seed));
  writeFileSync(join(folder, "documents.json"), JSON.stringify(documents));
  const ours: OurResult[] = [];
  const peers: PeerResult[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    ours.push(runOnce<OurResult>(process.execPath, "dedupe-ours.ts"));
    peers.push(runOnce<PeerResult>(values.python, "dedupe_peer.py"));
  }
  const report = compare(documents, ours, peers);
  console.log(JSON.stringify(report, null, 2));
  if (report.missed > 0 || report.keptTogether > 0 || report.wronglyDropped > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function runOnce<Result>(program: string, script: string): Result {
  const resultPath = join(folder, "result.json");
  const run = spawnSync(program, [join(import.meta.dirname, script), join(folder, "documents.json"), resultPath], {
    env: {
      ...process.env,
      OMP_NUM_THREADS: "1",
      OPENBLAS_NUM_THREADS: "1",
      MKL_NUM_THREADS: "1",
    },
    encoding: "utf8",
    timeout: 240_000,
  });
  if (run.status !== 0) throw new Error(`${script} failed: ${run.error?.message ?? run.stderr}`);
  return JSON.parse(readFileSync(resultPath, "utf8")) as Result;
}

function compare(documents: readonly BenchDocument[], ours: readonly OurResult[], peers: readonly PeerResult[]) {
  const [our, peer] = [ours[0], peers[0]];
  if (!our || !peer) throw new Error("At least one round is needed.");
  const cache = new Map<number, Set<string>>();
  const similarity = ([left, right]: readonly [number, number]) =>
    literalJaccard(literalShingles(documents, left, cache), literalShingles(documents, right, cache));
  const position = new Map(documents.map(({ id }, i) => [id, i]));

  const ourPairs = new Set(our.pairs.map(([left, right]) => `${left} ${right}`));
  const peerPairs = peer.pairs.filter((pair) => similarity(pair) >= threshold);
  const kept = new Set(our.kept.map((id) => position.get(id)));
  const peerFound = new Set(peerPairs.map(([left, right]) => `${left} ${right}`));
  const docsPerSecond = (seconds: readonly number[]) => Math.round(documents.length / median(seconds));
  const removal = docsPerSecond(ours.map(({ removalSeconds }) => removalSeconds));
  const pairs = docsPerSecond(ours.map(({ pairsSeconds }) => pairsSeconds));
  const peerRate = docsPerSecond(peers.map(({ seconds }) => seconds));
  return {
    bench: "dedupe",
    documents: documents.length,
    rounds: ours.length,
    threshold,
    ours: {
      removalDocsPerSecond: removal,
      allPairsDocsPerSecond: pairs,
      kept: our.kept.length,
      pairs: our.pairs.length,
    },
    peer: {
      name: "datasketch MinHashLSH, 128 permutations",
      docsPerSecond: peerRate,
      bands: peer.bands,
      rows: peer.rows,
      clusters: peer.clusters,
      candidatePairs: peer.pairs.length,
      pairsAtThreshold: peerPairs.length,
    },
    /** Ours / peer, from text to what is removed, and from text to every verified pair. */
    ratio: round2(removal / peerRate),
    /** The first ratio in processor time, which a busy machine disturbs less. */
    cpuRatio: round2(
      median(peers.map(({ cpuSeconds }) => cpuSeconds)) /
        median(ours.map(({ removalCpuSeconds }) => removalCpuSeconds)),
    ),
    allPairsRatio: round2(pairs / peerRate),
    /** Pairs at or above the threshold, by their literal shingles, that the peer finds and we do not: must be 0. */
    missed: peerPairs.filter(([left, right]) => !ourPairs.has(`${left} ${right}`)).length,
    /** Such pairs of which we keep both documents: must be 0. */
    keptTogether: peerPairs.filter(([left, right]) => kept.has(left) && kept.has(right)).length,
    /** Documents dropped for one that they resemble less than the threshold: must be 0. */
    wronglyDropped: our.duplicates.filter(({ id, duplicateOf }) => {
      return similarity([position.get(duplicateOf) ?? -1, position.get(id) ?? -1]) < threshold;
    }).length,
    missedByPeer: our.pairs.filter(([left, right]) => !peerFound.has(`${left} ${right}`)).length,
  };
}

function literalShingles(
  documents: readonly BenchDocument[],
  at: number,
  cache: Map<number, Set<string>>,
): Set<string> {
  const known = cache.get(at);
  if (known) return known;
  const words = documents[at]?.text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const set = new Set(words.slice(0, -4).map((_, i) => words.slice(i, i + 5).join(" ")));
  cache.set(at, set);
  return set;
}

function literalJaccard(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const shared = [...left].filter((shingle) => right.has(shingle)).length;
  return shared === 0 ? 0 : shared / (left.size + right.size - shared);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
