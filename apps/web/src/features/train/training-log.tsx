"use client";

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { Skeleton } from "#components/ui/skeleton.tsx";
import type { TrainingView } from "#features/train/training-page.tsx";
import { cn } from "#lib/class-names.ts";
import { formatDateTime } from "#lib/format.ts";
import { useTRPC } from "#lib/trpc.ts";
import { wireErrorOf } from "#lib/wire-error.ts";

const nearEndPx = 40;
const levels = { info: "text-muted", warning: "text-waiting", error: "text-failed" } as const;

/** The end of the trainer's log; it follows new lines unless somebody has scrolled up to read. */
export function TrainingLog({ training }: { training: TrainingView }) {
  const trpc = useTRPC();
  const { data: lines, error, refetch } = useQuery(trpc.train.log.queryOptions({ trainingRunId: training.id }));
  const scroller = useRef<HTMLOListElement>(null);
  const following = useRef(true);
  useEffect(() => {
    if (following.current && scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
  }, [lines]);
  if (error && !lines) return <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />;
  if (!lines) return <Skeleton className="h-40 rounded-panel" />;
  return (
    <Panel title="Log" bodyClassName="p-0">
      {lines.length === 0 ? (
        <p className="px-4 py-4 text-13 text-muted">The trainer has not said anything yet.</p>
      ) : (
        <ol
          ref={scroller}
          tabIndex={0}
          aria-label="Log lines"
          data-focus-inset
          className="max-h-72 overflow-y-auto px-4 py-3 font-mono text-xs leading-5"
          onScroll={({ currentTarget: each }) =>
            (following.current = each.scrollHeight - each.scrollTop - each.clientHeight < nearEndPx)
          }
        >
          {lines.map((line) => (
            <li key={line.seq} className="flex gap-3">
              <time
                dateTime={line.at.toISOString()}
                title={formatDateTime(line.at)}
                className="shrink-0 text-faint"
                suppressHydrationWarning
              >
                {line.at.toLocaleTimeString("en-GB")}
              </time>
              {line.level !== "info" && (
                <span className={cn("shrink-0 font-semibold", levels[line.level])}>{line.level}</span>
              )}
              <span className={cn("min-w-0 break-words whitespace-pre-wrap", levels[line.level])}>{line.message}</span>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
