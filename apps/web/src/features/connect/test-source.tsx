"use client";

import { LoaderCircle, PlugZap } from "lucide-react";
import { worstStatus, type CheckStatus } from "@anneal/core/connect/capability-check";
import { readFailedChecks } from "@anneal/core/connect/check-outcome";
import { Button } from "#components/ui/button.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import { CapabilityList } from "#features/connect/capability-list.tsx";
import type { SourceCheck } from "#features/connect/use-source-check.ts";
import { cn } from "#lib/class-names.ts";
import type { Answers } from "#lib/trpc.ts";
import type { WireError } from "#lib/wire-error.ts";

export type Check = {
  isPending: boolean;
  error: WireError | null;
  data: Answers["connect"]["check"] | undefined;
};

/** Says what came of trying a source, by itself or by the button, or what it waits for. */
export function TestSource({ check, onTest }: { check: SourceCheck; onTest(): void }) {
  const waitsFor = check.waits && waitsWords[check.waits];
  return (
    <div className="space-y-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <Button busy={check.isPending} onClick={onTest}>
          {!check.isPending && <PlugZap aria-hidden />} Test
        </Button>
        {waitsFor && !check.isPending && <p className="min-w-0 flex-1 text-13 text-muted">{waitsFor}</p>}
      </div>
      <CheckResult check={check} />
    </div>
  );
}

const waitsWords: Record<NonNullable<SourceCheck["waits"]>, string> = {
  unchanged: "",
  incomplete: "It is tried by itself once everything that it needs is filled in.",
  refused: "This sign-in was refused. It is not tried again by itself until something is changed.",
  spent: "Three sign-ins were refused or cut short. Lest the account be locked, it is tried only when you press Test.",
  moved: "Where the credentials go was changed after they were entered. They are sent there only when you press Test.",
};

/** What a test found, capability by capability; read aloud when it comes. */
export function CheckResult({ check }: { check: Check }) {
  if (check.error) {
    return (
      <div className="space-y-3">
        <ErrorNotice error={check.error} />
        <CapabilityList checks={readFailedChecks(check.error)} />
      </div>
    );
  }
  return (
    <div role="status">
      {check.isPending && (
        <p className="flex items-center gap-2 text-13 text-muted">
          <LoaderCircle aria-hidden className="size-4 animate-spin" /> The worker tries it; at most half a minute.
        </p>
      )}
      {!check.isPending && check.data && <Found found={check.data} />}
    </div>
  );
}

const panels: Record<CheckStatus, string> = {
  ok: "border-ready/35 bg-[color-mix(in_oklab,var(--ready)_5%,var(--panel))]",
  warning: "border-waiting/35 bg-[color-mix(in_oklab,var(--waiting)_5%,var(--panel))]",
  missing: "border-failed/35 bg-[color-mix(in_oklab,var(--failed)_5%,var(--panel))]",
};

function Found({ found: { summary, checks } }: { found: Answers["connect"]["check"] }) {
  return (
    <div className={cn("space-y-3 rounded-panel border p-3 text-13", panels[worstStatus(checks)])}>
      <p className="font-medium break-words text-ink">{summary}</p>
      <CapabilityList checks={checks} />
    </div>
  );
}
