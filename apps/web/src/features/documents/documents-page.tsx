"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Files, Lock } from "lucide-react";
import Link from "next/link";
import { Button } from "#components/ui/button.tsx";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { Page } from "#components/ui/page.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { SearchInput } from "#components/ui/search-input.tsx";
import { Select } from "#components/ui/select.tsx";
import { DocumentStatus } from "#features/documents/document-status.tsx";
import { useViewAs, ViewAsBanner, ViewAsSelect } from "#features/documents/view-as.tsx";
import { formatBytes, formatNumber } from "#lib/format.ts";
import { languageName } from "#lib/language-names.ts";
import { mediaTypeName } from "#lib/media-type-names.ts";
import { useTableFilter, useTableState } from "#lib/table-state.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useUrlState } from "#lib/url-state.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Row = Answers["documents"]["list"]["rows"][number];

const statuses = ["kept", "fetched", "dropped", "quarantined", "duplicate", "deleted"] as const;
const statusNames: Record<(typeof statuses)[number], string> = {
  kept: "Kept",
  fetched: "To be cleaned",
  dropped: "Dropped",
  quarantined: "Quarantined",
  duplicate: "Duplicates",
  deleted: "Deleted at source",
};

export function DocumentsPage() {
  const trpc = useTRPC();
  const { href } = useWorkspace();
  const state = useTableState();
  const [search, setSearch] = useTableFilter("q");
  const [statusText] = useTableFilter("status");
  const [sourceId] = useTableFilter("source");
  const [language] = useTableFilter("language");
  const [mediaType] = useTableFilter("type");
  const { viewAs } = useViewAs();
  const [, setUrl] = useUrlState();
  const status = statuses.find((each) => each === statusText);
  const filtered = Boolean(search || status || sourceId || language || mediaType);
  const { data, error, refetch } = useQuery(
    trpc.documents.list.queryOptions(
      {
        search: search || undefined,
        status,
        sourceId: sourceId || undefined,
        language: language || undefined,
        mediaType: mediaType || undefined,
        viewAs,
        limit: state.pageSize,
        offset: (state.page - 1) * state.pageSize,
      },
      // Another's rows must not stand under a member's name until theirs come.
      { placeholderData: viewAs ? undefined : keepPreviousData },
    ),
  );
  return (
    <Page title="Documents" description="What was read, what became of it, and why.">
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <SearchInput label="Search titles and paths" value={search} onChange={setSearch} />
        <Facets viewAs={viewAs} />
        <ViewAsSelect />
        {filtered && (
          <Button
            variant="ghost"
            onClick={() => setUrl({ q: null, status: null, source: null, language: null, type: null, page: null })}
          >
            Clear
          </Button>
        )}
      </div>
      <ViewAsBanner />
      <DataTable
        label="Documents"
        columns={columns(href)}
        rows={data?.rows}
        total={data?.total ?? 0}
        rowId={(row) => row.id}
        rowHref={(row) => href(`/documents/${row.id}`)}
        state={state}
        error={error && wireErrorOf(error)}
        onRetry={() => void refetch()}
        minWidth="66rem"
        empty={
          filtered ? (
            <EmptyState icon={Files} title="No document matches">
              Take one of the filters away, or search for another word.
            </EmptyState>
          ) : viewAs ? (
            <EmptyState icon={Files} title="They may read no document">
              Nothing that was read admits them. A document&apos;s page tells its readers, and why each member is one or
              not.
            </EmptyState>
          ) : (
            <EmptyState
              icon={Files}
              title="No documents yet"
              action={
                <Button asChild variant="primary">
                  <Link href={href("/sources?add=1")}>Add a source</Link>
                </Button>
              }
            >
              Here stands every document that was read, with what the pipeline did to it: kept, masked, deduplicated or
              left out.
            </EmptyState>
          )
        }
      />
    </Page>
  );
}

function Facets({ viewAs }: { viewAs: string | undefined }) {
  const trpc = useTRPC();
  const { data: facets } = useQuery(trpc.documents.facets.queryOptions(viewAs ? { viewAs } : undefined));
  const { data: sources } = useQuery(trpc.connect.list.queryOptions());
  const counts = new Map(facets?.status.map(({ value, count }) => [value, count]));
  const ofSource = facets && new Map(facets.source.map(({ value, count }) => [value, count]));
  const statusCount = (value: (typeof statuses)[number]) =>
    value === "duplicate" ? facets?.duplicates : value === "deleted" ? undefined : (counts.get(value) ?? 0);
  return (
    <>
      <Facet
        name="status"
        label="Any status"
        options={statuses.map((value) => ({ value, label: statusNames[value], count: statusCount(value) }))}
      />
      <Facet
        name="source"
        label="Any source"
        options={(sources ?? []).map(({ id, name }) => ({
          value: id,
          label: name,
          count: ofSource && (ofSource.get(id) ?? 0),
        }))}
      />
      <Facet name="type" label="Any type" options={named(facets?.mediaType, (type) => mediaTypeName(type))} />
      <Facet name="language" label="Any language" options={named(facets?.language, languageName)} />
    </>
  );
}

function named(values: { value: string | null; count: number }[] | undefined, name: (value: string) => string) {
  return (values ?? []).flatMap(({ value, count }) => (value ? [{ value, label: name(value), count }] : []));
}

function Facet({
  name,
  label,
  options,
}: {
  name: string;
  label: string;
  options: { value: string; label: string; count?: number }[];
}) {
  const [value, setValue] = useTableFilter(name);
  return (
    <Select
      label={label}
      className="w-auto max-w-56 min-w-32"
      value={value || "any"}
      onChange={(next) => setValue(next === "any" ? "" : next)}
      options={[
        { value: "any", label },
        ...options.map((option) => ({
          value: option.value,
          label: option.count === undefined ? option.label : `${option.label} (${formatNumber(option.count)})`,
        })),
      ]}
    />
  );
}

const columns = (href: (path: string) => string): DataColumn<Row>[] => [
  {
    id: "title",
    header: "Document",
    enableSorting: false,
    meta: { width: "26%", card: "title" },
    cell: ({ row: { original: document } }) => (
      <span className="flex min-w-0 flex-col leading-4">
        <span className="flex items-center gap-1.5">
          {!document.readable && (
            <Lock aria-label="You may not read its contents" className="size-3 shrink-0 text-faint" />
          )}
          <Link href={href(`/documents/${document.id}`)} tabIndex={-1} className="truncate font-medium hover:underline">
            {document.title}
          </Link>
        </span>
        <span className="truncate font-mono text-2xs text-faint" title={document.uri}>
          {document.ref}
        </span>
      </span>
    ),
  },
  {
    id: "status",
    header: "Status",
    enableSorting: false,
    meta: { width: "8.5rem" },
    cell: ({ row }) => <DocumentStatus document={row.original} />,
  },
  { id: "source", header: "Source", enableSorting: false, cell: ({ row }) => row.original.sourceName },
  {
    id: "type",
    header: "Type",
    enableSorting: false,
    meta: { width: "6.5rem", card: "hidden" },
    cell: ({ row }) => mediaTypeName(row.original.mediaType, row.original.ref),
  },
  {
    id: "language",
    header: "Language",
    enableSorting: false,
    meta: { width: "5.5rem", card: "hidden" },
    cell: ({ row }) =>
      row.original.language ? languageName(row.original.language) : <span className="text-faint">–</span>,
  },
  {
    id: "pii",
    header: "PII found",
    enableSorting: false,
    meta: { width: "5.5rem", align: "right", card: "hidden" },
    cell: ({ row }) => <PiiCount counts={row.original.piiCounts} />,
  },
  {
    id: "readers",
    header: "Readers",
    enableSorting: false,
    meta: { width: "6.5rem" },
    cell: ({ row }) => row.original.readers,
  },
  {
    id: "size",
    header: "Size",
    enableSorting: false,
    meta: { width: "5.5rem", align: "right", card: "hidden" },
    cell: ({ row }) => formatBytes(row.original.sizeBytes),
  },
  {
    id: "changed",
    header: "Changed",
    enableSorting: false,
    meta: { width: "7rem", align: "right" },
    cell: ({ row }) => <RelativeTime time={row.original.changedAt} className="text-muted" />,
  },
];

function PiiCount({ counts }: { counts: Record<string, number> | null }) {
  const total = Object.values(counts ?? {}).reduce((sum, count) => sum + count, 0);
  if (total === 0) return <span className="text-faint">0</span>;
  return (
    <span
      title={Object.entries(counts ?? {})
        .map(([kind, count]) => `${kind}: ${count}`)
        .join(", ")}
    >
      {formatNumber(total)}
    </span>
  );
}
