/**
 * The scheduler at scale, in a process of its own so that its memory can be read: 10,000 GPUs, 1,000 queues, gangs and
 * topology on. Fills the cluster until work waits, then lets work end and come: `node placement-scale.ts [decisions [shapes]]`
 * prints one JSON object. A decision is what one call decides: a submission, or what starts when something has ended. The
 * jobs have so many shapes, 151 by default as the pods of gpu-v2023; with 0 nearly every job has a shape of its own.
 */
import { createCluster } from "@anneal/sizing/placement/create-cluster";
import { randomRequest } from "@anneal/sizing/placement/event-storm";
import { mixedCluster } from "@anneal/sizing/placement/mixed-cluster";
import { createRandom } from "@anneal/sizing/placement/random";
import { finishWork, startWaiting, submitRequest } from "@anneal/sizing/placement/schedule";

const wanted = Number(process.argv[2] ?? 30_000);
const shapes = Number(process.argv[3] ?? 151);
const nodes = 1544;
const queues = 1000;
const random = createRandom(11);
const cluster = createCluster(mixedCluster(nodes, queues));
const teams = [...cluster.teams.keys()];
const alive: string[] = [];
const times: number[] = [];
const statuses: Record<string, number> = {};
let made = 0;
let nowMs = 0;

const kinds = Array.from({ length: shapes }, () => randomRequest(random, "", teams, nowMs));
const submit = () => {
  const drawn = randomRequest(random, `r${made++}`, teams, nowMs);
  const { gang, topology, kind } = shapes > 0 ? random.pick(kinds) : drawn;
  const request = { ...drawn, gang, kind, topology };
  const before = performance.now();
  const decision = submitRequest(cluster, request, nowMs);
  times.push(performance.now() - before);
  const status = decision.status === "admitted" ? "admitted" : `${decision.status}: ${decision.code}`;
  statuses[status] = (statuses[status] ?? 0) + 1;
  if (decision.status !== "refused") alive.push(request.id);
};
while (cluster.waiting.size < 1000 && made < 100_000) submit();
const warmUp = { submissions: made, running: cluster.jobs.size, waiting: cluster.waiting.size };
times.length = 0;
for (const status of Object.keys(statuses)) delete statuses[status];
let started = 0;
const cpuBefore = process.cpuUsage();
while (times.length < wanted) {
  nowMs += random.below(2000);
  const [id] = alive.splice(random.below(alive.length), 1);
  const before = performance.now();
  finishWork(cluster, id!, nowMs);
  started += startWaiting(cluster, nowMs).length;
  times.push(performance.now() - before);
  if (cluster.waiting.size < 1500) submit();
}
const cpuSeconds = process.cpuUsage(cpuBefore).user / 1e6;
const spentMs = times.reduce((sum, each) => sum + each, 0);
const sorted = times.toSorted((left, right) => left - right);
const used = [...cluster.jobs.values()].reduce((sum, { gpuMilli }) => sum + gpuMilli, 0);
console.log(
  JSON.stringify({
    gpus: cluster.total.gpuMilli / 1000,
    nodes,
    queues,
    shapes,
    warmUp,
    decisions: times.length,
    decisionsPerSecond: Math.round(times.length / (spentMs / 1000)),
    p50DecisionMs: sorted[Math.floor(sorted.length * 0.5)],
    p99DecisionMs: sorted[Math.floor(sorted.length * 0.99)],
    worstDecisionMs: sorted.at(-1),
    /** By processor time, which a busy machine disturbs less; it includes making up the requests. */
    decisionsPerCpuSecond: Math.round(times.length / cpuSeconds),
    residentMb: Math.round(process.memoryUsage().rss / 2 ** 20),
    usedShare: used / cluster.total.gpuMilli,
    running: cluster.jobs.size,
    waiting: cluster.waiting.size,
    started,
    submissions: statuses,
  }),
);
