import { AnnealError, assertNever } from "@anneal/core/errors";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { awaitIdle } from "./await-idle.ts";
import type { ReplicaState } from "./combine-replicas.ts";
import {
  findMembers,
  isAlive,
  killAll,
  markVariable,
  type ProcessIdentity,
  readBootId,
  signal,
} from "./process-table.ts";
import type { ReplicaFiles, ReplicaPlan } from "./replica-files.ts";
import type { Workload } from "./workload.ts";

const runnerFile = fileURLToPath(new URL("./run-replica.ts", import.meta.url));
const pollMs = 20;
/** A busy machine starts a program late; this only bounds hanging. */
const startBoundMs = 60_000;
const killBoundMs = 10_000;
/** Of the grace, what draining may take; the rest is for ending by itself. */
const drainShare = 0.8;

/** Where a replica stands by what it left on disk and what of it is alive. */
export type ReplicaStanding =
  | { status: "unplanned" }
  /** Planned, and its runner never came: the driver died in between. */
  | { status: "planned"; plan: ReplicaPlan }
  | { status: "alive"; plan: ReplicaPlan }
  | {
      status: "ended";
      plan: ReplicaPlan;
      runner: ProcessIdentity;
      failure: { reason: string; exitCode: number } | null;
    }
  /** The runner is gone without a result: killed, or the machine was restarted. */
  | { status: "lost"; plan: ReplicaPlan; runner: ProcessIdentity; reason: string };

export async function inspectReplica(files: ReplicaFiles): Promise<ReplicaStanding> {
  const plan = await files.readPlan();
  if (!plan) return { status: "unplanned" };
  const runner = await files.readRunner();
  if (!runner) return { status: "planned", plan };
  if (await isAlive(runner)) {
    const result = await files.readResult();
    return result ? { status: "ended", plan, runner, ...result } : { status: "alive", plan };
  }
  // Read after it was seen to be dead: what it wrote as its last is there now.
  const result = await files.readResult();
  if (result) return { status: "ended", plan, runner, ...result };
  const reason =
    runner.bootId === (await readBootId())
      ? "Its runner was killed from outside, and its processes were ended with it."
      : "The machine was restarted while it ran.";
  return { status: "lost", plan, runner, reason };
}

/** @throws AnnealError DEPLOYMENT_FAILED when the runner does not start */
export async function launchReplica(
  files: ReplicaFiles,
  plan: ReplicaPlan,
  baseEnv: Record<string, string>,
): Promise<void> {
  await mkdir(files.directory, { recursive: true });
  const logFile = join(files.directory, "runner.log");
  const log = await open(logFile, "a");
  let exited = false;
  try {
    const child = spawn(process.execPath, [runnerFile, files.directory], {
      // Detached (setsid): it outlives us, and what belongs to it can be found again by its sid.
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      env: { ...baseEnv, [markVariable]: plan.mark },
    });
    child.once("exit", () => {
      exited = true;
    });
    await once(child, "spawn");
    child.unref();
  } finally {
    await log.close();
  }
  const deadline = Date.now() + startBoundMs;
  while (!(await files.readRunner())) {
    if (exited || Date.now() > deadline) {
      if (await files.readRunner()) return;
      await killAll(() => findMembers(null, plan.mark), killBoundMs);
      throw new AnnealError("DEPLOYMENT_FAILED", "The process that runs a workload did not start.", {
        action: "It is tried again; look at the details and at the free memory of this machine if it stays.",
        details: { log: (await readFile(logFile, "utf8")).slice(-2000) },
        retryable: true,
      });
    }
    await sleep(pollMs);
  }
}

export async function observeReplica(workload: Workload, index: number, files: ReplicaFiles): Promise<ReplicaState> {
  const standing = await inspectReplica(files);
  switch (standing.status) {
    case "unplanned":
    case "planned":
      return { status: "pending", reason: "It has not been started yet, or its start was interrupted." };
    case "ended":
      if (workload.kind === "serving") return { status: "pending", reason: "It has been asked to end." };
      return standing.failure ? { status: "failed", ...standing.failure } : { status: "succeeded" };
    case "lost": {
      // Members without a runner have nobody who ends them as a gang or keeps their exit codes.
      await endLeftovers(standing.plan, standing.runner);
      if (workload.kind === "training") return { status: "failed", reason: standing.reason, exitCode: null };
      return { status: "pending", reason: `${standing.reason} The next start brings it back.` };
    }
    case "alive":
      return observeLive(workload, index, files, standing.plan);
    default:
      return assertNever(standing);
  }
}

/** Drains it, asks it to end, kills it. @throws AnnealError DEPLOYMENT_FAILED or TRAINING_FAILED, retryable */
export async function endReplica(workload: Workload, files: ReplicaFiles, graceMs: number): Promise<void> {
  const plan = await files.readPlan();
  if (!plan) return;
  const deadline = Date.now() + graceMs;
  const runner = await files.readRunner();
  if (runner && (await isAlive(runner))) {
    const { drain } = workload;
    if (drain) await awaitIdle(localUrl(plan, drain.port, drain.path), drain.gauges, graceMs * drainShare);
    signal(runner.pid, "SIGTERM");
    while ((await isAlive(runner)) && Date.now() < deadline) await sleep(pollMs);
  }
  await endLeftovers(plan, runner);
  const left = await findMembers(runner, plan.mark);
  if (left.length > 0) {
    throw new AnnealError(
      workload.kind === "training" ? "TRAINING_FAILED" : "DEPLOYMENT_FAILED",
      `Processes of "${workload.id}" do not end, not even when killed: ${left.join(", ")}.`,
      {
        action: "They hang in the kernel, most often in a GPU driver; restart the machine if they stay.",
        retryable: true,
      },
    );
  }
}

/** Kills what is left of a replica, its runner last, so that the runner can note how it ended. */
export async function endLeftovers(plan: ReplicaPlan, runner: ProcessIdentity | null): Promise<void> {
  await killAll(() => findMembers(runner, plan.mark), killBoundMs);
  const deadline = Date.now() + killBoundMs;
  while (runner && (await isAlive(runner))) {
    if (Date.now() > deadline) signal(runner.pid, "SIGKILL");
    await sleep(pollMs);
  }
}

/** Forgets how a replica ran, so that it can be started anew. */
export async function clearReplica(files: ReplicaFiles): Promise<void> {
  await rm(files.directory, { recursive: true, force: true });
}

async function observeLive(
  workload: Workload,
  index: number,
  files: ReplicaFiles,
  plan: ReplicaPlan,
): Promise<ReplicaState> {
  const progress = await files.readProgress();
  if (progress?.status === "waiting") {
    const { last, restarts } = progress;
    return {
      status: "pending",
      reason: `${last?.reason ?? "It ended."} It is started again (${restarts} times so far).`,
    };
  }
  const { health } = workload;
  if (health) {
    const url = localUrl(plan, health.port, health.path);
    const healthy = await fetch(url, { signal: AbortSignal.timeout(2000) }).then(
      (response) => response.ok,
      () => false,
    );
    if (!healthy) return { status: "pending", reason: `It is starting: ${url} does not answer yet.` };
  }
  return {
    status: "running",
    addresses: plan.members.map((member, position) => ({
      replica: index,
      member: position,
      node: member.node,
      host: "127.0.0.1",
      ports: position === 0 ? plan.ports : {},
    })),
  };
}

function localUrl(plan: ReplicaPlan, port: string, path: string): string {
  return `http://127.0.0.1:${plan.ports[port]}${path}`;
}
