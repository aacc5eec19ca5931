"use client";

import { Scale } from "lucide-react";
import { memo, useCallback } from "react";
import type { PlanAnswer } from "@anneal/sizing/plan/plan";
import type { Plan } from "@anneal/sizing/plan/plan-types";
import { dollars } from "@anneal/sizing/plan/words";
import { Button } from "#components/ui/button.tsx";
import { CodeSnippet } from "#components/ui/code-snippet.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import { Skeleton } from "#components/ui/skeleton.tsx";
import { AnswerFigures } from "#features/planner/answer-figures.tsx";
import { Fold } from "#features/planner/fold.tsx";
import { MemoryBars } from "#features/planner/memory-bars.tsx";
import { PlanCards } from "#features/planner/plan-cards.tsx";
import { PlanDetail } from "#features/planner/plan-detail.tsx";
import { PlanTable } from "#features/planner/plan-table.tsx";
import { nameGpus, sizeCommand } from "#features/planner/plan-words.ts";
import { RejectedOptions } from "#features/planner/rejected-options.tsx";
import { SpeedCurve } from "#features/planner/speed-curve.tsx";
import type { PlannerState } from "#features/planner/planner-state.ts";
import type { PlannerAnswer } from "#features/planner/use-planner-answer.ts";
import type { PlannerInputs } from "#features/planner/use-planner-state.ts";
import { formatCount, formatSignificant } from "#lib/format.ts";

type PlannerResultProps = {
  state: PlannerState;
  answer: PlannerAnswer;
  brief: Record<string, unknown> | null;
  /** Why there is nothing to plan with yet. */
  problem: string | null;
};

const sideBySide = 3;

/** Built in the background: what is typed at the left never waits for it. */
export const PlannerResult = memo(function PlannerResult(props: PlannerResultProps & Pick<PlannerInputs, "change">) {
  const { state, change, answer, brief, problem } = props;
  const { preview, plans, error } = answer;
  if (brief === null && problem !== null)
    return (
      <EmptyState icon={Scale} title="A model is missing">
        {problem} Its answer stands here as soon as it can be read.
      </EmptyState>
    );
  if (error !== null)
    return (
      <ErrorNotice
        error={{
          code: error.code,
          message: error.message,
          action: "Change what the sentence names; the answer follows at once.",
        }}
      />
    );
  if (preview === null || plans === null)
    return (
      <div role="status" aria-label="Planning" className="min-w-0 space-y-6">
        <Skeleton className="h-24 rounded-panel" />
        <Skeleton className="h-80 rounded-panel" />
        <Skeleton className="h-[34rem] rounded-panel" />
      </div>
    );
  const shown = plans.plans.find(({ rank }) => rank === state.shownPlan) ?? plans.plans[0] ?? null;
  const fitting = preview.gpus.find(({ status }) => status === "fits") ?? preview.gpus[0];
  const shownGpu = state.shownGpu ?? shown?.gpu ?? fitting?.gpu ?? "";
  const gpu = preview.gpus.find((each) => each.gpu === shownGpu) ?? preview.gpus[0];
  return (
    <div className="space-y-6">
      <AnswerFigures plan={shown} workload={preview.workload} />
      <Plans answer={plans} shown={shown} state={state} change={change} />
      <div className="space-y-3">
        {shown && <PlanDetail plan={shown} load={plans.workloads.flatMap(({ reasons }) => reasons)} />}
        <Understood answer={plans} />
      </div>
      <MemoryBars preview={preview} shownGpu={shownGpu} onShow={(next) => change({ shownGpu: next })} />
      {gpu && <SpeedCurve gpu={gpu} workload={preview.workload} />}
      <RejectedOptions
        key={plans.plans.length === 0 ? "all there is" : "beside plans"}
        rejected={plans.rejected}
        openAtFirst={plans.plans.length === 0}
      />
      {brief && (
        <Fold title="The same from the command line">
          <p className="mb-2 text-13 text-muted">
            One request a line, one answer a line; what is shown here is what it answers.
          </p>
          <CodeSnippet code={sizeCommand(brief)} label="Copy the request" />
        </Fold>
      )}
    </div>
  );
});

type PlansProps = { answer: PlanAnswer; shown: Plan | null } & Pick<PlannerInputs, "state" | "change">;

function Plans({ answer: { plans }, shown, state, change }: PlansProps) {
  const onShow = useCallback((shownPlan: number) => change({ shownPlan, shownGpu: null }), [change]);
  if (shown === null)
    return (
      <EmptyState icon={Scale} title="No plan meets all limits">
        What decided stands below, by reason. Allow more time to the first token, fewer tokens/s for each user, other
        GPUs or another format of the weights.
      </EmptyState>
    );
  return (
    <section aria-labelledby="plans" className="space-y-3">
      <h2 id="plans" className="text-13 font-semibold">
        {plans.length === 1
          ? "One plan meets all limits"
          : `${formatCount(plans.length, "plan")} meet all limits, the best first`}
      </h2>
      <PlanCards plans={pickCards(plans, shown)} shown={shown.rank} onShow={onShow} />
      {state.allPlans ? (
        <PlanTable
          plans={plans}
          shown={shown.rank}
          onShow={onShow}
          sort={state.sort}
          onSort={(sort) => change({ sort })}
        />
      ) : (
        plans.length > 2 && (
          <Button size="small" onClick={() => change({ allPlans: true })}>
            Compare all {plans.length}
          </Button>
        )
      )}
    </section>
  );
}

/** The best ones; one that was chosen among the others takes the place of the last. */
function pickCards(plans: readonly Plan[], shown: Plan): readonly Plan[] {
  const best = plans.slice(0, sideBySide);
  return best.includes(shown) ? best : [...best.slice(0, -1), shown];
}

/** The load in sentences, and what the brief left open. */
function Understood({ answer: { workloads, assumed } }: { answer: PlanAnswer }) {
  return (
    <Fold title="How the load is understood, and what is taken for granted">
      <ul className="max-w-[100ch] space-y-1.5 text-13">
        {workloads
          .flatMap(({ reasons }) => reasons)
          .map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        {assumed.map((assumption) => (
          <li key={assumption} className="text-muted">
            {assumption}
          </li>
        ))}
      </ul>
    </Fold>
  );
}

/** On narrow screens, where the answer stands below the inputs: what it comes to, always in view. */
export function ShortAnswer({ answer: { plans, error } }: { answer: PlannerAnswer }) {
  const best = plans?.plans[0];
  if (error !== null || plans === null) return null;
  return (
    <a
      href="#answer"
      className="tabular sticky bottom-3 mt-4 block rounded-panel border border-line bg-raised px-4 py-2.5 text-13 shadow-raised xl:hidden"
    >
      {best ? (
        <>
          <span className="font-semibold">{nameGpus(best)}</span>, {formatSignificant(best.tokensPerSecondPerUser)}{" "}
          tokens/s each, <span className="font-semibold">{dollars(best.monthlyCost)}</span> a month
        </>
      ) : (
        "No plan meets all limits"
      )}
    </a>
  );
}
