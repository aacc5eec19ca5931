import { AnnealError } from "@anneal/core/errors";
import { withoutParameters } from "@anneal/core/query-parameters";
import { isSameModel } from "@anneal/core/register/serveability";
import type { Database } from "@anneal/db/database";
import { listServedNames } from "@anneal/db/queries/deploy";
import {
  haveGatewaysReportedSince,
  listReplicas,
  listResidencies,
  observeResidency,
  removeSilentGateways,
  updateReplica,
  wantResidencies,
  type Replica,
  type Residency,
} from "@anneal/db/queries/serving";
import type { ServingProfile } from "@anneal/sizing/autoscale/controller-settings";
import { readVllmMetrics } from "@anneal/sizing/autoscale/read-vllm-metrics";
import { cancellationSignal, heartbeat } from "@temporalio/activity";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { ReplicaDriver } from "../drivers/replicas.ts";
import type { ServingScaler } from "./scale-serving.ts";

export type ServingActivities = ReturnType<typeof createServingActivities>;

const watchMs = 60 * 60_000;
const pollMs = 2000;
/** An engine that has died refuses at once; one that is only slow on a busy machine still serves. */
const healthTimeoutMs = 5000;
/** A gateway that reports this long after a change has heard of it: it drops its list of replicas when it is told. */
const noticeMs = 1000;

export function createServingActivities(deps: {
  db: Database;
  replicas: ReplicaDriver;
  maxLoraRank: number | null;
  servingProfile: ServingProfile | null;
  scaler: ServingScaler;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}) {
  const { db, replicas, servingProfile, log } = deps;

  /** An adapter that the engine refuses must not keep the others, and the replica itself, from serving. */
  async function restore(replica: Replica, residency: Residency): Promise<void> {
    const { servingName, objectPrefix } = residency;
    try {
      await replicas.load(replica, servingName, objectPrefix);
      await observeResidency(db, residency, "resident");
      log.info({ replica: replica.url, servingName }, "adapter restored");
    } catch (error) {
      if (!(error instanceof AnnealError) || error.retryable) throw error;
      await observeResidency(db, residency, "failed", error.message);
      log.warn({ replica: replica.url, servingName, err: error }, "adapter could not be restored");
    }
  }

  /** Deployments load on the engines that serve at the time; one that was not there is told afterwards. */
  async function catchUp(replica: Replica): Promise<void> {
    const ledger = await listResidencies(db);
    const known = new Set(ledger.filter((row) => row.replicaId === replica.id).map((row) => row.servingName));
    const others = ledger.filter((row) => row.desired === "resident" && !known.has(row.servingName));
    // Not of one that serves: what it was told to give up, a deployment that is under way may bring to it again.
    const served = replica.status === "ready" ? [] : await listServedNames(db);
    const wanted = [...others, ...served].map(({ servingName, objectPrefix, workspaceId }) => ({
      servingName,
      objectPrefix,
      workspaceId,
    }));
    await wantResidencies(db, replica.id, wanted);
  }

  /** One that was taken out of service is drained when no gateway sends it anything new and its engine runs nothing. */
  async function drain(replica: Replica): Promise<void> {
    const since = replica.drainingSince ?? new Date();
    const isHeard = await haveGatewaysReportedSince(db, new Date(since.getTime() + noticeMs));
    if (!isHeard) return;
    const engine = replicas.client(replica.url);
    const signal = AbortSignal.timeout(healthTimeoutMs);
    if (await engine.isHealthy(signal)) {
      const { running, waiting } = readVllmMetrics(await engine.readMetrics(signal));
      if (running + waiting > 0) return;
    }
    await updateReplica(db, replica.id, { status: "drained" });
    log.info({ replica: replica.url }, "replica is drained");
  }

  /** Compares what a replica holds with the ledger, and makes it so. A restarted engine holds nothing. */
  async function reconcile(replica: Replica): Promise<void> {
    const engine = replicas.client(replica.url);
    if (!(await engine.isHealthy(AbortSignal.timeout(healthTimeoutMs)))) {
      if (replica.status === "ready") {
        log.warn({ replica: replica.url }, "replica does not answer");
        await updateReplica(db, replica.id, {
          status: "down",
          error: "The engine does not answer.",
          checkedAt: new Date(),
        });
      }
      return;
    }
    await catchUp(replica);
    const wanted = await listResidencies(db, replica.id);
    const models = await engine.listModels();
    const bases = models.filter((model) => !model.isAdapter).map((model) => model.id);
    if (bases[0] !== undefined && !bases.some((id) => isSameModel(id, replica.baseModel))) {
      // What it is, not what it was meant to be: a training for another base is refused by it.
      await updateReplica(db, replica.id, { baseModel: bases[0] });
      log.warn({ replica: replica.url, serves: bases[0], expected: replica.baseModel }, "replica serves another model");
    }
    if (!isDeepStrictEqual(replica.servingProfile, servingProfile)) {
      await updateReplica(db, replica.id, { servingProfile });
    }
    const held = new Set(models.filter((model) => model.isAdapter).map((model) => model.id));
    for (const residency of wanted) {
      const { servingName, desired, observed } = residency;
      if (desired === "resident" && !held.has(servingName) && observed !== "loading") {
        // One that failed is tried again when the engine has started anew, not every two seconds.
        if (observed !== "failed" || replica.status !== "ready") await restore(replica, residency);
      } else if (desired === "absent" && observed !== "failed") {
        await replicas.unload(replica, servingName);
      }
    }
    if (replica.status !== "ready") {
      // Ready only now: a replica that lacks its adapters must not be routed to.
      const startedAt = await engine.readStartTime();
      await updateReplica(db, replica.id, {
        status: "ready",
        error: null,
        checkedAt: new Date(),
        engineStartedAt: startedAt === null ? null : new Date(startedAt * 1000),
        maxLoraRank: deps.maxLoraRank,
      });
      log.info({ replica: replica.url }, "replica is ready");
    }
  }

  return {
    async watchReplicas(): Promise<void> {
      const until = Date.now() + watchMs;
      await removeSilentGateways(db);
      while (Date.now() < until) {
        heartbeat();
        for (const replica of await listReplicas(db)) {
          heartbeat();
          try {
            if (replica.status === "draining") await drain(replica);
            else if (replica.status !== "drained") await reconcile(replica);
          } catch (error) {
            const message = error instanceof Error ? withoutParameters(error).message : String(error);
            if (replica.error !== message) {
              log.warn({ replica: replica.url, err: error }, "replica could not be reconciled");
              await updateReplica(db, replica.id, { error: message, checkedAt: new Date() });
            }
          }
        }
        await deps.scaler.step().catch((error: unknown) => log.warn({ err: error }, "the autoscaler failed"));
        await sleep(pollMs, undefined, { signal: cancellationSignal() });
      }
    },
  };
}
