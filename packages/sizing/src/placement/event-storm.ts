import { SizingError } from "../sizing-error.ts";
import type { Cluster, Job } from "./cluster.ts";
import type { ClusterInput } from "./cluster-snapshot.ts";
import { createCluster } from "./create-cluster.ts";
import type { Decision } from "./decision.ts";
import { cordonNode, drainNode, loseNode, returnNode, setTeam, uncordonNode } from "./node-events.ts";
import type { PlacementRequest, TopologyLevel, WorkKind } from "./placement-request.ts";
import { createRandom, type Random } from "./random.ts";
import { finishWork, noteCheckpoint, startWaiting, submitRequest } from "./schedule.ts";
import { auditCluster, checkDecision, checkOrder } from "./storm-checks.ts";

/**
 * Random events on a cluster, and what must hold after each of them: no gang in parts, no quota passed, nothing booked
 * twice, no work placed while work of higher rank could have been, every answer with a reason. For tests and benchmarks;
 * the same seed gives the same events.
 */
export type StormReport = {
  events: number;
  decisions: Record<string, number>;
  evictions: number;
  violations: string[];
};

export type StormOptions = {
  cluster: ClusterInput;
  events: number;
  seed: number;
  /** Requests that run or wait at one time, at most. */
  mostAlive: number;
  /** Every so many events the whole state is read back from its snapshot and compared. */
  auditEvery: number;
  /** Part of the rounds in which what started is checked against everything that waits. */
  orderCheckPart: number;
};

export function runEventStorm(options: StormOptions): StormReport {
  let cluster = createCluster(options.cluster);
  const random = createRandom(options.seed);
  const report: StormReport = { events: 0, decisions: {}, evictions: 0, violations: [] };
  const alive: string[] = [];
  const past: PlacementRequest[] = [];
  const names = cluster.nodes.map(({ name }) => name);
  const teams = [...cluster.teams.keys()];
  let nowMs = cluster.nowMs;
  const violate = (what: string) => {
    if (report.violations.length < 100) report.violations.push(`event ${report.events}: ${what}`);
  };
  const note = (decision: Decision, victims: Map<string, Job>, ask: PlacementRequest) => {
    const key = decision.status === "admitted" ? "admitted" : `${decision.status}: ${decision.code}`;
    report.decisions[key] = (report.decisions[key] ?? 0) + 1;
    for (const fault of checkDecision(cluster, decision, victims, ask)) violate(fault);
    if (decision.status === "admitted") report.evictions += decision.evict.length;
  };

  for (; report.events < options.events; report.events++) {
    nowMs += random.below(120_000);
    // Clocks jump: to the past, and far ahead.
    const toldMs = random.chance(0.01) ? Math.max(0, nowMs - random.below(1e9)) : nowMs;
    if (random.chance(0.0005)) nowMs += 2 * 24 * 3_600_000;
    const clockBefore = cluster.nowMs;
    const jobsBefore = new Map(cluster.jobs);
    const dice = random.next();
    if (dice < 0.45 && alive.length < options.mostAlive) {
      const request = randomRequest(random, `r${report.events}`, teams, toldMs);
      const decision = submitRequest(cluster, request, toldMs);
      note(decision, jobsBefore, request);
      if (decision.status !== "refused") alive.push(request.id);
      past.push(request);
      if (past.length > 64) past.shift();
    } else if (dice < 0.85) {
      const [id] = alive.splice(random.below(Math.max(alive.length, 1)), 1);
      if (id !== undefined) finishWork(cluster, id, toldMs);
    } else if (dice < 0.88) {
      const again = past[random.below(Math.max(past.length, 1))];
      if (again) {
        const size = cluster.jobs.size + cluster.waiting.size;
        const known = cluster.jobs.has(again.id) || cluster.waiting.has(again.id);
        const decision = submitRequest(cluster, again, toldMs);
        if (known && cluster.jobs.size + cluster.waiting.size !== size) violate(`${again.id} was booked twice`);
        if (!known && decision.status !== "refused") alive.push(again.id);
      }
    } else if (dice < 0.9) cordonNode(cluster, random.pick(names));
    else if (dice < 0.93) uncordonNode(cluster, random.pick(names));
    else if (dice < 0.935) drainNode(cluster, random.pick(names), toldMs);
    else if (dice < 0.94) loseNode(cluster, random.pick(names), toldMs);
    else if (dice < 0.95) returnNode(cluster, random.pick(names));
    else if (dice < 0.96) changeQuota(cluster, random, random.pick(teams));
    else if (alive.length > 0) noteCheckpoint(cluster, random.pick(alive), toldMs);
    if (cluster.nowMs < clockBefore) violate("the clock went back");

    const victims = new Map(cluster.jobs);
    const waitingBefore = new Map(cluster.waiting);
    const started = startWaiting(cluster, toldMs);
    for (const decision of started) {
      // What was stopped for others may find room elsewhere at once.
      const request = (waitingBefore.get(decision.id) ?? victims.get(decision.id))?.request;
      if (request) note(decision, victims, request);
      else violate(`${decision.id} started without having waited`);
    }
    if (started.length > 0 && random.chance(options.orderCheckPart)) {
      for (const fault of checkOrder(cluster, started, waitingBefore)) violate(fault);
    }
    if (report.events % options.auditEvery === options.auditEvery - 1) {
      const { fault, restored } = auditCluster(cluster);
      if (fault !== null) violate(fault);
      if (restored !== null) cluster = restored;
    }
  }
  return report;
}

function changeQuota(cluster: Cluster, random: Random, name: string): void {
  const { spec } = cluster.teams.get(name)!;
  if (spec.nominalGpuMilli === null) return;
  const nominalGpuMilli = Math.max(0, spec.nominalGpuMilli + (random.below(5) - 2) * 2000);
  try {
    setTeam(cluster, { ...spec, nominalGpuMilli });
  } catch (error) {
    // Quotas that cannot hold together are refused, which is what this event is for.
    if (!(error instanceof SizingError) || error.code !== "CONTRADICTORY_QUOTA") throw error;
  }
}

/** Any request at all that a caller could make, most of them small. */
export function randomRequest(random: Random, id: string, teams: readonly string[], nowMs: number): PlacementRequest {
  const kind: WorkKind = random.pick(["serving", "training", "training", "batch"]);
  const shapes = random.pick([1, 1, 1, 2]);
  const gang = Array.from({ length: shapes }, () => {
    const what = random.next();
    const gpus = what < 0.1 ? 0 : what < 0.7 ? 1 : random.pick([2, 4, 8]);
    const share = gpus === 1 && random.chance(0.4) ? random.pick([110, 230, 320, 470, 500, 650, 810]) : 1000;
    const mig =
      gpus > 0 && share === 1000 && random.chance(0.1)
        ? { migProfile: random.pick(["1g.10gb", "2g.20gb", "3g.40gb"]) }
        : {};
    return {
      count: random.chance(0.7) ? 1 : 1 + random.below(6),
      gpus: "migProfile" in mig ? 1 : gpus,
      gpuMilli: share,
      ...mig,
      cpuMilli: 1000 * (1 + random.below(12) * Math.max(1, gpus)),
      memoryMib: 1024 * (1 + random.below(48) * Math.max(1, gpus)),
      ...(random.chance(0.2) ? { gpuModels: [random.pick(["H100", "L4", "A100"])] } : {}),
    };
  });
  const required: TopologyLevel = random.pick(["any", "any", "any", "nvlink", "node", "rail", "pool"]);
  return {
    id,
    team: random.pick(teams),
    kind,
    priority: random.below(4),
    gang,
    ...(random.chance(0.3) ? { topology: { required, apart: required !== "node" && random.chance(0.2) } } : {}),
    ...(random.chance(0.3) ? { expectedHours: random.below(20) } : {}),
    ...(random.chance(0.1) ? { submittedAtMs: Math.max(0, nowMs - random.below(3_600_000)) } : {}),
  };
}
