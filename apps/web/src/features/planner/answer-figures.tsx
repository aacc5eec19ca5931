import type { Workload } from "@anneal/sizing/plan/concurrency";
import type { Plan } from "@anneal/sizing/plan/plan-types";
import { dollars } from "@anneal/sizing/plan/words";
import { Figure } from "#components/ui/panel.tsx";
import { formatWatts, nameGpus } from "#features/planner/plan-words.ts";
import { formatDuration, formatNumber, formatSignificant, missing } from "#lib/format.ts";

type Props = { plan: Plan | null; workload: Workload };

/** What the load comes to, of the plan that is explained. */
export function AnswerFigures({ plan, workload }: Props) {
  const { limits, inFlightExpected, inFlightPlanned, inFlightAtOnce, requestsPerSecond } = workload;
  const room = inFlightAtOnce !== null && inFlightPlanned !== null && inFlightAtOnce > inFlightPlanned;
  return (
    <section
      aria-label="Figures"
      aria-live="polite"
      className="grid grid-cols-2 gap-px overflow-hidden rounded-panel border border-line bg-line md:grid-cols-3 2xl:grid-cols-6 [&>*]:bg-panel [&>*]:p-4"
    >
      <Figure
        label="Needs in all"
        value={plan ? `${formatSignificant(plan.need.totalGb)} GB` : missing}
        hint={
          plan
            ? `${formatNumber(plan.need.weightsGb, 1)} weights, ${formatNumber(plan.need.kvCacheGb, 1)} cache`
            : "no plan meets all limits"
        }
      />
      {inFlightPlanned === null ? (
        <Figure
          label="Requests"
          value={`${formatSignificant(requestsPerSecond)} /s`}
          hint="at the rate that was asked for"
        />
      ) : (
        <Figure
          label="In flight"
          value={formatNumber(inFlightPlanned)}
          hint={`${formatSignificant(inFlightExpected)} expected${room ? `, room for ${formatNumber(inFlightAtOnce)}` : ""}`}
        />
      )}
      <Figure
        label="Each user"
        value={plan ? `${formatSignificant(plan.tokensPerSecondPerUser)} tokens/s` : missing}
        hint={
          limits.tokensPerSecondPerUser === null
            ? "nobody waits for it"
            : `at least ${formatNumber(limits.tokensPerSecondPerUser)} asked for`
        }
      />
      <Figure
        label={limits.firstSoundMs === null ? "First token" : "First sound"}
        value={plan ? formatDuration(limits.firstSoundMs === null ? plan.ttftMs : plan.firstSoundMs) : missing}
        hint={
          (limits.firstSoundMs ?? limits.ttftMs) === null
            ? "no limit"
            : `at most ${formatDuration(limits.firstSoundMs ?? limits.ttftMs)}`
        }
      />
      <Figure
        label="A month"
        value={plan ? dollars(plan.monthlyCost) : missing}
        hint={
          plan
            ? plan.capex > 0
              ? `${dollars(plan.capex)} to buy`
              : `${dollars(plan.costPerMillionTokens)} a million tokens`
            : null
        }
      />
      <Figure
        label="GPUs"
        value={plan ? nameGpus(plan) : missing}
        hint={plan ? `${formatWatts(plan.wattsTotal)} under load` : null}
      />
    </section>
  );
}
