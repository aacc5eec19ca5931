"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import { Dialog, DialogTrigger, SheetContent } from "#components/ui/dialog.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { RetryFailed } from "#features/connect/retry-failed.tsx";
import { formatCount, formatNumber } from "#lib/format.ts";
import { useTRPC } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type SyncFailuresProps = { sourceId: string; sync: { id: string; dropped: number } };

/** A count of failures that opens what they were, each with its reason, what to do, and another try. */
export function SyncFailures({ sourceId, sync }: SyncFailuresProps) {
  const [open, setOpen] = useState(false);
  return (
    <Dialog open={open} onOpenChange={setOpen}>
      <DialogTrigger
        className="font-medium text-failed hover:underline"
        aria-label={`${formatCount(sync.dropped, "failure")}: show each`}
      >
        {formatNumber(sync.dropped)}
      </DialogTrigger>
      <SheetContent
        title={formatCount(sync.dropped, "failure")}
        description="What this read could not get. The rest went on without it."
        footer={<RetryFailed sourceId={sourceId}>Try all again</RetryFailed>}
      >
        {open && <FailureList sourceId={sourceId} sync={sync} />}
      </SheetContent>
    </Dialog>
  );
}

function FailureList({ sourceId, sync }: SyncFailuresProps) {
  const trpc = useTRPC();
  const { href } = useWorkspace();
  const { data, error, refetch } = useQuery(trpc.connect.syncFailures.queryOptions({ sourceId, syncId: sync.id }));
  if (error) return <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonRows />;
  const hidden = sync.dropped - data.length;
  return (
    <>
      <ul aria-label="Failures" className="divide-y divide-line text-13">
        {data.map(({ ref, code, message, action, documentId }) => (
          <li key={ref} className="flex items-start justify-between gap-4 py-3">
            <div className="min-w-0 space-y-1">
              <p className="font-medium break-all">
                {documentId === null ? ref : <Link href={href(`/documents/${documentId}`)}>{ref}</Link>}
              </p>
              <p className="break-words">{message}</p>
              <p className="break-words text-muted">{action}</p>
              <p className="font-mono text-xs text-muted">{code}</p>
            </div>
            {documentId !== null && (
              <RetryFailed sourceId={sourceId} documentId={documentId} label={`Try again: ${ref}`}>
                Try again
              </RetryFailed>
            )}
          </li>
        ))}
      </ul>
      {hidden > 0 && (
        <p className="pt-3 text-13 text-muted">
          {formatCount(hidden, "more failure")} of documents that you may not read, or beyond the first that are listed.
        </p>
      )}
    </>
  );
}
