"use client";

import {
  flexRender,
  getCoreRowModel,
  getPaginationRowModel,
  getSortedRowModel,
  useReactTable,
  type ColumnDef,
  type Header,
  type Row,
  type RowData,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp, ChevronsUpDown } from "lucide-react";
import { useRouter } from "next/navigation";
import { useRef, useState, type KeyboardEvent, type MouseEvent, type ReactNode } from "react";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Skeleton } from "#components/ui/skeleton.tsx";
import { TablePager } from "#components/ui/table-pager.tsx";
import { cn } from "#lib/class-names.ts";
import type { TableState } from "#lib/table-state.ts";
import { narrowQuery, useMediaQuery } from "#lib/use-media-query.ts";
import type { WireError } from "#lib/wire-error.ts";

declare module "@tanstack/react-table" {
  // Both parameters belong to the declaration that this one merges with.
  interface ColumnMeta<TData extends RowData, TValue> {
    align?: "right";
    /** A CSS width; columns without one share what is left. */
    width?: string;
    /** Shown whole, on as many lines as it takes, instead of cut at the cell's end. */
    wrap?: boolean;
    /** In cards (narrow screens): the heading, a labelled value (default), or left out. */
    card?: "title" | "value" | "hidden";
  }
}

export type DataColumn<T> = ColumnDef<T>;

type DataTableProps<T> = {
  label: string;
  columns: DataColumn<T>[];
  /** undefined while loading. */
  rows: readonly T[] | undefined;
  rowId(row: T): string;
  /** undefined for a row that leads nowhere. */
  rowHref?(row: T): string | undefined;
  state: TableState;
  /** The number of all rows when the server pages and sorts; leave out to do both here. */
  total?: number;
  /** What to show when there are no rows: an <EmptyState>, or a sentence when a filter hides them. */
  empty: ReactNode;
  error?: WireError | null;
  onRetry?: () => void;
  /** Below this the table scrolls sideways instead of squeezing. */
  minWidth?: string;
};

const rowHeightPx = 41;
const virtualiseAbove = 60;

export function DataTable<T>(props: DataTableProps<T>) {
  const { label, columns, rows, rowId, state, total, empty, error, onRetry } = props;
  const narrow = useMediaQuery(narrowQuery);
  const serverSide = total !== undefined;
  const [sortId, descending] = state.sort?.startsWith("-") ? [state.sort.slice(1), true] : [state.sort, false];
  const table = useReactTable<T>({
    data: (rows as T[] | undefined) ?? emptyRows,
    columns,
    getRowId: rowId,
    getCoreRowModel: getCoreRowModel(),
    ...(serverSide ? {} : { getSortedRowModel: getSortedRowModel(), getPaginationRowModel: getPaginationRowModel() }),
    manualSorting: serverSide,
    manualPagination: serverSide,
    enableSortingRemoval: false,
    autoResetPageIndex: false,
    state: {
      sorting: sortId ? [{ id: sortId, desc: descending }] : [],
      pagination: { pageIndex: state.page - 1, pageSize: state.pageSize },
    },
  });

  if (error && !rows) return <ErrorState error={error} onRetry={onRetry} />;
  if (rows?.length === 0 && (state.page === 1 || !serverSide)) return <>{empty}</>;
  return (
    <div className="space-y-3">
      {narrow ? (
        <Cards label={label} rows={rows && table.getRowModel().rows} rowHref={props.rowHref} />
      ) : (
        <Grid
          {...props}
          headers={table.getHeaderGroups()[0]?.headers ?? []}
          tableRows={rows && table.getRowModel().rows}
        />
      )}
      {rows && <TablePager state={state} total={total ?? rows.length} />}
    </div>
  );
}

const emptyRows: never[] = [];

type GridProps<T> = DataTableProps<T> & { headers: Header<T, unknown>[]; tableRows: Row<T>[] | undefined };

function Grid<T>({ label, headers, tableRows, state, rowHref, minWidth = "44rem" }: GridProps<T>) {
  const scroller = useRef<HTMLDivElement>(null);
  const router = useRouter();
  const [active, setActive] = useState(0);
  const count = tableRows?.length ?? 0;
  const virtual = count > virtualiseAbove;
  const virtualizer = useVirtualizer({
    count,
    enabled: virtual,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeightPx,
    overscan: 12,
    scrollPaddingStart: rowHeightPx,
  });
  const items = virtual ? virtualizer.getVirtualItems() : null;
  const shown = items ? items.map((item) => item.index) : Array.from({ length: count }, (_, index) => index);
  const before = items?.[0]?.start ?? 0;
  const after = items ? virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0) : 0;

  function focusRow(index: number) {
    const target = Math.max(0, Math.min(count - 1, index));
    setActive(target);
    if (virtual) virtualizer.scrollToIndex(target);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-row="${target}"]`)?.focus());
  }

  function onKeyDown(event: KeyboardEvent, index: number, row: Row<T>) {
    if (event.target !== event.currentTarget) return;
    const moves: Record<string, number> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      Home: 0,
      End: count - 1,
      PageDown: index + 10,
      PageUp: index - 10,
    };
    const target = moves[event.key];
    if (target !== undefined) {
      event.preventDefault();
      focusRow(target);
    } else if (event.key === "Enter") open(row);
  }

  function open(row: Row<T>) {
    const target = rowHref?.(row.original);
    if (target !== undefined) router.push(target);
  }

  function onClick(event: MouseEvent, row: Row<T>) {
    if ((event.target as HTMLElement).closest("a, button, input, [role=menuitem]")) return;
    if (window.getSelection()?.toString()) return;
    open(row);
  }

  return (
    <div
      ref={scroller}
      className={cn(
        "relative overflow-auto rounded-panel border border-line bg-panel",
        virtual && "max-h-[calc(100dvh-14rem)] min-h-80",
      )}
    >
      <table
        aria-label={label}
        aria-rowcount={count + 1}
        className="w-full table-fixed border-separate border-spacing-0 text-13"
        style={{ minWidth }}
      >
        <colgroup>
          {headers.map((header) => (
            <col key={header.id} style={{ width: header.column.columnDef.meta?.width }} />
          ))}
        </colgroup>
        <thead className="sticky top-0 z-10 bg-panel">
          <tr>
            {headers.map((header) => (
              <HeaderCell key={header.id} header={header} state={state} />
            ))}
          </tr>
        </thead>
        <tbody>
          {before > 0 && <Spacer height={before} columns={headers.length} />}
          {shown.map((index) => {
            const row = tableRows![index];
            if (!row) return null;
            return (
              <tr
                key={row.id}
                ref={virtual ? virtualizer.measureElement : undefined}
                data-index={index}
                data-row={index}
                data-focus-inset
                tabIndex={index === active ? 0 : -1}
                aria-rowindex={index + 2}
                className={cn("group/row hover:bg-hover", rowHref?.(row.original) && "cursor-pointer")}
                onFocus={(event) => event.target === event.currentTarget && setActive(index)}
                onKeyDown={(event) => onKeyDown(event, index, row)}
                onClick={(event) => onClick(event, row)}
              >
                {row.getVisibleCells().map((cell) => (
                  <td
                    key={cell.id}
                    className={cn(
                      "h-10 border-b border-line px-3 group-last/row:border-b-0 first:pl-4 last:pr-4",
                      cell.column.columnDef.meta?.wrap ? "py-2 align-top wrap-anywhere" : "truncate",
                      cell.column.columnDef.meta?.align === "right" && "text-right",
                    )}
                  >
                    {flexRender(cell.column.columnDef.cell, cell.getContext())}
                  </td>
                ))}
              </tr>
            );
          })}
          {after > 0 && <Spacer height={after} columns={headers.length} />}
          {!tableRows && <LoadingRows columns={headers.length} />}
        </tbody>
      </table>
    </div>
  );
}

function HeaderCell<T>({ header, state }: { header: Header<T, unknown>; state: TableState }) {
  const { column } = header;
  const right = column.columnDef.meta?.align === "right";
  const sorted = column.getIsSorted();
  const content = flexRender(column.columnDef.header, header.getContext());
  return (
    <th
      scope="col"
      aria-sort={sorted === "asc" ? "ascending" : sorted === "desc" ? "descending" : undefined}
      className={cn(
        "h-9 truncate border-b border-line px-3 text-xs font-medium text-muted first:pl-4 last:pr-4",
        right ? "text-right" : "text-left",
      )}
    >
      {column.getCanSort() ? (
        <button
          type="button"
          className={cn(
            "group/sort inline-flex items-center gap-1 hover:text-ink",
            right && "flex-row-reverse",
            sorted && "text-ink",
          )}
          onClick={() =>
            state.setSort(
              sorted === "desc" ? column.id : sorted === "asc" ? `-${column.id}` : right ? `-${column.id}` : column.id,
            )
          }
        >
          {content}
          {sorted === "asc" ? (
            <ArrowUp className="size-3" />
          ) : sorted === "desc" ? (
            <ArrowDown className="size-3" />
          ) : (
            <ChevronsUpDown className="size-3 opacity-0 group-hover/sort:opacity-60 group-focus-visible/sort:opacity-60" />
          )}
        </button>
      ) : (
        content
      )}
    </th>
  );
}

function Spacer({ height, columns }: { height: number; columns: number }) {
  return (
    <tr aria-hidden>
      <td colSpan={columns} style={{ height }} className="p-0" />
    </tr>
  );
}

function LoadingRows({ columns }: { columns: number }) {
  return Array.from({ length: 8 }, (_, row) => (
    <tr key={row} aria-hidden>
      {Array.from({ length: columns }, (_, column) => (
        <td key={column} className="h-10 border-b border-line px-3 first:pl-4">
          <Skeleton className={cn("h-4", column === 0 ? "w-3/4" : "w-1/2")} />
        </td>
      ))}
    </tr>
  ));
}

function Cards<T>({
  label,
  rows,
  rowHref,
}: {
  label: string;
  rows: Row<T>[] | undefined;
  rowHref?: (row: T) => string | undefined;
}) {
  const router = useRouter();
  if (!rows)
    return (
      <div className="space-y-2">
        {[1, 2, 3, 4].map((each) => (
          <Skeleton key={each} className="h-24 rounded-panel" />
        ))}
      </div>
    );
  return (
    <ul aria-label={label} className="space-y-2">
      {rows.map((row) => {
        const cells = row.getVisibleCells();
        const title = cells.find((cell) => cell.column.columnDef.meta?.card === "title") ?? cells[0];
        const values = cells.filter((cell) => cell !== title && cell.column.columnDef.meta?.card !== "hidden");
        return (
          <li
            key={row.id}
            className="rounded-panel border border-line bg-panel p-3"
            onClick={(event) => {
              const target = rowHref?.(row.original);
              if (target !== undefined && !(event.target as HTMLElement).closest("a, button")) router.push(target);
            }}
          >
            {title && (
              <div className="min-w-0 text-13 font-medium wrap-anywhere">
                {flexRender(title.column.columnDef.cell, title.getContext())}
              </div>
            )}
            <dl className="tabular mt-2 grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-13">
              {values.map((cell) => (
                <div key={cell.id} className="contents">
                  <dt className="text-muted">
                    {typeof cell.column.columnDef.header === "string" ? cell.column.columnDef.header : ""}
                  </dt>
                  <dd
                    className={cn(
                      "min-w-0 max-w-full",
                      cell.column.columnDef.meta?.wrap ? "wrap-anywhere" : "justify-self-end truncate",
                    )}
                  >
                    {flexRender(cell.column.columnDef.cell, cell.getContext())}
                  </dd>
                </div>
              ))}
            </dl>
          </li>
        );
      })}
    </ul>
  );
}
