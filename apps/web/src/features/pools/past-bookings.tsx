"use client";

import { numberColumn, timeColumn } from "#components/ui/columns.tsx";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { BookingSubject } from "#features/pools/booking-subject.tsx";
import type { PoolsView } from "#features/pools/pools-page.tsx";
import { formatBytes, formatPercent } from "#lib/format.ts";
import { useTableState } from "#lib/table-state.ts";

type Past = PoolsView["past"][number];

/** How good the predictions were: what was booked beside what was used. */
export function PastBookings({ bookings }: { bookings: PoolsView["past"] }) {
  const state = useTableState({ prefix: "past-", defaultSort: "-released" });
  if (bookings.length === 0) return null;
  return (
    <section>
      <h2 className="mb-2 text-13 font-semibold">Prediction beside measurement</h2>
      <DataTable
        label="Prediction beside measurement"
        columns={columns}
        rows={bookings}
        rowId={(row) => row.key}
        state={state}
        empty={null}
        minWidth="44rem"
      />
    </section>
  );
}

const share = (row: Past) => (row.measuredBytes ?? 0) / row.predictedBytes;

const columns: DataColumn<Past>[] = [
  {
    id: "subject",
    header: "Work",
    enableSorting: false,
    meta: { width: "13rem", card: "title" },
    cell: ({ row }) => <BookingSubject subject={row.original.subject} />,
  },
  {
    id: "bar",
    header: "Used of booked",
    enableSorting: false,
    meta: { card: "hidden" },
    cell: ({ row }) => <Used row={row.original} />,
  },
  numberColumn("predicted", "Predicted", "7.5rem", (row) => row.predictedBytes, formatBytes),
  numberColumn("measured", "Measured", "7.5rem", (row) => row.measuredBytes, formatBytes),
  {
    id: "share",
    accessorFn: share,
    header: "Used",
    meta: { width: "6rem", align: "right" },
    cell: ({ row }) => (
      <span className={share(row.original) > 1 ? "font-medium text-failed" : ""}>
        {formatPercent(share(row.original))}
      </span>
    ),
  },
  timeColumn("released", "Ended", "7rem", (row) => row.endedAt),
];

function Used({ row }: { row: Past }) {
  const over = share(row) > 1;
  return (
    <span aria-hidden className="block h-1.5 overflow-hidden rounded-full bg-line">
      <span
        className="block h-full rounded-full"
        style={{ width: `${Math.min(1, share(row)) * 100}%`, background: over ? "var(--failed)" : "var(--series-1)" }}
      />
    </span>
  );
}
