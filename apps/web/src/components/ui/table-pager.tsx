"use client";

import { ChevronLeft, ChevronRight } from "lucide-react";
import { Button } from "#components/ui/button.tsx";
import { Select } from "#components/ui/select.tsx";
import { formatNumber } from "#lib/format.ts";
import { pageSizes, type TableState } from "#lib/table-state.ts";

export function TablePager({ state, total }: { state: TableState; total: number }) {
  const pages = Math.max(1, Math.ceil(total / state.pageSize));
  const first = total === 0 ? 0 : (state.page - 1) * state.pageSize + 1;
  const last = Math.min(total, state.page * state.pageSize);
  if (total <= pageSizes[0])
    return <p className="tabular px-1 text-xs text-faint">{total === 1 ? "1 row" : `${formatNumber(total)} rows`}</p>;
  return (
    <nav
      aria-label="Pages"
      className="tabular flex flex-wrap items-center justify-between gap-3 px-1 text-xs text-muted"
    >
      <span>
        {formatNumber(first)}–{formatNumber(last)} of {formatNumber(total)}
      </span>
      <span className="flex items-center gap-2">
        <Select
          label="Rows on a page"
          className="w-32"
          value={String(state.pageSize)}
          onChange={(size) => state.setPageSize(Number(size))}
          options={pageSizes.map((size) => ({ value: String(size), label: `${formatNumber(size)} a page` }))}
        />
        <Button
          variant="ghost"
          size="icon"
          aria-label="Previous page"
          disabled={state.page <= 1}
          onClick={() => state.setPage(state.page - 1)}
        >
          <ChevronLeft />
        </Button>
        <span>
          {formatNumber(state.page)} / {formatNumber(pages)}
        </span>
        <Button
          variant="ghost"
          size="icon"
          aria-label="Next page"
          disabled={state.page >= pages}
          onClick={() => state.setPage(state.page + 1)}
        >
          <ChevronRight />
        </Button>
      </span>
    </nav>
  );
}
