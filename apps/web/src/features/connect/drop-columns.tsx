import type { DataColumn } from "#components/ui/data-table.tsx";
import type { Answers } from "#lib/trpc.ts";

export type DroppedDocument = Answers["documents"]["list"]["rows"][number];

/** A document that is in no index, and why: it failed, or the rules leave it out. */
export const dropColumns: DataColumn<DroppedDocument>[] = [
  {
    id: "title",
    header: "Document",
    enableSorting: false,
    meta: { width: "28%", card: "title" },
    cell: ({ row: { original: document } }) => (
      <span className="flex min-w-0 flex-col leading-4">
        <span className="truncate font-medium">{document.title}</span>
        <span className="truncate font-mono text-2xs text-faint" title={document.ref}>
          {document.ref}
        </span>
      </span>
    ),
  },
  {
    id: "code",
    header: "Code",
    enableSorting: false,
    meta: { width: "14rem" },
    cell: ({ row }) => <span className="font-mono text-xs text-muted">{row.original.drop?.code}</span>,
  },
  {
    id: "reason",
    header: "Why",
    enableSorting: false,
    meta: { wrap: true },
    cell: ({ row }) => row.original.drop?.reason,
  },
];
