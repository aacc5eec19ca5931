import type { Database } from "@anneal/db/database";
import { listActivePlacements, listPools, type Placement } from "@anneal/db/queries/pools";
import { listReplicas, type Replica } from "@anneal/db/queries/serving";
import { getServingTarget, updateServingTarget, type ServingTarget } from "@anneal/db/queries/serving-target";
import { createController, step, type ControllerState } from "@anneal/sizing/autoscale/controller";
import type { ReplicaMetrics, ReplicaObservation } from "@anneal/sizing/autoscale/observation";
import { metricsBetween, readVllmMetrics, type VllmSnapshot } from "@anneal/sizing/autoscale/read-vllm-metrics";
import type { ServingProfile } from "@anneal/sizing/autoscale/controller-settings";
import type { ReplicaDriver } from "../drivers/replicas.ts";
import { countPlaceable } from "./count-placeable.ts";

export type ServingScaler = {
  /** Cheap to call often: it decides once an interval, and only where an administrator lets it. */
  step(): Promise<void>;
};

const scrapeTimeoutMs = 5000;

/** What the scheduler gave an engine on GPUs. */
export type PlacedEngine = { gpus: number; cacheGibPerGpu: number };

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
  /** What an engine can do on the part of its GPUs that it was given; null where it is not placed on GPUs that are known. */
  profilePlaced?: ((engine: PlacedEngine) => ServingProfile | null) | null;
  intervalSeconds: number;
  now?: () => number;
}): ServingScaler {
  const { db, replicas, baseModel, intervalSeconds, profilePlaced = null, now = Date.now } = deps;
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

  async function findRunning(): Promise<{ running: Placement[]; engine: Placement | undefined }> {
    const running = (await listActivePlacements(db)).filter(({ status }) => status === "running");
    return { running, engine: running.find(({ request }) => request.kind === "serving") };
  }

  /** By what an engine was placed with, where it has a part of a GPU. */
  function profileOf(engine: Placement | undefined): ServingProfile | null {
    const gpus = engine?.request.gang[0]?.gpus ?? 0;
    const cacheBytes = engine?.breakdown["kvCacheBytes"];
    if (profilePlaced === null || gpus === 0 || cacheBytes === undefined) return deps.scaling;
    return profilePlaced({ gpus, cacheGibPerGpu: cacheBytes / 2 ** 30 });
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
      const { running, engine } = await findRunning();
      const scaling = profileOf(engine);
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
        placeable: countPlaceable(
          (await listPools(db)).flatMap((pool) => pool.nodes),
          running,
          engine,
        ),
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
