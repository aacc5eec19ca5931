import type { Plan, Rejection } from "@anneal/sizing/plan/plan-types";
import { precisionName } from "@anneal/sizing/plan/words";
import { formatCount, formatNumber } from "#lib/format.ts";

/** "4 × RTX-PRO-6000"; of GPUs that are there already, "8 × H200 of yours". */
export function nameGpus({ gpusTotal, gpu, supply }: Pick<Plan, "gpusTotal" | "gpu" | "supply">): string {
  return `${formatNumber(gpusTotal)} × ${gpu}${supply === "existing" ? " of yours" : ""}`;
}

export function describeFormat({ precision, kvCacheDtype }: Pick<Plan, "precision" | "kvCacheDtype">): string {
  return `${precisionName(precision)}${kvCacheDtype === "fp8" ? ", FP8 cache" : ""}`;
}

/** How one replica is cut over its GPUs. */
export function describeSplit(
  plan: Pick<Plan, "gpusPerReplica" | "tensorParallel" | "pipelineParallel" | "expertParallel">,
): string {
  if (plan.gpusPerReplica === 1) return "1 GPU";
  const parts = [
    plan.tensorParallel > 1 ? `TP ${plan.tensorParallel}` : null,
    plan.pipelineParallel > 1 ? `PP ${plan.pipelineParallel}` : null,
    plan.expertParallel > 1 ? "experts whole" : null,
  ].filter((part) => part !== null);
  return `${formatCount(plan.gpusPerReplica, "GPU")} (${parts.join(", ")})`;
}

export function describeReplicas({ replicas, nodes, spare }: Pick<Plan, "replicas" | "nodes" | "spare">): string {
  return `${formatNumber(replicas)} on ${formatCount(nodes, "node")}${spare.replicas > 0 ? `, ${spare.replicas} spare` : ""}`;
}

export function formatWatts(watts: number): string {
  return watts < 1000 ? `${formatNumber(watts)} W` : `${formatNumber(watts / 1000, 1)} kW`;
}

/** `vllm serve` as the plan starts each replica. */
export function launchCommand(plan: Pick<Plan, "model" | "launch">): string {
  return ["vllm serve", plan.model, ...plan.launch.arguments].join(" ").replaceAll(" --", " \\\n  --");
}

/** The request as `anneal size --json` reads it from its input, in a shell. */
export function sizeCommand(brief: Record<string, unknown>): string {
  return `npm run --silent anneal -- size --json <<'JSON'\n${JSON.stringify({ op: "plan", brief })}\nJSON`;
}

const codeTitles: Record<Rejection["code"], string> = {
  MODEL: "A model that cannot be read",
  LICENCE: "A licence that is not allowed",
  LANGUAGE: "A language that is missing",
  TOOLS: "No tool use",
  CONTEXT: "Too short a context",
  QUALITY: "Keeps too little of the model's quality",
  PRECISION: "A format that cannot be served",
  SOVEREIGNTY: "Ruled out by maker or place",
  DOES_NOT_DIVIDE: "The model cannot be cut like that",
  MEMORY: "Too little memory",
  LATENCY: "Too slow",
  NODES: "Too few nodes",
  BUDGET: "Over the budget",
  MORE_GPUS: "Does it too, for more money",
  DOMINATED: "No better in anything than another on the same GPUs",
};

/** By why they were left out, the commonest reason first. */
export function groupRejections(rejected: readonly Rejection[]): { title: string; items: readonly Rejection[] }[] {
  const groups = new Map<Rejection["code"], Rejection[]>();
  for (const rejection of rejected) groups.set(rejection.code, [...(groups.get(rejection.code) ?? []), rejection]);
  return [...groups]
    .map(([code, items]) => ({ title: codeTitles[code], items }))
    .toSorted((left, right) => right.items.length - left.items.length);
}

/** "H100-80GB, INT8, TP 2". */
export function nameRejected({
  gpu,
  precision,
  kvCacheDtype,
  tensorParallel,
  pipelineParallel,
  model,
}: Rejection["option"]): string {
  const parts = [
    gpu,
    precision && describeFormat({ precision, kvCacheDtype: kvCacheDtype ?? "auto" }),
    tensorParallel !== undefined && tensorParallel > 1 ? `TP ${tensorParallel}` : undefined,
    pipelineParallel !== undefined && pipelineParallel > 1 ? `PP ${pipelineParallel}` : undefined,
  ].filter((part) => part !== undefined && part !== "");
  return parts.length === 0 ? (model ?? "") : parts.join(", ");
}
