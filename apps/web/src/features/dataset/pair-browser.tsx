"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { BookOpenText } from "lucide-react";
import { useEffect, useRef } from "react";
import { Button } from "#components/ui/button.tsx";
import { Dialog, SheetContent } from "#components/ui/dialog.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Kbd } from "#components/ui/kbd.tsx";
import { SearchInput } from "#components/ui/search-input.tsx";
import { Select } from "#components/ui/select.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { TablePager } from "#components/ui/table-pager.tsx";
import type { DatasetView } from "#features/dataset/dataset-page.tsx";
import { describeDrop } from "#features/dataset/drop-names.ts";
import { PairBadges, type Pair } from "#features/dataset/pair-badges.tsx";
import { PairDetail } from "#features/dataset/pair-detail.tsx";
import { formatNumber } from "#lib/format.ts";
import { useTableFilter, useTableState } from "#lib/table-state.ts";
import { useTRPC } from "#lib/trpc.ts";
import { useUrlState } from "#lib/url-state.ts";
import { useMediaQuery } from "#lib/use-media-query.ts";
import { wireErrorOf } from "#lib/wire-error.ts";

const besideQuery = "(min-width: 64rem)";
const paneHeight = "lg:h-[calc(100dvh-17rem)] lg:min-h-96";

/** Pairs at the left, the one that is read with its source at the right; `j` and `k` go through them. */
export function PairBrowser({ dataset }: { dataset: DatasetView }) {
  const trpc = useTRPC();
  const state = useTableState();
  const [search, setSearch] = useTableFilter("q");
  const [split, setSplit] = useTableFilter("split");
  const [origin, setOrigin] = useTableFilter("origin");
  const [kept, setKept] = useTableFilter("kept");
  const [documentId, setDocumentId] = useTableFilter("document");
  const [params, setUrl] = useUrlState();
  const beside = useMediaQuery(besideQuery);
  const { data, error, refetch } = useQuery(
    trpc.dataset.pairs.queryOptions(
      {
        datasetVersionId: dataset.id,
        search: search || undefined,
        split: split === "train" || split === "eval" ? split : undefined,
        origin: origin === "extracted" || origin === "generated" ? origin : undefined,
        dropped: kept === "" ? undefined : kept !== "kept",
        dropCode: kept === "" || kept === "kept" || kept === "dropped" ? undefined : kept,
        documentId: documentId || undefined,
        limit: state.pageSize,
        offset: (state.page - 1) * state.pageSize,
      },
      { placeholderData: keepPreviousData },
    ),
  );
  const rows = data?.rows ?? [];
  const selectedId = params.get("pair");
  const chosen = rows.findIndex((row) => row.id === selectedId);
  const index = chosen >= 0 ? chosen : beside && rows.length > 0 ? 0 : -1;
  const selected = rows[index];
  const select = (pair: Pair | undefined) => pair && setUrl({ pair: pair.id });
  const step = (by: 1 | -1) => select(rows[Math.min(rows.length - 1, Math.max(0, index + by))]);
  useStepKeys(step);
  const filtered = Boolean(search || split || origin || kept || documentId);
  const clear = () => setUrl({ q: null, split: null, origin: null, kept: null, document: null, page: null });
  const { facets } = dataset;

  return (
    <div>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <SearchInput label="Search questions and answers" value={search} onChange={setSearch} />
        <Filter
          label="Any split"
          value={split}
          onChange={setSplit}
          options={[
            { value: "train", label: `Training (${formatNumber(facets.split.train ?? 0)})` },
            { value: "eval", label: `Evaluation (${formatNumber(facets.split.eval ?? 0)})` },
          ]}
        />
        <Filter
          label="Any origin"
          value={origin}
          onChange={setOrigin}
          options={[
            { value: "extracted", label: `Extracted (${formatNumber(facets.origin.extracted ?? 0)})` },
            { value: "generated", label: `Generated (${formatNumber(facets.origin.generated ?? 0)})` },
          ]}
        />
        <Filter
          label="Kept and dropped"
          value={kept}
          onChange={setKept}
          options={[
            { value: "kept", label: `Kept (${formatNumber(facets.kept)})` },
            { value: "dropped", label: `Dropped (${formatNumber(facets.dropped)})` },
            ...Object.entries(facets.dropCode).map(([code, count]) => ({
              value: code,
              label: `Dropped: ${describeDrop(code)} (${formatNumber(count)})`,
            })),
          ]}
        />
        {dataset.documents.length > 1 && (
          <Filter
            label="Any document"
            value={documentId}
            onChange={setDocumentId}
            options={dataset.documents.map((document) => ({ value: document.id, label: document.title }))}
          />
        )}
        {filtered && (
          <Button variant="ghost" onClick={clear}>
            Clear
          </Button>
        )}
        <span className="ml-auto hidden items-center gap-1.5 text-xs text-faint lg:flex">
          <Kbd>j</Kbd> <Kbd>k</Kbd> next, previous
        </span>
      </div>
      {error && !data ? (
        <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />
      ) : !data ? (
        <SkeletonRows rows={10} />
      ) : rows.length === 0 ? (
        <EmptyState
          icon={BookOpenText}
          title={filtered ? "No pair matches" : "No pair that you may read"}
          action={filtered && <Button onClick={clear}>Show all pairs</Button>}
        >
          {filtered
            ? "Take one of the filters away, or search for another word."
            : "Pairs follow the permissions of the documents that they come from. Ask for access at their source."}
        </EmptyState>
      ) : (
        <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-[minmax(20rem,26rem)_minmax(0,1fr)]">
          <div className={`flex min-h-0 flex-col gap-3 ${paneHeight}`}>
            <PairList pairs={rows} selectedId={selected?.id} onSelect={select} />
            <TablePager state={state} total={data.total} />
          </div>
          {beside ? (
            selected && (
              <div className={`min-w-0 ${paneHeight}`}>
                <PairDetail key={selected.id} pair={selected} />
              </div>
            )
          ) : (
            <Dialog open={chosen >= 0} onOpenChange={(open) => !open && setUrl({ pair: null })}>
              <SheetContent title={`Pair ${formatNumber((selected?.ordinal ?? 0) + 1)}`}>
                {selected && <PairDetail key={selected.id} pair={selected} />}
              </SheetContent>
            </Dialog>
          )}
        </div>
      )}
    </div>
  );
}

function PairList({
  pairs,
  selectedId,
  onSelect,
}: {
  pairs: readonly Pair[];
  selectedId: string | undefined;
  onSelect(pair: Pair): void;
}) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.querySelector("[aria-current=true]")?.scrollIntoView({ block: "nearest" });
  }, [selectedId]);
  return (
    <ul
      ref={list}
      aria-label="Pairs"
      className="min-h-0 flex-1 divide-y divide-line overflow-y-auto rounded-panel border border-line bg-panel"
    >
      {pairs.map((pair) => (
        <li key={pair.id}>
          <button
            type="button"
            data-focus-inset
            aria-current={pair.id === selectedId ? "true" : undefined}
            onClick={() => onSelect(pair)}
            className="group block w-full px-4 py-2.5 text-left text-13 hover:bg-hover aria-current:bg-accent-soft"
          >
            <span
              className={
                pair.drop ? "line-clamp-2 text-muted line-through decoration-faint" : "line-clamp-2 font-medium"
              }
            >
              {pair.question}
            </span>
            <span className="mt-0.5 line-clamp-1 text-muted">{pair.drop ? pair.drop.reason : pair.answer}</span>
            <span className="mt-1 flex items-center gap-1.5">
              <PairBadges pair={pair} />
              <span className="min-w-0 truncate text-2xs text-faint group-aria-current:text-muted">
                {pair.documentTitle}
              </span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

type FilterProps = {
  label: string;
  value: string;
  onChange(value: string): void;
  options: { value: string; label: string }[];
};

function Filter({ label, value, onChange, options }: FilterProps) {
  return (
    <Select
      label={label}
      className="w-auto max-w-56 min-w-32"
      value={value || "any"}
      onChange={(next) => onChange(next === "any" ? "" : next)}
      options={[{ value: "any", label }, ...options]}
    />
  );
}

/** `j` and `k` wherever nobody is typing. */
function useStepKeys(step: (by: 1 | -1) => void) {
  const latest = useRef(step);
  latest.current = step;
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (
        event.target instanceof HTMLElement &&
        event.target.closest("input, textarea, select, [role=listbox], [role=menu]")
      )
        return;
      if (event.key === "j") latest.current(1);
      else if (event.key === "k") latest.current(-1);
    }
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);
}
