"use client";

import { CircleCheck, LoaderCircle, PlugZap } from "lucide-react";
import { Button } from "#components/ui/button.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
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

/** What a test found, in one sentence; read aloud when it comes. */
export function CheckResult({ check }: { check: Check }) {
  if (check.error) return <ErrorNotice error={check.error} />;
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

function Found({ found: { summary, warnings } }: { found: Answers["connect"]["check"] }) {
  return (
    <div className="flex gap-3 rounded-panel border border-ready/35 bg-[color-mix(in_oklab,var(--ready)_5%,var(--panel))] p-3 text-13">
      <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0 text-ready" />
      <div className="min-w-0 space-y-1.5">
        <p className="font-medium break-words text-ink">{summary}</p>
        {warnings.map((warning) => (
          <p key={warning} className="break-words text-muted">
            {warning}
          </p>
        ))}
      </div>
    </div>
  );
}
