import { SizingError } from "../sizing-error.ts";
import type { Draw } from "./budget.ts";
import { type Cluster, gpuMilliOf, internShape, type Job, noteFreed, requireTeam } from "./cluster.ts";
import type { MemberPlacement } from "./cluster-snapshot.ts";
import { freeGpu, isMigSliceFree, takeMigSlice } from "./gpu-codes.ts";
import { findMismatch, migShapeOf } from "./node-type.ts";
import { giveBack, retake } from "./packing.ts";
import { isPreemptible, type PlacementRequest } from "./placement-request.ts";

/** Books a whole gang on GPUs that the caller has chosen and that are free. */
export function book(
  cluster: Cluster,
  request: PlacementRequest,
  taken: Job["taken"],
  startedAtMs: number,
  waitedSinceMs: number,
  standing: number,
): Job {
  const team = requireTeam(cluster, request.team);
  const job: Job = {
    request,
    team,
    taken,
    startedAtMs,
    waitedSinceMs,
    standing,
    gpuMilli: gpuMilliOf(cluster, request),
    preemptible: isPreemptible(request),
  };
  for (const each of taken) {
    retake(cluster.packing, each);
    cluster.jobsOnNode[each.node]!.add(job);
    noteStoppable(cluster, each.node);
  }
  cluster.jobs.set(request.id, job);
  count(cluster, job, 1);
  return job;
}

/** Takes a whole gang off its nodes. */
export function unbook(cluster: Cluster, job: Job): void {
  for (const each of job.taken) {
    noteFreed(cluster, each.node);
    giveBack(cluster.packing, each);
    cluster.jobsOnNode[each.node]!.delete(job);
    noteStoppable(cluster, each.node);
  }
  cluster.jobs.delete(job.request.id);
  count(cluster, job, -1);
}

/** Keeps `stoppable` true to what runs on the node. */
export function noteStoppable(cluster: Cluster, node: number): void {
  let [standing, gpuMilli, savedMs, held] = [Infinity, Infinity, 0, 0];
  for (const job of cluster.jobsOnNode[node]!) {
    if (!job.preemptible) continue;
    for (const each of job.taken) if (each.node === node) for (const { milli } of each.gpus) held += milli;
    if (job.request.kind === "serving") continue;
    standing = Math.min(standing, job.standing);
    gpuMilli = Math.min(gpuMilli, job.gpuMilli);
    savedMs = Math.max(savedMs, job.startedAtMs, job.request.checkpointedAtMs ?? 0);
  }
  cluster.stoppable.lowestStanding[node] = standing;
  cluster.stoppable.fewestGpuMilli[node] = gpuMilli;
  cluster.stoppable.latestSavedMs[node] = savedMs;
  cluster.stoppable.heldGpuMilli[node] = held;
}

/** What the request draws from budgets if it goes as expected. */
export function expectedDraw(request: PlacementRequest, gpuMilli: number): Draw {
  return { gpuHours: (gpuMilli / 1000) * (request.expectedHours ?? 0), tokens: request.tokens ?? 0 };
}

function count(cluster: Cluster, job: Job, sign: 1 | -1): void {
  const { team } = job;
  const draw = expectedDraw(job.request, job.gpuMilli);
  team.usedGpuMilli += sign * job.gpuMilli;
  if (!job.preemptible) team.fixedGpuMilli += sign * job.gpuMilli;
  team.running += sign;
  if (sign === -1) team.releases += 1;
  // With nothing running nothing is committed: rounding must not add up over years.
  team.committed.gpuHours = team.running === 0 ? 0 : team.committed.gpuHours + sign * draw.gpuHours;
  team.committed.tokens = team.running === 0 ? 0 : team.committed.tokens + sign * draw.tokens;
  for (const { node, shape, gpus } of job.taken) {
    team.usedCpuMilli += sign * shape.cpuMilli;
    team.usedMemoryMib += sign * shape.memoryMib;
    if (job.request.kind === "serving") continue;
    const pool = cluster.pools.get(cluster.nodes[node]!.pool)!;
    pool.otherThanServingMilli += sign * gpus.reduce((sum, { milli }) => sum + milli, 0);
  }
}

/**
 * The GPUs of a decision or a stored booking, checked against what is free.
 * @throws SizingError INVALID_REQUEST where a member is missing, a node is unknown or a GPU is taken
 */
export function readPlacements(
  cluster: Cluster,
  request: PlacementRequest,
  placements: readonly MemberPlacement[],
): Job["taken"] {
  const fail = (what: string) =>
    new SizingError("INVALID_REQUEST", `The booking of ${request.id} ${what}.`, { id: request.id });
  const left = request.gang.map(({ count: members }) => members);
  const { packing } = cluster;
  const cpu = new Map<number, number>();
  const memory = new Map<number, number>();
  const codes = new Map<number, number>();
  const taken = placements.map(({ member, node: name, gpus }) => {
    const node = cluster.nodeIndex.get(name);
    if (node === undefined || cluster.nodes[node]!.lost) throw fail(`names the node ${name}, which is not there`);
    if (left[member] === undefined || (left[member] -= 1) < 0) throw fail(`has too many of its member ${member}`);
    const shape = internShape(cluster, request.gang[member]!, request);
    const type = packing.types[packing.nodeType[node]!]!;
    const mismatch = findMismatch(type, shape);
    if (mismatch !== null) throw fail(`lies on ${name}, which cannot host it (${mismatch})`);
    if (gpus.length !== shape.gpus)
      throw fail(`holds ${gpus.length} GPUs on ${name} where ${shape.gpus} were asked for`);
    const mig = shape.migProfile === null ? null : migShapeOf(type, shape.migProfile);
    for (const { index, milli, slice } of gpus) {
      const at = node * packing.stride + index;
      const code = codes.get(at) ?? (index < type.gpus ? packing.codes[at]! : 0);
      const free =
        mig === null
          ? milli === shape.gpuMilli && code <= freeGpu && code >= milli
          : slice !== undefined &&
            slice % mig.size === 0 &&
            slice < mig.size * mig.count &&
            isMigSliceFree(code, slice, mig.size);
      if (!free) throw fail(`takes GPU ${index} of ${name}, which has no such room left`);
      codes.set(at, mig === null ? code - milli : takeMigSlice(code, slice!, mig.size));
    }
    cpu.set(node, (cpu.get(node) ?? packing.freeCpuMilli[node]!) - shape.cpuMilli);
    memory.set(node, (memory.get(node) ?? packing.freeMemoryMib[node]!) - shape.memoryMib);
    if (cpu.get(node)! < 0 || memory.get(node)! < 0)
      throw fail(`takes more processors or memory than ${name} has free`);
    return { member, node, shape, gpus };
  });
  if (left.some((members) => members > 0)) throw fail("lacks members of its gang");
  return taken;
}
