"use client";

import { formatDateTime, formatRelative, missing } from "#lib/format.ts";
import { useNow } from "#lib/use-now.ts";

/** "4 min ago", ticking, with the absolute time on hover. */
export function RelativeTime({ time, className }: { time: Date | null | undefined; className?: string }) {
  const now = useNow();
  if (!time) return <span className={className}>{missing}</span>;
  return (
    <time
      dateTime={time.toISOString()}
      title={now ? formatDateTime(time) : undefined}
      className={className}
      suppressHydrationWarning
    >
      {now ? formatRelative(time, now) : time.toISOString().slice(0, 10)}
    </time>
  );
}
