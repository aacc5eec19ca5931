import type { PlacementRequest } from "@anneal/sizing/placement/placement-request";
import type { Cluster } from "@anneal/sizing/placement/cluster";
import { clusterSnapshotSchema, type ClusterSnapshot, type TeamSpec } from "@anneal/sizing/placement/cluster-snapshot";
import { createCluster, toSnapshot } from "@anneal/sizing/placement/create-cluster";
import type { Decision } from "@anneal/sizing/placement/decision";
import { finishWork, startWaiting, submitRequest } from "@anneal/sizing/placement/schedule";
import { and, asc, desc, eq, inArray, isNotNull, sql } from "drizzle-orm";
import type { Database, Transaction } from "../database.ts";
import { placements, pools, scheduler, teams, type NodeGpus, type PoolNode } from "../schema.ts";

export type Pool = typeof pools.$inferSelect;
export type Placement = typeof placements.$inferSelect;
export type Team = typeof teams.$inferSelect;

/** Whose quota counts where a workspace has no team of its own. */
export const defaultTeam = "default";
/** The engine that this machine's stack starts first and ends last. */
export const stackEngine = "replica:engine-1";
/** Ended work that is remembered, so that a submission that is repeated late does not run twice. */
const rememberedIds = 1000;

/** Declares a pool, or its machines anew; what a person has cordoned stays so. */
export async function savePool(db: Database, pool: { name: string; nodes: PoolNode[] }): Promise<Pool> {
  return db.transaction(async (tx) => {
    const [known] = await tx.select().from(pools).where(eq(pools.name, pool.name)).for("update");
    const cordoned = new Set(known?.nodes.filter((node) => node.cordoned).map(({ name }) => name));
    const nodes = pool.nodes.map((node) => ({ ...node, cordoned: node.cordoned || cordoned.has(node.name) }));
    const [row] = await tx
      .insert(pools)
      .values({ ...pool, nodes })
      .onConflictDoUpdate({ target: pools.name, set: { nodes } })
      .returning();
    return row!;
  });
}

export async function listPools(db: Database): Promise<Pool[]> {
  return db.select().from(pools).orderBy(asc(pools.name));
}

/** @returns false when there is no such machine */
export async function setCordoned(db: Database, node: string, cordoned: boolean): Promise<boolean> {
  return db.transaction((tx) => cordon(tx, node, cordoned));
}

async function cordon(tx: Transaction, node: string, cordoned: boolean): Promise<boolean> {
  for (const pool of await tx.select().from(pools).for("update")) {
    if (!pool.nodes.some(({ name }) => name === node)) continue;
    const nodes = pool.nodes.map((each) => (each.name === node ? { ...each, cordoned } : each));
    await tx.update(pools).set({ nodes }).where(eq(pools.id, pool.id));
    return true;
  }
  return false;
}

/**
 * Cordons a machine and takes their places from what runs there: a training stops at its checkpoint, an engine once it
 * has answered what it was asked, and each goes on where there is room. The stack's own engine stays: it ends with it.
 * @returns how many lost their place; undefined when there is no such machine
 */
export async function drainNode(db: Database, node: string, nowMs = Date.now()): Promise<number | undefined> {
  return db.transaction(async (tx) => {
    // The scheduler's row first, as every decision does, or two would wait for each other.
    const { active } = await readSnapshot(tx);
    if (!(await cordon(tx, node, true))) return undefined;
    const moved = active
      .filter(({ status, members }) => status === "running" && members.some((each) => each.node === node))
      .map(({ subject }) => subject)
      .filter((subject) => subject !== stackEngine);
    if (moved.length > 0)
      await tx
        .update(placements)
        .set({
          status: "waiting",
          members: [],
          startedAt: null,
          reason: `${node} is being drained.`,
          action: "It goes on where there is room, or when the machine is uncordoned.",
        })
        .where(inArray(placements.subject, moved));
    const { cluster, before } = await loadCluster(tx);
    await storeCluster(tx, cluster, before, decisionsOf(startWaiting(cluster, nowMs)));
    return moved.length;
  });
}

export async function listTeams(db: Database): Promise<Team[]> {
  return db.select().from(teams).orderBy(asc(teams.name));
}

/** @throws SizingError INVALID_REQUEST, CONTRADICTORY_QUOTA; nothing is then changed */
export async function saveTeam(db: Database, team: { spec: TeamSpec; workspaceId: string | null }): Promise<void> {
  await db.transaction(async (tx) => {
    const row = { name: team.spec.name, ...team };
    await tx.insert(teams).values(row).onConflictDoUpdate({ target: teams.name, set: row });
    // As they are written: what machines that went away make of them is the scheduler's to live with.
    createCluster({ ...(await readSnapshot(tx)).snapshot, bookings: [], pending: [] });
  });
}

/** The team whose quota a workspace's work counts against. */
export async function teamOf(db: Database, workspaceId: string): Promise<string> {
  const [row] = await db.select({ name: teams.name }).from(teams).where(eq(teams.workspaceId, workspaceId));
  return row?.name ?? defaultTeam;
}

/** What runs and what waits, the oldest first. */
export async function listActivePlacements(db: Database): Promise<Placement[]> {
  return db
    .select()
    .from(placements)
    .where(inArray(placements.status, ["waiting", "running"]))
    .orderBy(asc(placements.requestedAt));
}

/** What has ended and was measured, newest first: how good the predictions were. */
export async function listMeasuredPlacements(db: Database, limit = 20): Promise<Placement[]> {
  return db
    .select()
    .from(placements)
    .where(and(eq(placements.status, "ended"), isNotNull(placements.measuredBytes)))
    .orderBy(desc(placements.endedAt))
    .limit(limit);
}

export async function getPlacement(db: Database, subject: string): Promise<Placement | undefined> {
  const [row] = await db.select().from(placements).where(eq(placements.subject, subject));
  return row;
}

/** The GPUs that running work was placed on, in its member's order. `milli` is its part of each in thousandths. */
export type PlacedGpus = { ids: string[]; milli: number; gpu: NodeGpus["gpu"] };

/**
 * @returns null for work that holds no GPU: it needs none, or has no place (any more)
 */
export async function getPlacedGpus(db: Database, subject: string): Promise<PlacedGpus | null> {
  const placement = await getPlacement(db, subject);
  const [member] = placement?.status === "running" ? placement.members : [];
  if (member === undefined || member.gpus.length === 0) return null;
  const devices = (await listPools(db)).flatMap(({ nodes }) => nodes).find(({ name }) => name === member.node)?.devices;
  const ids = member.gpus.map(({ index }) => devices?.ids[index]);
  if (devices === undefined || !ids.every((id) => id !== undefined)) return null;
  return { ids, milli: member.gpus[0]!.milli, gpu: devices.gpu };
}

export type Submission = {
  request: PlacementRequest;
  workspaceId: string | null;
  predictedBytes: number;
  breakdown: Record<string, number>;
};

/**
 * Asks for room. Idempotent by the request's id: one that waits or runs gets the answer that it has; one that has ended
 * or was refused is decided anew. Decision and booking are one transaction, so that a crash loses and doubles nothing.
 */
export async function submitPlacement(db: Database, submission: Submission, nowMs = Date.now()): Promise<Decision> {
  const { request, ...facts } = submission;
  return db.transaction(async (tx) => {
    const { cluster, before } = await loadCluster(tx, request.id);
    // What waits may fit by now, the request itself included when it was asked for before.
    const started = startWaiting(cluster, nowMs);
    const decision = asCarriedOut(submitRequest(cluster, request, nowMs), cluster);
    if (decision.status === "refused" || !before.has(request.id)) {
      const row = {
        subject: request.id,
        ...facts,
        request,
        status: decision.status === "refused" ? ("refused" as const) : ("waiting" as const),
        members: [],
        reason: decision.reason,
        action: "action" in decision ? decision.action : null,
        measuredBytes: null,
        requestedAt: new Date(nowMs),
        startedAt: null,
        endedAt: decision.status === "refused" ? new Date(nowMs) : null,
      };
      await tx.insert(placements).values(row).onConflictDoUpdate({ target: placements.subject, set: row });
    }
    await storeCluster(tx, cluster, before, decisionsOf([...started, decision]));
    return decision;
  });
}

/** The work has ended, or is wanted no more. What waits and fits by now starts. */
export async function endPlacement(db: Database, subject: string, nowMs = Date.now()): Promise<void> {
  await db.transaction(async (tx) => {
    const { cluster, before } = await loadCluster(tx);
    finishWork(cluster, subject, nowMs);
    await storeCluster(tx, cluster, before, decisionsOf(startWaiting(cluster, nowMs)));
  });
}

/** Gives room to what waits, after machines, quotas or time have changed. */
export async function schedulePending(db: Database, nowMs = Date.now()): Promise<void> {
  await db.transaction(async (tx) => {
    const { cluster, before } = await loadCluster(tx);
    await storeCluster(tx, cluster, before, decisionsOf(startWaiting(cluster, nowMs)));
  });
}

export async function measurePlacement(db: Database, subject: string, measuredBytes: number): Promise<void> {
  await db
    .update(placements)
    .set({ measuredBytes: sql`greatest(${Math.round(measuredBytes)}, coalesce(${placements.measuredBytes}, 0))` })
    .where(and(eq(placements.subject, subject), eq(placements.status, "running")));
}

/** The answer to what waits already is a forecast; it holds a place only once it was started. */
function asCarriedOut(decision: Decision, cluster: Cluster): Decision {
  if (decision.status !== "admitted" || cluster.jobs.has(decision.id)) return decision;
  const { id } = decision;
  const reason = "There is room for it, and it starts with the next decision.";
  return { id, status: "queued", code: "behind", reason, action: "It starts in a moment.", explanation: null };
}

const decisionsOf = (decisions: readonly Decision[]) => new Map(decisions.map((each) => [each.id, each]));

/**
 * The whole state, under the scheduler's lock until the transaction ends.
 * @param again an id that may be asked for although it has ended
 */
async function loadCluster(
  tx: Transaction,
  again?: string,
): Promise<{ cluster: Cluster; before: Map<string, Placement> }> {
  const { snapshot, active } = await readSnapshot(tx, again);
  return {
    cluster: createCluster(withinCapacity(snapshot)),
    before: new Map(active.map((row) => [row.subject, row])),
  };
}

async function readSnapshot(
  tx: Transaction,
  again?: string,
): Promise<{ snapshot: ClusterSnapshot; active: Placement[] }> {
  await tx.insert(scheduler).values({ id: 1, nowMs: 0, demand: [] }).onConflictDoNothing();
  const [own] = await tx.select().from(scheduler).where(eq(scheduler.id, 1)).for("update");
  const active = await tx
    .select()
    .from(placements)
    .where(inArray(placements.status, ["waiting", "running"]));
  const finished = await tx
    .select({ subject: placements.subject })
    .from(placements)
    .where(eq(placements.status, "ended"))
    .orderBy(desc(placements.endedAt))
    .limit(rememberedIds);
  const allPools = await tx.select().from(pools);
  const specs = (await tx.select().from(teams)).map(({ spec }) => spec);
  const nodes = allPools.flatMap(({ name, nodes: own }) =>
    own.map(({ devices: _, ...node }) => ({ ...node, pool: name })),
  );
  const gpusOf = new Map(nodes.map(({ name, gpus }) => [name, gpus]));
  // Of a machine or a GPU that is no longer declared nothing runs any more: what ran there waits for another.
  const isHere = ({ members }: Placement) =>
    members.every(({ node, gpus }) => gpus.every(({ index }) => index < (gpusOf.get(node) ?? 0)) && gpusOf.has(node));
  const snapshot: ClusterSnapshot = {
    ...emptySnapshot,
    nowMs: own!.nowMs,
    // What an earlier release learned otherwise is learned again.
    demand: clusterSnapshotSchema.shape.demand.safeParse(own!.demand).data ?? [],
    nodes,
    pools: allPools.map(({ name, kinds, servingReserveGpuMilli }) => ({
      name,
      kinds: kinds ?? ["serving", "training", "batch"],
      servingReserveGpuMilli,
    })),
    teams: specs.some(({ name }) => name === defaultTeam) ? specs : [...specs, unlimitedTeam],
    bookings: active
      .filter((row) => row.status === "running" && isHere(row))
      .map(({ request, members, startedAt }) => ({ request, placements: members, startedAtMs: startedAt!.getTime() })),
    pending: active
      .filter((row) => row.status === "waiting" || !isHere(row))
      .map(({ request, requestedAt }) => ({ request, sinceMs: requestedAt.getTime() })),
    finished: finished.map(({ subject }) => subject).filter((subject) => subject !== again),
  };
  return { snapshot, active };
}

/** Machines that went away must not stop every decision: quotas above what is left share it in proportion. */
function withinCapacity(snapshot: ClusterSnapshot): ClusterSnapshot {
  const milliOf = (pool?: string) =>
    snapshot.nodes.filter((node) => pool === undefined || node.pool === pool).reduce((sum, { gpus }) => sum + gpus, 0) *
    1000;
  const total = milliOf();
  const nominal = snapshot.teams.reduce((sum, team) => sum + (team.nominalGpuMilli ?? 0), 0);
  if (nominal <= total) return clipReserves(snapshot.teams);
  return clipReserves(
    snapshot.teams.map((team) => ({
      ...team,
      nominalGpuMilli:
        team.nominalGpuMilli === null ? null : Math.floor((team.nominalGpuMilli * total) / Math.max(1, nominal)),
    })),
  );

  function clipReserves(shared: TeamSpec[]): ClusterSnapshot {
    const clipped = snapshot.pools.map((pool) => ({
      ...pool,
      servingReserveGpuMilli: Math.min(pool.servingReserveGpuMilli, milliOf(pool.name)),
    }));
    return { ...snapshot, teams: shared, pools: clipped };
  }
}

const unlimitedTeam: TeamSpec = {
  name: defaultTeam,
  nominalGpuMilli: null,
  borrowingLimitGpuMilli: null,
  weight: 1,
  budgets: [],
};
const emptySnapshot = { settings: { agingMs: 3_600_000, holdAfterMs: 7_200_000 } };

/** Writes what a decision changed: who runs where, who waits again, who has ended, and what was drawn from budgets. */
async function storeCluster(
  tx: Transaction,
  cluster: Cluster,
  before: ReadonlyMap<string, Placement>,
  decisions: ReadonlyMap<string, Decision>,
): Promise<void> {
  const after = toSnapshot(cluster);
  await tx.update(scheduler).set({ nowMs: after.nowMs, demand: after.demand }).where(eq(scheduler.id, 1));
  const now = new Date(after.nowMs);
  const told = (subject: string) => {
    const decision = decisions.get(subject);
    return decision ? { reason: decision.reason, action: "action" in decision ? decision.action : null } : {};
  };
  const active = new Set<string>();
  for (const { request, placements: members, startedAtMs } of after.bookings) {
    active.add(request.id);
    if (before.get(request.id)?.status === "running") continue;
    await tx
      .update(placements)
      .set({ status: "running", members, startedAt: new Date(startedAtMs), ...told(request.id) })
      .where(eq(placements.subject, request.id));
  }
  for (const { request } of after.pending) {
    active.add(request.id);
    const decision = decisions.get(request.id);
    if (before.get(request.id)?.status === "waiting" && !decision) continue;
    const stopped = before.get(request.id)?.status === "running" ? { reason: "It was stopped for other work." } : {};
    await tx
      .update(placements)
      .set({ status: "waiting", members: [], startedAt: null, ...stopped, ...told(request.id) })
      .where(eq(placements.subject, request.id));
  }
  const ended = [...before.keys()].filter((subject) => !active.has(subject));
  if (ended.length > 0)
    await tx.update(placements).set({ status: "ended", endedAt: now }).where(inArray(placements.subject, ended));
  const known = new Map((await tx.select().from(teams)).map((row) => [row.name, row]));
  for (const spec of after.teams) {
    const row = known.get(spec.name);
    // Only what was drawn: the quota may have been lowered for this decision alone.
    if (row && spec.budgets.length > 0)
      await tx
        .update(teams)
        .set({ spec: { ...row.spec, budgets: spec.budgets } })
        .where(eq(teams.name, spec.name));
  }
}
