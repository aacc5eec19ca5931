import { AnnealError } from "@anneal/core/errors";
import type { Database } from "@anneal/db/database";
import {
  defaultTeam,
  endPlacement,
  getPlacedGpus,
  listActivePlacements,
  submitPlacement,
} from "@anneal/db/queries/pools";
import {
  listReplicas,
  removeManagedReplicas,
  removeReplica,
  saveReplica,
  updateReplica,
} from "@anneal/db/queries/serving";
import { ensureServingTarget, getServingTarget } from "@anneal/db/queries/serving-target";
import type { Service } from "@anneal/local-stack/progress";
import type { EngineGpus } from "@anneal/local-stack/start-engine";
import type { Decision } from "@anneal/sizing/placement/decision";
import type { GangMember } from "@anneal/sizing/placement/placement-request";
import { setTimeout as sleep } from "node:timers/promises";

const pollMs = 1_000;
/** A machine on which an engine failed to start will not take it a second later either. */
const retryMs = 60_000;
/** Above any training: who waits for an answer goes before who waits for an adapter. */
const servingPriority = 100;
const pool = "this-machine";
const subjectOf = (number: number) => `replica:engine-${number}`;

export type EngineSizing = {
  /** Of main memory, or of GPU memory where `gpu` says how much of which. */
  totalBytes: number;
  breakdown: Record<string, number>;
  gpu?: {
    gpus: number;
    gpuMilli: number;
    /** vLLM's --gpu-memory-utilization. */
    memoryUtilization: number;
    /** Main memory beside it. */
    hostBytes: number;
  };
};

/** The first engine on a machine with GPUs, which waits for its place. */
export type FirstEngine = {
  start(gpus: EngineGpus): void;
  refuse(error: AnnealError): void;
  /** Told once, in words, when it has to wait. */
  wait(reason: string): void;
};

/**
 * Starts and ends engines beside the stack's first one until as many run as the serving target wants. Each has its place
 * on the machine first, like any other work. A new engine serves once the worker has loaded its adapters; one that is
 * too many is taken out of service here, drained by the worker, and ended only then.
 * @param sizing what one engine takes
 * @param startEngine number 2 is the second engine; `gpus` where engines run on GPUs
 * @param first where the stack's first engine waits for its place; without it, that one runs already
 */
export async function followServingTarget(options: {
  db: Database;
  baseModel: string;
  sizing: EngineSizing;
  startEngine: (number: number, gpus?: EngineGpus) => Promise<Service>;
  first?: FirstEngine;
  signal: AbortSignal;
  onFailure: (error: unknown) => void;
}): Promise<void> {
  const { db, baseModel, sizing, signal } = options;
  const engines = new Map<string, { number: number; service: Service }>();
  let retryAt = 0;
  let begun = false;
  let { first } = options;
  while (!signal.aborted) {
    await (begun ? step() : begin()).catch(options.onFailure);
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }

  async function begin(): Promise<void> {
    const initial = {
      desired: 1,
      minReplicas: 1,
      maxReplicas: 1,
      reasons: [],
      controller: null,
      decidedAt: new Date(),
    };
    await ensureServingTarget(db, { baseModel, mode: "manual", ...initial });
    await removeManagedReplicas(db);
    // The engines of the stack before ended with it.
    for (const { subject } of await listActivePlacements(db)) {
      if (subject.startsWith("replica:engine-")) await endPlacement(db, subject);
    }
    const decision = await place(1);
    if (decision.status === "queued") first?.wait(decision.reason);
    begun = true;
  }

  /** Only then: two programs that start on the memory of one both fail. */
  async function startFirst(waiting: FirstEngine): Promise<void> {
    const decision = await place(1);
    if (decision.status === "queued") return;
    const gpus = decision.status === "admitted" ? await grantedGpus(1) : undefined;
    first = undefined;
    if (gpus) waiting.start(gpus);
    if (decision.status !== "refused") return;
    const { reason, action } = decision;
    waiting.refuse(new AnnealError("ADMISSION_REFUSED", `The inference engine got no GPU. ${reason}`, { action }));
  }

  async function step(): Promise<void> {
    if (first) await startFirst(first);
    const target = await getServingTarget(db, baseModel);
    const managed = (await listReplicas(db)).filter((replica) => replica.managed);
    for (const replica of managed.filter(({ status }) => status === "drained")) {
      const engine = engines.get(replica.url);
      await engine?.service.stop();
      engines.delete(replica.url);
      await removeReplica(db, replica.id);
      if (engine) await endPlacement(db, subjectOf(engine.number));
    }
    for (const { subject, status } of await listActivePlacements(db)) {
      // Its place was taken from it: it answers what it was asked, and ends.
      const replica = managed.find(({ url }) => {
        const engine = engines.get(url);
        return engine !== undefined && subjectOf(engine.number) === subject;
      });
      if (status !== "waiting" || !replica || replica.status === "draining" || replica.status === "drained") continue;
      await updateReplica(db, replica.id, { status: "draining", drainingSince: new Date() });
      replica.status = "draining";
    }
    if (target === undefined) return;
    const serving = managed.filter(({ status }) => status !== "draining" && status !== "drained");
    // The first engine belongs to the stack itself.
    const surplus = serving.length + 1 - target.desired;
    for (const replica of serving.toReversed().slice(0, Math.max(0, surplus))) {
      await updateReplica(db, replica.id, { status: "draining", drainingSince: new Date() });
    }
    if (surplus < 0 && !first && Date.now() >= retryAt) await add();
    if (surplus >= 0) await giveUpWaiting();
  }

  /** One at a time: two engines that start at once take twice as long each. */
  async function add(): Promise<void> {
    const taken = new Set([...engines.values()].map(({ number }) => number));
    let number = 2;
    while (taken.has(number)) number += 1;
    // Without room it waits in the queue, where its reason is shown, and is asked for again.
    if ((await place(number)).status !== "admitted") return;
    try {
      const service = await options.startEngine(number, await grantedGpus(number));
      engines.set(service.url, { number, service });
      await saveReplica(db, { url: service.url, baseModel, managed: true });
    } catch (error) {
      retryAt = Date.now() + retryMs;
      await endPlacement(db, subjectOf(number));
      throw error;
    }
  }

  function place(number: number): Promise<Decision> {
    return submitPlacement(db, {
      request: {
        id: subjectOf(number),
        team: defaultTeam,
        kind: "serving",
        priority: servingPriority,
        gang: [memberOf(sizing)],
        pools: [pool],
      },
      workspaceId: null,
      predictedBytes: sizing.totalBytes,
      breakdown: sizing.breakdown,
    });
  }

  /** What the scheduler has chosen; nothing where engines need no GPU. @throws AnnealError when it was taken away again */
  async function grantedGpus(number: number): Promise<EngineGpus | undefined> {
    if (sizing.gpu === undefined) return undefined;
    const { memoryUtilization } = sizing.gpu;
    const placed = await getPlacedGpus(db, subjectOf(number));
    if (placed === null) {
      throw new AnnealError("ADMISSION_REFUSED", `Engine ${number} has no place on a GPU any more.`, {
        action: "It is asked for again; the Pools page says what runs where.",
        retryable: true,
      });
    }
    const neededBytes = Math.floor(placed.gpu.memoryGib * 2 ** 30 * memoryUtilization);
    return { ids: placed.ids, memoryUtilization, neededBytes };
  }

  /** An engine that is wanted no more need not wait for its place. */
  async function giveUpWaiting(): Promise<void> {
    for (const { subject, status } of await listActivePlacements(db)) {
      const isFirst = first !== undefined && subject === subjectOf(1);
      if (status === "waiting" && subject.startsWith("replica:engine-") && !isFirst) await endPlacement(db, subject);
    }
  }
}

function memberOf({ totalBytes, gpu }: EngineSizing): GangMember {
  const toMib = (bytes: number) => Math.ceil(bytes / 2 ** 20);
  if (gpu === undefined) return { count: 1, gpus: 0, gpuMilli: 1000, cpuMilli: 0, memoryMib: toMib(totalBytes) };
  const { gpus, gpuMilli, hostBytes } = gpu;
  return { count: 1, gpus, gpuMilli, cpuMilli: 0, memoryMib: toMib(hostBytes) };
}
