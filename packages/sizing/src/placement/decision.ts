import type { BudgetRefusal } from "./budget.ts";
import type { Waiting } from "./cluster.ts";
import type { MemberPlacement } from "./cluster-snapshot.ts";
import { describeShape, describeShortage, type Explanation } from "./explain.ts";
import type { Pod } from "./place-gang.ts";
import type { PlacementRequest, TopologyLevel } from "./placement-request.ts";
import type { QuotaRefusal } from "./quota.ts";

export type Eviction = {
  id: string;
  team: string;
  /** GPU-hours of work since its last checkpoint. */ lostGpuHours: number;
};

export type Decision = { id: string; reason: string } & (
  | {
      status: "admitted";
      placements: MemberPlacement[];
      /** How close together the gang lies. */
      level: TopologyLevel;
      /** What has to stop first. */
      evict: Eviction[];
      /** What the team then uses above its own quota. */
      borrowedGpuMilli: number;
    }
  | { status: "queued"; code: "quota" | "behind" | "no-room"; action: string; explanation: Explanation | null }
  | {
      status: "refused";
      code: "never-fits" | "over-quota" | "budget" | "already-ran";
      action: string;
      explanation: Explanation | null;
      budget?: BudgetRefusal;
    }
);

/** What would make it fit, by the node that lacks least. */
export function describeWay({ nearest }: Explanation): string {
  if (nearest === null) return "It starts when a node that may take it has room.";
  const { node, runs, lacks } = nearest;
  const holders = runs.length > 0 ? `, where ${runs.join(", ")} run${runs.length === 1 ? "s" : ""}` : "";
  return `It would fit with ${describeShortage(lacks)} more on ${node}${holders}.`;
}

export function describeGang(request: PlacementRequest, pods: readonly Pod[]): string {
  const { shape } = pods[0]!;
  const level = request.topology?.required;
  const where =
    level === undefined || level === "any"
      ? ""
      : ` within one ${level === "nvlink" ? "NVLink domain" : level === "rail" ? "rail group" : level}`;
  return pods.length === 1
    ? describeShape(shape)
    : `${pods.length} pods${where}, the largest of them ${describeShape(shape)}`;
}

const inGpus = (milli: number) => `${Math.round(milli) / 1000} ${milli === 1000 ? "GPU" : "GPUs"}`;

export function refuseForQuota({ request, team, gpuMilli }: Waiting, { limit, fixed }: QuotaRefusal): Decision {
  return {
    status: "refused",
    id: request.id,
    code: "over-quota",
    reason: fixed
      ? `It needs ${inGpus(gpuMilli)} that cannot be taken back, and the team ${team.spec.name} has a quota of ${inGpus(limit)} of its own.`
      : `It needs ${inGpus(gpuMilli)}, and the team ${team.spec.name} may use ${inGpus(limit)} at most, borrowed ones included.`,
    action: "Ask for fewer GPUs, or have the team's quota raised.",
    explanation: null,
  };
}

export function queueForQuota({ request, team, gpuMilli }: Waiting, { used, limit, fixed }: QuotaRefusal): Decision {
  return {
    status: "queued",
    id: request.id,
    code: "quota",
    reason: `The team ${team.spec.name} uses ${inGpus(used)} of ${inGpus(limit)}${fixed ? " of its own, for work that cannot be taken back" : ""}; this needs ${inGpus(gpuMilli)} more.`,
    action: `It starts when the team has released ${inGpus(used + gpuMilli - limit)}.`,
    explanation: null,
  };
}

export function refuseForBudget({ request, team }: Waiting, refusal: BudgetRefusal): Decision {
  const amount = (value: number) =>
    refusal.unit === "tokens" ? `${Math.round(value)} tokens` : `${value.toFixed(1)} GPU-hours`;
  const renewal = new Date(Math.min(refusal.renewsAtMs, 8.64e15)).toISOString().slice(0, 16).replace("T", " ");
  return {
    status: "refused",
    id: request.id,
    code: "budget",
    reason: `The team ${team.spec.name} has ${amount(refusal.left)} left of ${amount(refusal.limit)}; this needs ${refusal.needed > 0 ? amount(refusal.needed) : "some"}. The budget renews on ${renewal} UTC.`,
    action: "Ask for less, wait for the renewal, or have the budget raised.",
    explanation: null,
    budget: refusal,
  };
}
