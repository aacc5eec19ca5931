import type { Database } from "@anneal/db/database";
import { listActivePlacements, listPools } from "@anneal/db/queries/pools";
import { listReplicas, type Replica } from "@anneal/db/queries/serving";
import { getServingTarget, updateServingTarget, type ServingTarget } from "@anneal/db/queries/serving-target";
import { createController, step, type ControllerState } from "@anneal/sizing/autoscale/controller";
import type { ReplicaMetrics, ReplicaObservation } from "@anneal/sizing/autoscale/observation";
import { metricsBetween, readVllmMetrics, type VllmSnapshot } from "@anneal/sizing/autoscale/read-vllm-metrics";
import type { ServingProfile } from "@anneal/sizing/autoscale/controller-settings";
import type { ReplicaDriver } from "../drivers/replicas.ts";

export type ServingScaler = {
  /** Cheap to call often: it decides once an interval, and only where an administrator lets it. */
  step(): Promise<void>;
};

const scrapeTimeoutMs = 5000;

/**
 * Feeds the controller of `@anneal/sizing` with the engines' own metrics and writes what it decides into the serving
 * target, which whoever starts engines follows.
 */
export function createServingScaler(deps: {
  db: Database;
  replicas: ReplicaDriver;
  baseModel: string;
  /** Null when nobody knows what the engines run on. */
  scaling: ServingProfile | null;
  intervalSeconds: number;
  now?: () => number;
}): ServingScaler {
  const { db, replicas, baseModel, scaling, intervalSeconds, now = Date.now } = deps;
  const scrapes = new Map<string, { snapshot: VllmSnapshot; atMs: number }>();
  let decidedAtMs = 0;

  async function scrape(replica: Replica, limits: ServingProfile["limits"]): Promise<ReplicaMetrics | null> {
    const text = await replicas.client(replica.url).readMetrics(AbortSignal.timeout(scrapeTimeoutMs));
    const [snapshot, atMs] = [readVllmMetrics(text), now()];
    const before = scrapes.get(replica.id);
    scrapes.set(replica.id, { snapshot, atMs });
    return before ? metricsBetween(before.snapshot, snapshot, (atMs - before.atMs) / 1000, limits) : null;
  }

  async function observe(replica: Replica, limits: ServingProfile["limits"]): Promise<ReplicaObservation | null> {
    const startedAt = (replica.engineStartedAt?.getTime() ?? now()) / 1000;
    switch (replica.status) {
      case "starting":
        return { id: replica.id, status: "starting", startedAt, metrics: null };
      case "ready":
        return {
          id: replica.id,
          status: "serving",
          startedAt,
          metrics: await scrape(replica, limits).catch(() => null),
        };
      case "draining":
      case "drained":
        return { id: replica.id, status: "draining", startedAt, metrics: null };
      case "down":
        return null;
    }
  }

  /** How many more engines the machines have room for, judged by what the running ones were placed with. */
  async function countPlaceable(): Promise<number> {
    const active = await listActivePlacements(db);
    const running = active.filter(({ status }) => status === "running");
    const engine = running.find(({ request }) => request.kind === "serving");
    const memberMib = engine?.request.gang[0]?.memoryMib;
    if (memberMib === undefined || memberMib === 0) return 0;
    const nodes = (await listPools(db)).flatMap((pool) => pool.nodes).filter((node) => !node.cordoned && !node.lost);
    const bookedMib = (name: string) =>
      running
        .flatMap(({ request, members }) => members.map((member) => ({ member, request })))
        .filter(({ member }) => member.node === name)
        .reduce((sum, { member, request }) => sum + (request.gang[member.member]?.memoryMib ?? 0), 0);
    return nodes.reduce(
      (sum, node) => sum + Math.max(0, Math.floor((node.memoryMib - bookedMib(node.name)) / memberMib)),
      0,
    );
  }

  /** The controller as it was, unless somebody has changed its bounds since. */
  function controllerOf(target: ServingTarget, known: ServingProfile): ControllerState {
    const settings = {
      ...known,
      intervalSeconds,
      minReplicas: target.minReplicas,
      maxReplicas: target.maxReplicas,
    };
    const fresh = createController(settings);
    const kept = target.controller as ControllerState | null;
    return kept !== null && JSON.stringify(kept.settings) === JSON.stringify(fresh.settings) ? kept : fresh;
  }

  return {
    async step() {
      if (now() - decidedAtMs < intervalSeconds * 1000) return;
      decidedAtMs = now();
      const target = await getServingTarget(db, baseModel);
      if (target === undefined || target.mode === "manual") return;
      if (scaling === null) {
        const reason =
          "Nobody has said what the engines run on, so nothing can be scaled: set ANNEAL_INFERENCE_GPUS for the worker.";
        await updateServingTarget(db, baseModel, { reasons: [reason], decidedAt: new Date(now()) });
        return;
      }
      const replicaList = await listReplicas(db);
      const observed = await Promise.all(replicaList.map((replica) => observe(replica, scaling.limits)));
      const decision = step(controllerOf(target, scaling), {
        at: now() / 1000,
        replicas: observed.filter((replica) => replica !== null),
        placeable: await countPlaceable(),
      });
      await updateServingTarget(db, baseModel, {
        desired: Math.max(1, decision.desiredReplicas),
        reasons: decision.reasons,
        controller: decision.nextState,
        decidedAt: new Date(now()),
      });
    },
  };
}
