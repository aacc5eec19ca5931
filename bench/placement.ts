/**
 * The scheduler's figures: GPUs placed on gpu-v2023 against its peers, the distance to the integer-programming optimum,
 * speed and memory at 10,000 GPUs and 1,000 queues, and rules broken over random events:
 * `node placement.ts [--traces dir] [--events 1000000] [--instances 6] [--decisions 30000] [--parts variants,optimum,replay,scale,storm]` prints one JSON object and exits
 * 1 when a peer places as much as we do of a published list although pods were left over, the optimum is further than 2%, or
 * a rule was broken.
 */
import { runEventStorm } from "@anneal/sizing/placement/event-storm";
import { mixedCluster } from "@anneal/sizing/placement/mixed-cluster";
import type { NodeSpec } from "@anneal/sizing/placement/cluster-snapshot";
import { createRandom } from "@anneal/sizing/placement/random";
import { runFill } from "@anneal/sizing/placement/run-fill";
import { runReplay } from "@anneal/sizing/placement/run-replay";
import { parseTraceNodes, parseTracePods, type TracePod } from "@anneal/sizing/placement/trace";
import createHighs from "highs";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { boundPlacement } from "./placement-optimum.ts";
import { runPeers } from "./placement-peers.ts";
import { deriveVariants, inflate, sumGpus } from "./placement-variants.ts";

const { values } = parseArgs({
  options: {
    traces: { type: "string", default: join(import.meta.dirname, "../../shared/traces") },
    events: { type: "string", default: "1000000" },
    instances: { type: "string", default: "6" },
    decisions: { type: "string", default: "30000" },
    parts: { type: "string", default: "variants,optimum,replay,scale,storm" },
  },
});

const nodesFile = join(values.traces, "openb_node_list_gpu_node.csv");
const haveTraces = existsSync(nodesFile);
const nodes = haveTraces ? parseTraceNodes(readFileSync(nodesFile, "utf8")) : [];
const readPods = (name: string) =>
  parseTracePods(readFileSync(join(values.traces, `openb_pod_list_${name}.csv`), "utf8"));

const parts = values.parts.split(",");
const variants = haveTraces && parts.includes("variants") ? compareVariants() : [];
const optimum = haveTraces && parts.includes("optimum") ? await compareWithOptimum() : null;
const replay = haveTraces && parts.includes("replay") ? runReplay(nodes, readPods("default")) : null;
const scale = parts.includes("scale") ? runScale() : null;
const storm = parts.includes("storm") ? runStorm() : null;
const beaten = variants.filter(
  ({ ours, demand, peers }) => ours < demand - 1e-6 && ours <= Math.max(...Object.values(peers)),
);
const report = {
  bench: "placement",
  traces: haveTraces ? values.traces : "absent: figures on gpu-v2023 are left out",
  /** Lists of which a peer places as much on line, although not everything was placed. */
  lost: beaten.map(({ name }) => name),
  /** Those of which one also places as much as we do of the list as a whole. */
  lostAsBatch: beaten
    .filter(({ oursAsBatch, peers }) => (oursAsBatch ?? 0) <= Math.max(...Object.values(peers)))
    .map(({ name }) => name),
  /** Ours on line over the best peer's, the smallest and the mean over variants with pods left over. */
  gainOverBestPeer: summariseGain(),
  variants,
  optimum,
  scale,
  replay: replay && {
    waitSeconds: replay.waitSeconds,
    preemptions: replay.preemptions,
    allocatedGpus: replay.allocatedGpus,
  },
  storm,
};
console.log(JSON.stringify(report));
const lostPublished = beaten.some(({ isPublished }) => isPublished);
if (lostPublished || (optimum !== null && optimum.worstRatio < 0.98) || (storm?.violations ?? 0) > 0)
  process.exitCode = 1;

function compareVariants() {
  const published = ["default", "multigpu20"].map((name) => [name, readPods(name)] as const);
  const lists = [...published, ...Object.entries(deriveVariants(published[0]![1]))];
  const capacity = nodes.reduce((sum, { gpus }) => sum + gpus, 0);
  return lists
    .flatMap(([name, pods], i) => [
      { name, pods, isPublished: i < published.length },
      // A list that asks for more than there is fills the cluster as it is.
      ...(sumGpus(pods) > capacity
        ? []
        : [{ name: `${name}, inflated to 130%`, pods: inflate(pods, capacity * 1.3, 42), isPublished: false }]),
    ])
    .map(({ name, pods, isPublished }) => {
      const { onLine } = runFill(nodes, pods);
      const peers = runPeers(nodes, pods);
      const isLost =
        onLine.allocatedGpus < sumGpus(pods) - 1e-6 && onLine.allocatedGpus <= Math.max(...Object.values(peers));
      return {
        name,
        isPublished,
        demand: round(sumGpus(pods)),
        capacity,
        /** On line: in file order, nothing known of later pods, as the peers. */
        ours: onLine.allocatedGpus,
        peers: Object.fromEntries(Object.entries(peers).map(([peer, gpus]) => [peer, round(gpus)])),
        /** The list known as a whole, as `anneal place` takes it and no peer here does. */
        ...(isPublished || isLost
          ? { oursAsBatch: runFill(nodes, pods, { batchRounds: isPublished ? 10_000 : 3000 }).allocatedGpus }
          : {}),
      };
    });
}

function summariseGain() {
  const gains = variants
    .filter(({ ours, demand }) => ours < demand - 1e-6)
    .map(({ ours, peers }) => ours / Math.max(...Object.values(peers)));
  if (gains.length === 0) return null;
  return { least: round(Math.min(...gains)), mean: round(gains.reduce((sum, gain) => sum + gain, 0) / gains.length) };
}

/** Nodes and pods drawn from the trace, up to 64 nodes and 130% of their GPUs asked for; the batch against the bound. */
async function compareWithOptimum() {
  // The package's types describe its CommonJS build, whose loader is one level deeper than that of the module.
  const highs = await (createHighs as unknown as typeof createHighs.default)();
  const all = readPods("default");
  const instances = [8, 16, 32, 48, 64, 64].slice(0, Number(values.instances)).flatMap((size, i) => {
    const { chosen, pods } = drawInstance(all, size, i + 1);
    const bound = boundPlacement(highs, chosen, pods, { perNode: false, timeLimitS: 60 });
    if (bound === null) return [];
    const fill = runFill(chosen, pods, { batchRounds: 3000 });
    return [
      {
        nodes: size,
        pods: pods.length,
        upperBound: round(bound.upperBoundGpus),
        batch: fill.allocatedGpus,
        batchRatio: round(fill.allocatedGpus / bound.upperBoundGpus),
        onLineRatio: round(fill.onLine.allocatedGpus / bound.upperBoundGpus),
      },
    ];
  });
  return {
    solver: "HiGHS; the bound is of a relaxation over nodes of one type, so the optimum is at most that",
    worstRatio: Math.min(...instances.map(({ batchRatio }) => batchRatio)),
    instances,
  };
}

function drawInstance(all: readonly TracePod[], size: number, seed: number): { chosen: NodeSpec[]; pods: TracePod[] } {
  const random = createRandom(1000 * size + seed);
  const chosen = Array.from({ length: size }, (_, i) => ({ ...random.pick(nodes), name: `node-${i}` }));
  const gpus = chosen.reduce((sum, node) => sum + node.gpus, 0);
  return { chosen, pods: inflate(all, gpus * 1.3, seed) };
}

function runScale(): unknown {
  const child = spawnSync(process.execPath, [join(import.meta.dirname, "placement-scale.ts"), values.decisions], {
    encoding: "utf8",
    timeout: 600_000,
  });
  if (child.status !== 0) throw new Error(`placement-scale.ts failed: ${child.error?.message ?? child.stderr}`);
  return JSON.parse(child.stdout);
}

function runStorm() {
  const events = Number(values.events);
  const before = performance.now();
  const { decisions, evictions, violations } = runEventStorm({
    cluster: mixedCluster(24, 6),
    events,
    seed: 2026,
    mostAlive: 100,
    auditEvery: 5000,
    orderCheckPart: 0.01,
  });
  return {
    events,
    decisions,
    evictions,
    violations: violations.length,
    firstViolations: violations.slice(0, 5),
    seconds: Math.round((performance.now() - before) / 1000),
  };
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
