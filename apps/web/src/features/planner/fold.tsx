"use client";

import { ChevronRight } from "lucide-react";
import { useState, type ReactNode } from "react";
import { cn } from "#lib/class-names.ts";

type FoldProps = {
  title: ReactNode;
  openAtFirst?: boolean;
  bodyClassName?: string;
  children: ReactNode;
};

/** A panel that stays closed until somebody wants to know; what is in it is not built before. */
export function Fold({ title, openAtFirst = false, bodyClassName = "p-4", children }: FoldProps) {
  const [open, setOpen] = useState(openAtFirst);
  return (
    <details
      open={open}
      onToggle={(event) => event.target === event.currentTarget && setOpen(event.currentTarget.open)}
      className="group/fold rounded-panel border border-line bg-panel"
    >
      <summary
        data-focus-inset
        className="flex min-h-11 cursor-pointer list-none items-center gap-2 px-4 py-2 text-13 font-semibold hover:text-accent"
      >
        <ChevronRight aria-hidden className="size-4 shrink-0 transition-transform group-open/fold:rotate-90" />
        {title}
      </summary>
      {open && <div className={cn("border-t border-line", bodyClassName)}>{children}</div>}
    </details>
  );
}
