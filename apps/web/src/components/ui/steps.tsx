import type { ReactNode } from "react";
import { formatDuration } from "#lib/format.ts";
import { StatusIcon, type StatusKind } from "#components/ui/status.tsx";
import { cn } from "#lib/class-names.ts";

export type Step = {
  id: string;
  label: ReactNode;
  kind: StatusKind;
  durationMs?: number | null;
  /** Progress, a reason, a link: shown under the label. */
  detail?: ReactNode;
};

/** The steps of something that happens now, in order, each with its state; read out as they change. */
export function Steps({ steps, label }: { steps: readonly Step[]; label: string }) {
  return (
    <ol aria-label={label} aria-live="polite" className="space-y-0">
      {steps.map((step, index) => (
        <li key={step.id} className="relative flex gap-3 pb-4 last:pb-0">
          {index < steps.length - 1 && <span aria-hidden className="absolute top-6 bottom-1 left-2 w-px bg-line" />}
          <StatusIcon kind={step.kind} className="mt-0.5" />
          <div className="min-w-0 flex-1">
            <div className="flex items-baseline justify-between gap-3 text-13">
              <span className={cn("font-medium", step.kind === "waiting" && "text-muted")}>{step.label}</span>
              {step.durationMs != null && (
                <span className="tabular text-xs text-faint">{formatDuration(step.durationMs)}</span>
              )}
            </div>
            {step.detail && <div className="mt-1 text-xs text-muted">{step.detail}</div>}
          </div>
        </li>
      ))}
    </ol>
  );
}
