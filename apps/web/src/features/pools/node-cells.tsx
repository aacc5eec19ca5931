"use client";

import { BookingSubject } from "#features/pools/booking-subject.tsx";
import { memoryCells } from "#features/pools/memory-cells.ts";
import type { PoolsView } from "#features/pools/pools-page.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { formatBytes, formatCount, formatPercent } from "#lib/format.ts";

type Node = PoolsView["pools"][number]["nodes"][number];

const tones = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)", "var(--series-5)"];

/** One machine: its memory as cells in the colours of what is booked, full where it was measured, pale where only predicted. */
export function NodeCells({ node }: { node: Node }) {
  const toneOf = new Map(node.bookings.map((booking, index) => [booking.id, tones[index % tones.length]!]));
  const cells = memoryCells(node.memoryBytes, node.bookings);
  return (
    <section aria-label={`Node ${node.name}`} className="px-4 py-4">
      <header className="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1">
        <h3 className="text-13 font-semibold">
          {node.name}
          <span className="ml-2 font-normal text-muted">
            {formatCount(node.cores, "core")}
            {node.gpus.length > 0 &&
              ` · ${node.gpus.map((gpu) => `${gpu.model} ${formatBytes(gpu.memoryBytes)}`).join(", ")}`}
          </span>
        </h3>
        <p className="tabular text-13 text-muted">
          <span className="font-medium text-ink">{formatBytes(node.bookedBytes)}</span> of{" "}
          {formatBytes(node.memoryBytes)} booked, {formatBytes(node.freeBytes)} free
        </p>
      </header>
      <div
        role="img"
        aria-label={`${formatPercent(node.bookedBytes / node.memoryBytes)} of the memory is booked`}
        className="mt-3 grid grid-cols-[repeat(24,minmax(0,1fr))] gap-0.5 md:grid-cols-[repeat(48,minmax(0,1fr))]"
      >
        {cells.map((cell, index) => (
          <span
            key={index}
            className="h-6 rounded-[3px] border border-line"
            style={
              cell.bookingId === null
                ? undefined
                : {
                    borderColor: toneOf.get(cell.bookingId),
                    background: `color-mix(in oklab, ${toneOf.get(cell.bookingId)} ${cell.measured ? 100 : 22}%, var(--panel))`,
                  }
            }
          />
        ))}
      </div>
      <p className="mt-1.5 flex flex-wrap gap-x-4 text-xs text-faint">
        <span>one cell is {formatBytes(node.memoryBytes / cells.length)}</span>
        {node.bookings.length > 0 && <span>full: measured · pale: predicted and booked</span>}
      </p>
      {node.bookings.length === 0 ? (
        <p className="mt-3 text-13 text-muted">
          Nothing is booked. A training takes its place here once it is admitted.
        </p>
      ) : (
        <ul className="tabular mt-3 divide-y divide-line border-t border-line text-13">
          {node.bookings.map((booking) => (
            <li
              key={booking.id}
              className="grid grid-cols-[auto_minmax(0,1fr)] items-center gap-x-3 gap-y-0.5 py-2 sm:grid-cols-[auto_minmax(0,1fr)_auto_auto]"
            >
              <span aria-hidden className="size-2.5 rounded-[3px]" style={{ background: toneOf.get(booking.id) }} />
              <BookingSubject subject={booking.subject} />
              <span className="max-sm:col-start-2">
                {formatBytes(booking.predictedBytes)} predicted,{" "}
                {booking.measuredBytes === null ? (
                  <span className="text-faint">not measured yet</span>
                ) : (
                  <span className="font-medium">{formatBytes(booking.measuredBytes)} measured</span>
                )}
              </span>
              <RelativeTime
                time={booking.since}
                className="text-right text-xs text-faint max-sm:col-start-2 max-sm:text-left sm:w-24"
              />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
