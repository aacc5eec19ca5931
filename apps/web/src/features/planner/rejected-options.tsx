import { ChevronRight } from "lucide-react";
import type { Rejection } from "@anneal/sizing/plan/plan-types";
import { Fold } from "#features/planner/fold.tsx";
import { groupRejections, nameRejected } from "#features/planner/plan-words.ts";
import { formatCount, formatNumber } from "#lib/format.ts";

/** What is not among the plans, and why not: by reason, closed until somebody wonders. */
export function RejectedOptions({ rejected, openAtFirst }: { rejected: readonly Rejection[]; openAtFirst?: boolean }) {
  if (rejected.length === 0) return null;
  return (
    <Fold
      title={`${formatCount(rejected.length, "other option was", "other options were")} left out, and why`}
      {...(openAtFirst === undefined ? {} : { openAtFirst })}
      bodyClassName="divide-y divide-line"
    >
      {groupRejections(rejected).map(({ title, items }) => (
        <details key={title} className="group/one">
          <summary className="flex cursor-pointer list-none items-center gap-2 px-4 py-2 text-13 hover:text-accent">
            <ChevronRight aria-hidden className="size-3.5 transition-transform group-open/one:rotate-90" />
            {title} <span className="tabular text-xs text-faint">{formatNumber(items.length)}</span>
          </summary>
          <ul className="space-y-1.5 px-4 pb-3 pl-10 text-13">
            {items.map(({ option, reason }, index) => (
              <li key={index}>
                <span className="font-medium">{nameRejected(option)}</span>
                <span className="text-muted">: {reason}</span>
              </li>
            ))}
          </ul>
        </details>
      ))}
    </Fold>
  );
}
