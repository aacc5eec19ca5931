"use client";

import { RotateCw, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "#components/ui/button.tsx";
import { CopyButton } from "#components/ui/copy-button.tsx";
import { cn } from "#lib/class-names.ts";
import type { WireError } from "#lib/wire-error.ts";

/**
 * A failure that stands inside a page, a form or a dialog: what happened, what to do, the code and the id for support. Without
 * a code: something that waits for a person's word and is no failure.
 */
export function ErrorNotice({
  error,
  children,
  className,
}: {
  error: Omit<WireError, "id" | "code"> & { code: string | null; id?: string | null };
  children?: ReactNode;
  className?: string;
}) {
  return (
    <div
      role="alert"
      className={cn(
        "flex gap-3 rounded-panel border border-failed/35 bg-[color-mix(in_oklab,var(--failed)_5%,var(--panel))] p-3 text-13",
        className,
      )}
    >
      <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-failed" />
      <div className="min-w-0 flex-1">
        <p className="font-medium break-words text-ink">{error.message}</p>
        <p className="mt-0.5 break-words text-muted">{error.action}</p>
        {error.code !== null && (
          <p className="mt-2 flex flex-wrap items-center gap-x-2 font-mono text-xs text-muted">
            {error.code}
            {error.id && (
              <span className="inline-flex items-center gap-1">
                · id {error.id}
                <CopyButton text={error.id} label="Copy the id for support" />
              </span>
            )}
          </p>
        )}
        {children && <div className="mt-3 flex flex-wrap gap-2">{children}</div>}
      </div>
    </div>
  );
}

/** A failure in place of the content that could not be loaded. */
export function ErrorState({ error, onRetry }: { error: WireError; onRetry?: () => void }) {
  return (
    <ErrorNotice error={error} className="p-4">
      {onRetry && (
        <Button size="small" onClick={onRetry}>
          <RotateCw aria-hidden /> Try again
        </Button>
      )}
    </ErrorNotice>
  );
}
