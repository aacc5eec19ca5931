"use client";

import { LoaderCircle, PlugZap } from "lucide-react";
import { worstStatus, type CheckStatus } from "@anneal/core/connect/capability-check";
import { readFailedChecks } from "@anneal/core/connect/check-outcome";
import { Button } from "#components/ui/button.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import { CapabilityList } from "#features/connect/capability-list.tsx";
import { cn } from "#lib/class-names.ts";
import type { Answers } from "#lib/trpc.ts";
import type { WireError } from "#lib/wire-error.ts";

export type Check = {
  isPending: boolean;
  error: WireError | null;
  data: Answers["connect"]["check"] | undefined;
};

/** Tries a source and says beside the button what came of it. */
export function TestSource({ check, onTest }: { check: Check; onTest(): void }) {
  return (
    <div className="space-y-3">
      <Button busy={check.isPending} onClick={onTest}>
        {!check.isPending && <PlugZap aria-hidden />} Test
      </Button>
      <CheckResult check={check} />
    </div>
  );
}

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
