import { SizingError } from "../sizing-error.ts";
import { book, readPlacements, unbook } from "./booking.ts";
import type { Cluster, Job, Waiting } from "./cluster.ts";
import { createCluster, toSnapshot } from "./create-cluster.ts";
import { tryAdmit } from "./decide.ts";
import type { Decision } from "./decision.ts";
import type { PlacementRequest } from "./placement-request.ts";
import { borrowedMilli } from "./quota.ts";
import { outranks } from "./waiting.ts";

/** What must hold of any answer, given what ran and what was asked for. Empty where it does. */
export function checkDecision(
  cluster: Cluster,
  decision: Decision,
  victims: Map<string, Job>,
  request: PlacementRequest,
): string[] {
  const faults: string[] = [];
  const { id } = decision;
  if (decision.reason.length < 10) faults.push(`${id} has no reason`);
  if (decision.status !== "admitted") {
    if (decision.action.length < 10) faults.push(`${id} is ${decision.status} without what to do`);
    return faults;
  }
  const wanted = request.gang.reduce((sum, { count }) => sum + count, 0);
  const job = cluster.jobs.get(id);
  if (decision.placements.length !== wanted || job?.taken.length !== wanted)
    faults.push(`${id} got ${decision.placements.length} of ${wanted} pods`);
  const team = job?.team;
  const { nominalGpuMilli: nominal = null, borrowingLimitGpuMilli: borrowing = null } = team?.spec ?? {};
  if (team && job && job.gpuMilli > 0 && nominal !== null && team.usedGpuMilli > nominal + (borrowing ?? Infinity))
    faults.push(`${id} breaks the quota of ${team.spec.name}`);
  if (team && job && job.gpuMilli > 0 && !job.preemptible && nominal !== null && team.fixedGpuMilli > nominal)
    faults.push(`${id} borrows what cannot be taken back`);
  for (const { id: victimId } of decision.evict) {
    const victim = victims.get(victimId);
    if (!victim) faults.push(`${id} stops ${victimId}, which did not run`);
    else if (!victim.preemptible) faults.push(`${id} stops ${victimId}, which may not be stopped`);
    else if (victim.request.kind === "serving" && request.kind !== "serving")
      faults.push(`${id} stops the serving ${victimId}`);
    else if (request.kind !== "serving" && victim.request.priority > request.priority)
      faults.push(`${id} stops the more important ${victimId}`);
  }
  return faults;
}

/** Takes back what was started, the last first, and looks each time whether something of higher rank could have gone there. */
export function checkOrder(
  cluster: Cluster,
  started: readonly Decision[],
  waitingBefore: ReadonlyMap<string, Waiting>,
): string[] {
  const faults: string[] = [];
  if (started.some((decision) => decision.status === "admitted" && decision.evict.length > 0)) return faults;
  const undone: Job[] = [];
  for (const { id } of started.toReversed()) {
    const job = cluster.jobs.get(id);
    const entry = waitingBefore.get(id);
    if (!job || !entry) continue;
    unbook(cluster, job);
    undone.push(job);
    for (const other of cluster.waiting.values()) {
      if (!outranks(cluster, other, entry) || !waitingBefore.has(other.request.id)) continue;
      if (tryAdmit(cluster, other, false)?.status === "admitted")
        faults.push(`${id} started before ${other.request.id}, which goes first and had room`);
    }
  }
  for (const job of undone.toReversed())
    book(cluster, job.request, job.taken, job.startedAtMs, job.waitedSinceMs, job.standing);
  return faults;
}

/** Reads the state back from its snapshot, which checks every booking anew, and compares the books. */
export function auditCluster(cluster: Cluster): { fault: string | null; restored: Cluster | null } {
  try {
    const restored = createCluster(toSnapshot(cluster));
    for (let node = 0; node < cluster.nodes.length; node++) {
      const { name } = cluster.nodes[node]!;
      const [ours, theirs] = [cluster.packing, restored.packing];
      if (
        ours.freeCpuMilli[node] !== theirs.freeCpuMilli[node] ||
        ours.freeMemoryMib[node] !== theirs.freeMemoryMib[node]
      )
        return { fault: `${name} counts its processors or memory wrongly`, restored };
      for (let i = node * ours.stride; i < (node + 1) * ours.stride; i++)
        if (ours.codes[i] !== theirs.codes[i]) return { fault: `${name} counts a GPU wrongly`, restored };
    }
    for (const [name, team] of cluster.teams) {
      const other = restored.teams.get(name)!;
      if (
        team.usedGpuMilli !== other.usedGpuMilli ||
        team.fixedGpuMilli !== other.fixedGpuMilli ||
        borrowedMilli(team) !== borrowedMilli(other)
      )
        return { fault: `the team ${name} is counted wrongly`, restored };
    }
    for (const job of cluster.jobs.values()) readPlacementsOf(restored, job);
    return { fault: null, restored };
  } catch (error) {
    if (!(error instanceof SizingError)) throw error;
    return { fault: error.message, restored: null };
  }
}

/** A job's GPUs must be exactly what a fresh reading of its placements gives, once it is taken off. */
function readPlacementsOf(restored: Cluster, job: Job): void {
  const other = restored.jobs.get(job.request.id);
  if (!other) throw new SizingError("INVALID_REQUEST", `The running ${job.request.id} was lost in the snapshot.`);
  unbook(restored, other);
  const placements = job.taken.map(({ member, node, gpus }) => ({ member, node: restored.nodes[node]!.name, gpus }));
  book(
    restored,
    other.request,
    readPlacements(restored, other.request, placements),
    other.startedAtMs,
    other.waitedSinceMs,
    other.standing,
  );
}
