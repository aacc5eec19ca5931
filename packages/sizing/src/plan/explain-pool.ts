import type { PoolPlan } from "./plan-types.ts";
import type { ServedPool } from "./pool.ts";
import { gib, plural, precisionName, seconds } from "./words.ts";

/** Why this pool looks as it does, a sentence for each of the five steps. */
export function explainPool({ request, memory, load }: ServedPool, pool: PoolPlan): string[] {
  const { workload, option } = request;
  const { limits } = workload;
  const bar = pool.memoryPerGpu;
  const perReplica = plural(pool.gpusPerReplica, "GPU");
  const reasons = [
    ...workload.reasons,
    `Memory: ${pool.need.explanation}`,
    `${option.gpu.name}: ${precisionName(pool.precision)} weights take ${gib(bar.weightsGib)} of the ${gib(bar.totalGib)} of each GPU, ` +
      `${gib(bar.activationGib + bar.engineGib)} go to the engine, and ${gib(bar.kvUsedGib + bar.kvFreeGib)} are left for the KV cache: ` +
      `${Math.floor(memory.meanRequests)} requests of ${Math.round(workload.residentTokens)} tokens or ${Math.floor(memory.fullRequests)} that fill the context.`,
    pool.gpusPerReplica === 1
      ? "The model fits on one GPU: no tensor parallelism, whose all-reduces cost time in every layer."
      : `${perReplica} work together on each layer (tensor parallel ${pool.tensorParallel}${
          pool.pipelineParallel > 1 ? `, ${pool.pipelineParallel} pipeline stages` : ""
        }${pool.expertParallel > 1 ? `, experts whole on ${pool.expertParallel} GPUs` : ""}).`,
  ];
  if (workload.online) {
    const parts = [
      limits.ttftMs === null ? null : `first token after ${seconds(pool.ttftMs)} (limit ${seconds(limits.ttftMs)})`,
      limits.firstSoundMs === null || pool.firstSoundMs === null
        ? null
        : `first sound after ${seconds(pool.firstSoundMs)} (limit ${seconds(limits.firstSoundMs)})`,
      `${pool.tokensPerSecondPerUser.toFixed(0)} tokens/s a user${
        limits.tokensPerSecondPerUser === null ? "" : ` (at least ${limits.tokensPerSecondPerUser})`
      }`,
    ].filter((part) => part !== null);
    reasons.push(
      `Speed at ${plural(load.requestsInFlight, "request")} in flight on each of ${plural(load.replicas, "replica")}: ${parts.join(", ")}. ` +
        `The memory bandwidth alone would allow ${pool.bandwidthBoundTokensPerSecond.toFixed(0)} tokens/s.`,
    );
  }
  reasons.push(
    `A replica is full at ${plural(pool.saturation.requestsInFlight, "request")} in flight, by its ${pool.saturation.limitedBy}: ` +
      `${plural(load.replicas, "replica")} for the load, ${pool.spare.replicas} to spare.`,
    pool.spare.reason,
  );
  if (load.allAtOnce) {
    const { requestsInFlight, latency } = load.allAtOnce;
    reasons.push(
      `Should all users ask in the same moment, a replica has ${requestsInFlight} in flight: first token after ` +
        `${seconds(latency.ttftMs)}, ${(1000 / latency.tpotMs).toFixed(0)} tokens/s a user; nobody is refused.`,
    );
  }
  const { from, to } = workload.profile.usualBatch;
  if (load.requestsInFlight > (to ?? Infinity)) {
    reasons.push(
      `Usual for ${workload.profile.title} are ${from} to ${to} requests a GPU group; ${load.requestsInFlight} share one here, ` +
        "which is cheaper and still within the limits.",
    );
  }
  reasons.push(`Cost: ${pool.cost.explanation}`);
  return reasons;
}
