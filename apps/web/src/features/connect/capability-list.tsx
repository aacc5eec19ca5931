import { CircleCheck, CircleX, TriangleAlert, type LucideIcon } from "lucide-react";
import { wordCapability, type CapabilityCheck, type CheckStatus } from "@anneal/core/connect/capability-check";
import { cn } from "#lib/class-names.ts";

const looks: Record<CheckStatus, { icon: LucideIcon; color: string; word: string }> = {
  ok: { icon: CircleCheck, color: "text-ready", word: "works" },
  warning: { icon: TriangleAlert, color: "text-waiting", word: "limited" },
  missing: { icon: CircleX, color: "text-failed", word: "missing" },
};

/** What works and what is missing of a source, one row for each capability, in the connector's order. */
export function CapabilityList({ checks }: { checks: readonly CapabilityCheck[] }) {
  if (checks.length === 0) return null;
  return (
    <ul aria-label="What works and what is missing" className="space-y-2 text-13">
      {checks.map(({ capability, status, message, action }, index) => {
        const { icon: Icon, color, word } = looks[status];
        return (
          // A capability may be there twice, with two sentences; the list never changes while it stands.
          <li key={index} className="flex gap-2">
            <Icon aria-hidden className={cn("mt-0.5 size-4 shrink-0", color)} />
            <div className="min-w-0">
              <p className="break-words text-muted">
                <span className="font-medium text-ink">{wordCapability(capability)}</span>
                <span className="sr-only"> {word}</span>: {message}
              </p>
              {action && <p className="mt-0.5 break-words text-ink">{action}</p>}
            </div>
          </li>
        );
      })}
    </ul>
  );
}
