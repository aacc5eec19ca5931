"use client";

import { ErrorState } from "#components/ui/error-state.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

/** A page that broke leaves the shell standing. */
export default function PageError({ error, reset }: { error: Error & { digest?: string }; reset(): void }) {
  return (
    <div className="mx-auto max-w-2xl p-6">
      <ErrorState error={{ ...wireErrorOf(error), id: error.digest ?? null }} onRetry={reset} />
    </div>
  );
}
