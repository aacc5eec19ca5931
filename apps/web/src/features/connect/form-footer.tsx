"use client";

import { CircleCheck, CircleX, Info, LoaderCircle, TriangleAlert, type LucideIcon } from "lucide-react";
import type { ReactNode, RefCallback, RefObject } from "react";
import { briefOf, type CheckBrief } from "#features/connect/check-brief.ts";
import type { SourceCheck } from "#features/connect/use-source-check.ts";
import { cn } from "#lib/class-names.ts";

/**
 * The buttons below a source's form, which stay in view; above them what came of saving and of trying it, which the form
 * puts into `slot`.
 */
export function FormFooter({ slot, children }: { slot: RefCallback<HTMLDivElement>; children: ReactNode }) {
  return (
    <div className="flex w-full min-w-0 flex-col gap-2.5">
      <div ref={slot} className="space-y-2.5 empty:hidden" />
      <div className="flex justify-end gap-2">{children}</div>
    </div>
  );
}

const looks: Record<CheckBrief["state"], { icon: LucideIcon; color: string }> = {
  trying: { icon: LoaderCircle, color: "animate-spin text-running" },
  ok: { icon: CircleCheck, color: "text-ready" },
  limited: { icon: TriangleAlert, color: "text-waiting" },
  failed: { icon: CircleX, color: "text-failed" },
  held: { icon: Info, color: "text-muted" },
};

/** One line of a try, and the way to all of it. It is read aloud there alone, so that nobody hears it twice. */
export function CheckLine({ check, details }: { check: SourceCheck; details: RefObject<HTMLDivElement | null> }) {
  const brief = briefOf(check);
  if (brief === null) return null;
  const { icon: Icon, color } = looks[brief.state];

  function showDetails() {
    details.current?.scrollIntoView({ block: "center" });
    details.current?.focus({ preventScroll: true });
  }

  return (
    <div className="flex items-start gap-2 text-13">
      <Icon aria-hidden className={cn("mt-0.5 size-4 shrink-0", color)} />
      <p className="line-clamp-2 min-w-0 flex-1 wrap-anywhere">{brief.text}</p>
      <button
        type="button"
        className="shrink-0 font-medium text-accent underline-offset-2 hover:underline"
        onClick={showDetails}
      >
        Details
      </button>
    </div>
  );
}
