import type { Database } from "@anneal/db/database";
import {
  listReplicas,
  removeManagedReplicas,
  removeReplica,
  saveReplica,
  updateReplica,
} from "@anneal/db/queries/serving";
import { getServingTarget } from "@anneal/db/queries/serving-target";
import type { Service } from "@anneal/local-stack/progress";
import { setTimeout as sleep } from "node:timers/promises";

const pollMs = 1_000;
/** A machine on which an engine failed to start will not take it a second later either. */
const retryMs = 60_000;

/**
 * Starts and ends engines beside the stack's first one until as many run as the serving target wants. A new engine
 * serves once the worker has loaded its adapters; one that is too many is taken out of service here, drained by the
 * worker, and ended only then.
 * @param startEngine number 2 is the second engine
 */
export async function followServingTarget(options: {
  db: Database;
  baseModel: string;
  startEngine: (number: number) => Promise<Service>;
  signal: AbortSignal;
  onFailure: (error: unknown) => void;
}): Promise<void> {
  const { db, baseModel, signal } = options;
  const engines = new Map<string, { number: number; service: Service }>();
  let retryAt = 0;
  await removeManagedReplicas(db);
  while (!signal.aborted) {
    await step().catch(options.onFailure);
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }

  async function step(): Promise<void> {
    const target = await getServingTarget(db, baseModel);
    const managed = (await listReplicas(db)).filter((replica) => replica.managed);
    for (const replica of managed.filter(({ status }) => status === "drained")) {
      await engines.get(replica.url)?.service.stop();
      engines.delete(replica.url);
      await removeReplica(db, replica.id);
    }
    if (target === undefined) return;
    const serving = managed.filter(({ status }) => status !== "draining" && status !== "drained");
    // The first engine belongs to the stack itself.
    const surplus = serving.length + 1 - target.desired;
    for (const replica of serving.toReversed().slice(0, Math.max(0, surplus))) {
      await updateReplica(db, replica.id, { status: "draining", drainingSince: new Date() });
    }
    if (surplus < 0 && Date.now() >= retryAt) await add();
  }

  /** One at a time: two engines that start at once take twice as long each. */
  async function add(): Promise<void> {
    const taken = new Set([...engines.values()].map(({ number }) => number));
    let number = 2;
    while (taken.has(number)) number += 1;
    try {
      const service = await options.startEngine(number);
      engines.set(service.url, { number, service });
      await saveReplica(db, { url: service.url, baseModel, managed: true });
    } catch (error) {
      retryAt = Date.now() + retryMs;
      throw error;
    }
  }
}
