"use client";

import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { Download, ScrollText, ShieldCheck } from "lucide-react";
import { useState } from "react";
import { Button } from "#components/ui/button.tsx";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { Dialog, SheetContent } from "#components/ui/dialog.tsx";
import { Digest } from "#components/ui/digest.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { KeyValues } from "#components/ui/key-values.tsx";
import { Page } from "#components/ui/page.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { SearchInput } from "#components/ui/search-input.tsx";
import { Status } from "#components/ui/status.tsx";
import { outcomeOf } from "#features/audit/event-outcome.ts";
import { VerifyAudit } from "#features/audit/verify-audit.tsx";
import { formatDateTime } from "#lib/format.ts";
import { useTableFilter, useTableState } from "#lib/table-state.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useNow } from "#lib/use-now.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type AuditEvent = Answers["audit"]["list"]["rows"][number];

export function AuditPage() {
  const { role } = useWorkspace();
  if (role !== "admin")
    return (
      <Page title="Audit" description="Who did what in this workspace, in a record that cannot be changed unseen.">
        <EmptyState icon={ScrollText} title="Only administrators read the audit trail">
          It names what everyone in the workspace did. Ask an administrator if you need something from it.
        </EmptyState>
      </Page>
    );
  return <AuditTrail />;
}

function AuditTrail() {
  const trpc = useTRPC();
  const { slug } = useWorkspace();
  const state = useTableState();
  const [search, setSearch] = useTableFilter("q");
  const [verifying, setVerifying] = useState(false);
  const [shown, show] = useState<AuditEvent | null>(null);
  const verify = useMutation(trpc.audit.verify.mutationOptions({ meta: { inlineError: true } }));
  const { data, error, refetch } = useQuery(
    trpc.audit.list.queryOptions(
      { search: search || undefined, limit: state.pageSize, offset: (state.page - 1) * state.pageSize },
      { placeholderData: keepPreviousData },
    ),
  );
  return (
    <Page
      title="Audit"
      description="Who did what in this workspace. Each event carries the hash of the one before it, so that none can be changed unseen."
      actions={
        <>
          <Button
            onClick={() => {
              setVerifying(true);
              verify.mutate();
            }}
          >
            <ShieldCheck aria-hidden /> Verify
          </Button>
          <Button asChild>
            <a href={`/api/w/${slug}/audit`} download>
              <Download aria-hidden /> Export
            </a>
          </Button>
        </>
      }
    >
      <div className="mb-3">
        <SearchInput label="Search person, action, subject" value={search} onChange={setSearch} />
      </div>
      <DataTable
        label="Audit events"
        columns={columnsOf(show)}
        rows={data?.rows}
        total={data?.total ?? 0}
        rowId={(row) => row.id}
        state={state}
        error={error && wireErrorOf(error)}
        onRetry={() => void refetch()}
        minWidth="60rem"
        empty={
          search ? (
            <EmptyState icon={ScrollText} title="No event matches">
              Search for a person's e-mail address, an action such as “key.create”, or what it was done to.
            </EmptyState>
          ) : (
            <EmptyState icon={ScrollText} title="Nothing has happened yet">
              Here stands every act that changes who may do what, what is read, and what is served.
            </EmptyState>
          )
        }
      />
      {shown && <EventSheet event={shown} onClose={() => show(null)} />}
      <VerifyAudit open={verifying} onOpenChange={setVerifying} verification={verify} />
    </Page>
  );
}

const columnsOf = (show: (event: AuditEvent) => void): DataColumn<AuditEvent>[] => [
  {
    id: "at",
    header: "When",
    enableSorting: false,
    meta: { width: "12rem" },
    cell: ({ row }) => <EventTime at={row.original.at} />,
  },
  {
    id: "actor",
    header: "Who",
    enableSorting: false,
    meta: { width: "14%" },
    cell: ({ row }) => <span title={row.original.actor}>{row.original.actor}</span>,
  },
  {
    id: "action",
    header: "Did",
    enableSorting: false,
    meta: { width: "9.5rem", card: "title" },
    cell: ({ row }) => (
      <button
        type="button"
        onClick={() => show(row.original)}
        title="Show all of it"
        className="font-mono text-xs font-medium hover:underline"
      >
        {row.original.action}
      </button>
    ),
  },
  {
    id: "subject",
    header: "To",
    enableSorting: false,
    cell: ({ row }) => (
      <span className="font-mono text-xs" title={row.original.subject}>
        {row.original.subject}
      </span>
    ),
  },
  {
    id: "details",
    header: "Details",
    enableSorting: false,
    cell: ({ row }) => <Details details={row.original.details} />,
  },
  {
    id: "allowed",
    header: "Outcome",
    enableSorting: false,
    meta: { width: "12rem" },
    cell: ({ row }) => <Outcome event={row.original} />,
  },
  {
    id: "hash",
    header: "Hash",
    enableSorting: false,
    meta: { width: "7rem", align: "right", card: "hidden" },
    cell: ({ row }) => <Digest value={row.original.hash} />,
  },
];

/** In an audit the moment itself is what counts. */
function EventTime({ at }: { at: Date }) {
  const now = useNow();
  return (
    <span className="flex flex-col leading-4">
      <span className="tabular">{now ? formatDateTime(at) : at.toISOString().slice(0, 16)}</span>
      <RelativeTime time={at} className="text-2xs text-faint" />
    </span>
  );
}

function Details({ details }: { details: Record<string, unknown> }) {
  const text = Object.entries(details)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
  return (
    <span className="text-muted" title={text}>
      {text || "–"}
    </span>
  );
}

function Outcome({ event }: { event: AuditEvent }) {
  const { kind, word } = outcomeOf(event);
  return (
    <span title={word}>
      <Status kind={kind} word={word} />
    </span>
  );
}

/** What a row has no room for. */
function EventSheet({ event, onClose }: { event: AuditEvent; onClose(): void }) {
  const code = (text: string) => <span className="font-mono text-xs break-all">{text}</span>;
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <SheetContent title={event.action} description={formatDateTime(event.at)}>
        <div className="space-y-4">
          <KeyValues
            items={[
              { label: "Who", value: event.actor },
              { label: "To", value: code(event.subject) },
              { label: "Outcome", value: <Outcome event={event} /> },
              { label: "Hash", value: code(event.hash) },
              { label: "Hash before", value: code(event.prevHash) },
            ]}
          />
          <section>
            <h3 className="mb-2 text-13 font-semibold">Details</h3>
            <pre className="rounded-panel border border-line bg-sunken p-3 font-mono text-xs break-all whitespace-pre-wrap">
              {JSON.stringify(event.details, null, 2)}
            </pre>
          </section>
        </div>
      </SheetContent>
    </Dialog>
  );
}
