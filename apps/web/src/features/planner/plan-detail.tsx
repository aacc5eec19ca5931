"use client";

import type { Plan } from "@anneal/sizing/plan/plan-types";
import { CodeSnippet } from "#components/ui/code-snippet.tsx";
import { Fold } from "#features/planner/fold.tsx";
import { launchCommand } from "#features/planner/plan-words.ts";

/** Why a plan looks as it does, what else is worth weighing, and how one of its replicas is started. */
export function PlanDetail({ plan, load }: { plan: Plan; load: readonly string[] }) {
  // How the load is understood stands in a place of its own.
  const reasons = plan.reasons.filter((reason) => !load.includes(reason));
  const weighed = plan.options.toSorted((left, right) => Number(right.worthIt) - Number(left.worthIt));
  return (
    <Fold title={`Why plan ${plan.rank}: ${plan.title}`}>
      <div className="space-y-5">
        <ol className="max-w-[100ch] list-decimal space-y-1.5 pl-5 text-13 marker:text-faint">
          {reasons.map((reason) => (
            <li key={reason} className="pl-1">
              {reason}
            </li>
          ))}
          <li className="pl-1">{plan.warmReserve.reason}</li>
        </ol>
        {plan.notes.length > 0 && (
          <ul className="max-w-[100ch] space-y-1 text-13 text-muted">
            {plan.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        )}
        {weighed.length > 0 && (
          <div className="space-y-1.5">
            <h3 className="text-13 font-semibold">Worth weighing</h3>
            <ul className="max-w-[100ch] space-y-1.5 text-13">
              {weighed.map(({ kind, worthIt, reason }) => (
                <li key={kind} className={worthIt ? undefined : "text-muted"}>
                  <span className="font-medium">{optionNames[kind]}</span>
                  {worthIt ? ". " : ", not now. "}
                  {reason}
                </li>
              ))}
            </ul>
          </div>
        )}
        <div className="space-y-1.5">
          <h3 className="text-13 font-semibold">One replica, {plan.launch.engine.replace("@", " ")}</h3>
          <CodeSnippet code={launchCommand(plan)} label="Copy the command" />
        </div>
      </div>
    </Fold>
  );
}

const optionNames: Record<Plan["options"][number]["kind"], string> = {
  disaggregation: "Prompts and answers on GPUs of their own",
  "prefix-cache": "Prefix cache",
  "shared-prefix-cache": "A prefix cache for all replicas",
};
