import type { DataColumn } from "#components/ui/data-table.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { formatNumber } from "#lib/format.ts";

/** Right-aligned and sorted by its value, which `show` brings to the page with its unit. */
export function numberColumn<Row>(
  id: string,
  header: string,
  width: string,
  value: (row: Row) => number | null,
  show: (value: number | null) => string = formatNumber,
): DataColumn<Row> {
  return {
    id,
    accessorFn: value,
    header,
    meta: { width, align: "right" },
    cell: ({ row }) => show(value(row.original)),
  };
}

/** A moment as people say it, sorted by the moment itself. */
export function timeColumn<Row>(
  id: string,
  header: string,
  width: string,
  value: (row: Row) => Date | null,
): DataColumn<Row> {
  return {
    id,
    accessorFn: value,
    header,
    meta: { width, align: "right" },
    cell: ({ row }) => <RelativeTime time={value(row.original)} className="text-muted" />,
  };
}
