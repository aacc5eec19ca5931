import type { ReactNode } from "react";
import { cn } from "#lib/class-names.ts";

type PanelProps = {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
  bodyClassName?: string;
};

/** A titled surface. Panels do not nest. */
export function Panel({ title, actions, children, className, bodyClassName }: PanelProps) {
  return (
    <section className={cn("min-w-0 rounded-panel border border-line bg-panel", className)}>
      {(title || actions) && (
        <header className="flex min-h-11 items-center justify-between gap-3 border-b border-line px-4 py-1.5">
          <h2 className="text-13 font-semibold">{title}</h2>
          {actions && <div className="flex items-center gap-2">{actions}</div>}
        </header>
      )}
      <div className={cn("p-4", bodyClassName)}>{children}</div>
    </section>
  );
}

/** One figure with its name; `hint` says what it is compared with. */
export function Figure({ label, value, hint }: { label: string; value: ReactNode; hint?: ReactNode }) {
  return (
    <div className="min-w-0">
      <div className="text-xs text-muted">{label}</div>
      <div className="tabular mt-0.5 truncate text-xl leading-7 font-semibold tracking-tight">{value}</div>
      {hint && <div className="text-xs text-faint">{hint}</div>}
    </div>
  );
}
