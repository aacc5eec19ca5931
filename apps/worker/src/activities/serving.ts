import type { Database } from "@anneal/db/database";
import {
  listReplicas,
  listResidencies,
  removeSilentGateways,
  saveResidency,
  updateReplica,
  type Replica,
} from "@anneal/db/queries/deploy";
import { cancellationSignal, heartbeat } from "@temporalio/activity";
import { setTimeout as sleep } from "node:timers/promises";
import type { ReplicaDriver } from "../drivers/replicas.ts";

export type ServingActivities = ReturnType<typeof createServingActivities>;

const watchMs = 60 * 60_000;
const pollMs = 2000;

export function createServingActivities(deps: {
  db: Database;
  replicas: ReplicaDriver;
  maxLoraRank: number | null;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}) {
  const { db, replicas, log } = deps;

  /** Compares what a replica holds with the ledger, and makes it so. A restarted engine holds nothing. */
  async function reconcile(replica: Replica): Promise<void> {
    const engine = replicas.client(replica.url);
    if (!(await engine.isHealthy(AbortSignal.timeout(2000)))) {
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
    const wanted = await listResidencies(db, replica.id);
    const models = await engine.listModels();
    const held = new Set(models.filter((model) => model.isAdapter).map((model) => model.id));
    for (const residency of wanted) {
      const { servingName, objectPrefix, desired, observed } = residency;
      if (desired === "resident" && !held.has(servingName) && observed !== "loading") {
        await replicas.load(replica, servingName, objectPrefix);
        log.info({ replica: replica.url, servingName }, "adapter restored");
        await saveResidency(db, { ...residency, observed: "resident" });
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
        for (const replica of await listReplicas(db)) {
          try {
            await reconcile(replica);
          } catch (error) {
            const message = error instanceof Error ? error.message : String(error);
            if (replica.error !== message) {
              log.warn({ replica: replica.url, error: message }, "replica could not be reconciled");
              await updateReplica(db, replica.id, { error: message, checkedAt: new Date() });
            }
          }
        }
        heartbeat();
        await sleep(pollMs, undefined, { signal: cancellationSignal() });
      }
    },
  };
}
