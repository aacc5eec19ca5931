"use client";

import type { Plan } from "@anneal/sizing/plan/plan-types";
import { dollars } from "@anneal/sizing/plan/words";
import { describeFormat, describeSplit, formatWatts, nameGpus } from "#features/planner/plan-words.ts";
import { cn } from "#lib/class-names.ts";
import { formatDuration, formatNumber, formatSignificant } from "#lib/format.ts";

type Props = { plans: readonly Plan[]; shown: number; onShow(rank: number): void };

/** The best plans side by side, the same facts in the same place. */
export function PlanCards({ plans, shown, onShow }: Props) {
  return (
    <ul aria-label="Best plans" className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
      {plans.map((plan) => (
        <li
          key={plan.rank}
          className={cn(
            "relative rounded-panel border bg-panel p-4 hover:border-accent",
            plan.rank === shown ? "border-accent ring-1 ring-accent" : "border-line",
          )}
        >
          <h3 className="flex flex-wrap items-baseline justify-between gap-x-3">
            <button
              type="button"
              aria-pressed={plan.rank === shown}
              onClick={() => onShow(plan.rank)}
              // All of the card takes the click.
              className="text-sm font-semibold after:absolute after:inset-0 after:rounded-panel"
            >
              <span className="tabular mr-2 font-normal text-faint">{plan.rank}</span>
              {nameGpus(plan)}
            </button>
            <span className="tabular text-sm font-semibold whitespace-nowrap">
              {dollars(plan.monthlyCost)}
              <span className="text-xs font-normal text-muted"> a month</span>
            </span>
          </h3>
          <dl className="tabular mt-3 grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-13">
            {factsOf(plan).map(({ label, value }) => (
              <div key={label} className="contents">
                <dt className="text-muted">{label}</dt>
                <dd className="text-right">{value}</dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ul>
  );
}

function factsOf(plan: Plan): { label: string; value: string }[] {
  const { supply, capex, baseline, onDemand, saturation } = plan;
  return [
    { label: "Weights", value: describeFormat(plan) },
    { label: "A replica", value: describeSplit(plan) },
    {
      label: "Replicas",
      value: `${formatNumber(plan.replicas)}${plan.spare.replicas > 0 ? `, ${plan.spare.replicas} to spare` : ""}`,
    },
    { label: "Nodes", value: formatNumber(plan.nodes) },
    { label: "Each user", value: `${formatSignificant(plan.tokensPerSecondPerUser)} tokens/s` },
    { label: "By bandwidth alone", value: `${formatSignificant(plan.bandwidthBoundTokensPerSecond)} tokens/s` },
    plan.firstSoundMs === null
      ? { label: "First token", value: formatDuration(plan.ttftMs) }
      : { label: "First sound", value: formatDuration(plan.firstSoundMs) },
    { label: "A replica is full at", value: `${formatNumber(saturation.requestsInFlight)} in flight` },
    { label: "Cache free a GPU", value: `${formatNumber(plan.memoryPerGpu.kvFreeGib, 1)} GiB` },
    { label: "A million tokens", value: dollars(plan.costPerMillionTokens) },
    { label: "Power", value: formatWatts(plan.wattsTotal) },
    supply === "rent"
      ? {
          label: "Rented",
          value: `${baseline.gpus} reserved${onDemand.gpusAtPeak > 0 ? `, up to ${onDemand.gpusAtPeak} on demand` : ""}`,
        }
      : { label: supply === "buy" ? "To buy" : "Owned", value: capex > 0 ? dollars(capex) : "nothing to buy" },
  ];
}
