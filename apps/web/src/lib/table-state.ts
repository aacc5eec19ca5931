"use client";

import { useCallback, useMemo } from "react";
import { useUrlState } from "#lib/url-state.ts";

export const pageSizes = [50, 200, 1000] as const;

export type TableState = {
  /** "changedAt" ascending, "-changedAt" descending, null as the rows come. */
  sort: string | null;
  page: number;
  pageSize: number;
  setSort(sort: string | null): void;
  setPage(page: number): void;
  setPageSize(pageSize: number): void;
};

/**
 * Sort, page and size of a table in the URL. `prefix` keeps two tables of one page apart. A filter that a page sets
 * through `useTableFilter` goes back to the first page.
 */
export function useTableState({
  defaultSort = null,
  prefix = "",
}: { defaultSort?: string | null; prefix?: string } = {}): TableState {
  const [params, set] = useUrlState();
  const sort = params.get(`${prefix}sort`) ?? defaultSort;
  const page = positive(params.get(`${prefix}page`), 1);
  const requested = positive(params.get(`${prefix}size`), pageSizes[0]);
  const pageSize = pageSizes.find((size) => size === requested) ?? pageSizes[0];
  return useMemo(
    () => ({
      sort,
      page,
      pageSize,
      setSort: (next) => set({ [`${prefix}sort`]: next === defaultSort ? null : next, [`${prefix}page`]: null }),
      setPage: (next) => set({ [`${prefix}page`]: next <= 1 ? null : String(next) }),
      setPageSize: (next) =>
        set({ [`${prefix}size`]: next === pageSizes[0] ? null : String(next), [`${prefix}page`]: null }),
    }),
    [sort, page, pageSize, prefix, defaultSort, set],
  );
}

/** One filter of a table in the URL; changing it returns to the first page. */
export function useTableFilter(name: string, prefix = ""): [string, (value: string) => void] {
  const [params, set] = useUrlState();
  const change = useCallback(
    (value: string) => set({ [`${prefix}${name}`]: value, [`${prefix}page`]: null }),
    [set, name, prefix],
  );
  return [params.get(`${prefix}${name}`) ?? "", change];
}

function positive(text: string | null, fallback: number): number {
  const value = Number(text);
  return Number.isInteger(value) && value > 0 ? value : fallback;
}
