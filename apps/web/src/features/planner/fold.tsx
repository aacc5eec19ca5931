import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";

type FoldProps = { title: ReactNode; open?: boolean; bodyClassName?: string; children: ReactNode };

/** A panel that stays closed until somebody wants to know. */
export function Fold({ title, open, bodyClassName = "p-4", children }: FoldProps) {
  return (
    <details open={open} className="group/fold rounded-panel border border-line bg-panel">
      <summary
        data-focus-inset
        className="flex min-h-11 cursor-pointer list-none items-center gap-2 px-4 py-2 text-13 font-semibold hover:text-accent"
      >
        <ChevronRight aria-hidden className="size-4 shrink-0 transition-transform group-open/fold:rotate-90" />
        {title}
      </summary>
      <div className={`border-t border-line ${bodyClassName}`}>{children}</div>
    </details>
  );
}
