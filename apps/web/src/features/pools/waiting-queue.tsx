"use client";

import { Badge } from "#components/ui/badge.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { StatusIcon } from "#components/ui/status.tsx";
import { BookingSubject } from "#features/pools/booking-subject.tsx";
import type { PoolsView } from "#features/pools/pools-page.tsx";
import { formatBytes, formatCount, formatNumber } from "#lib/format.ts";

type Waiting = PoolsView["waiting"][number];

/** What has been asked for and has no place yet, the longest wait first: why, and what would give it one. */
export function WaitingQueue({ waiting }: { waiting: PoolsView["waiting"] }) {
  return (
    <Panel
      title="Queue"
      actions={
        waiting.length > 0 && <span className="tabular text-xs text-muted">{formatNumber(waiting.length)} waiting</span>
      }
      bodyClassName={waiting.length > 0 ? "p-0" : undefined}
    >
      {waiting.length === 0 ? (
        <p className="text-13 text-muted">
          Nothing waits. A training or an engine that finds no room stands here with the reason and with what would make
          it fit; it starts by itself as soon as it does.
        </p>
      ) : (
        <ul aria-label="Queue" tabIndex={0} data-focus-inset className="max-h-96 divide-y divide-line overflow-y-auto">
          {waiting.map((each) => (
            <li key={each.key} className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 px-4 py-3 text-13">
              <StatusIcon kind="waiting" className="mt-0.5" />
              <div className="min-w-0">
                <p className="flex flex-wrap items-baseline gap-x-2 gap-y-1">
                  <span className="font-medium">
                    <BookingSubject subject={each.subject} />
                  </span>
                  <Badge>{each.kind}</Badge>
                  <span className="tabular text-muted">asks for {describeWanted(each.wanted)}</span>
                  <span className="ml-auto text-xs text-faint">
                    asked <RelativeTime time={each.since} />
                  </span>
                </p>
                {each.reason && <p className="mt-1">{each.reason}</p>}
                {each.action && <p className="mt-0.5 text-muted">{each.action}</p>}
              </div>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function describeWanted({ pods, gpuMilli, cores, memoryBytes }: Waiting["wanted"]): string {
  return [
    gpuMilli === 0
      ? null
      : `${formatNumber(gpuMilli / 1000, gpuMilli % 1000 === 0 ? 0 : 2)} ${gpuMilli === 1000 ? "GPU" : "GPUs"}`,
    cores === 0 ? null : formatCount(cores, "core"),
    memoryBytes === 0 ? null : formatBytes(memoryBytes),
    pods === 1 ? null : `in ${formatCount(pods, "pod")} that start together`,
  ]
    .filter((part) => part !== null)
    .join(", ");
}
