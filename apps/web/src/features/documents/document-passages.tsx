"use client";

import { useQuery } from "@tanstack/react-query";
import { EyeOff, Puzzle } from "lucide-react";
import Link from "next/link";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { WhenNear } from "#components/ui/when-near.tsx";
import type { DocumentView } from "#features/documents/document-page.tsx";
import { formatNumber } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

/** The passages that retrieval finds, as they are in the index. */
export function DocumentPassages({ document }: { document: DocumentView }) {
  const trpc = useTRPC();
  const { data, error, refetch } = useQuery({
    ...trpc.documents.chunks.queryOptions({ documentId: document.id }),
    enabled: document.readable,
  });
  if (!document.readable)
    return (
      <EmptyState icon={EyeOff} title="You may not read this document">
        Its passages follow its permissions.
      </EmptyState>
    );
  if (error) return <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonRows />;
  if (data.length === 0)
    return (
      <EmptyState icon={Puzzle} title="Not in the index">
        A document is split into passages and indexed at the end of a run, unless it was dropped or is a copy of another
        one.
      </EmptyState>
    );
  return (
    <div className="max-w-[46rem] space-y-3">
      {groupsOf(data).map((group, index) => {
        const list = (
          <ol key={group[0]!.id} className="space-y-3">
            {group.map((chunk) => (
              <Passage key={chunk.id} chunk={chunk} documentId={document.id} />
            ))}
          </ol>
        );
        return index === 0 ? (
          list
        ) : (
          <WhenNear key={group[0]!.id} height={`${group.length * 11}rem`}>
            {list}
          </WhenNear>
        );
      })}
    </div>
  );
}

const groupSize = 200;

function groupsOf<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / groupSize) }, (_, group) =>
    items.slice(group * groupSize, (group + 1) * groupSize),
  );
}

function Passage({ chunk, documentId }: { chunk: Answers["documents"]["chunks"][number]; documentId: string }) {
  const { href } = useWorkspace();
  const place = [...chunk.section, chunk.pageStart !== null && pages(chunk.pageStart, chunk.pageEnd)]
    .filter(Boolean)
    .join(" › ");
  return (
    <li className="rounded-panel border border-line bg-panel p-4">
      <div className="mb-1.5 flex items-baseline justify-between gap-3 text-xs text-muted">
        <span className="min-w-0 truncate">{place}</span>
        <Link
          href={href(`/documents/${documentId}?from=${chunk.charStart}&to=${chunk.charEnd}`)}
          className="tabular shrink-0 hover:text-ink hover:underline"
        >
          {formatNumber(chunk.charStart)}–{formatNumber(chunk.charEnd)}
        </Link>
      </div>
      <p className="line-clamp-6 text-13 whitespace-pre-wrap">{chunk.text}</p>
    </li>
  );
}

function pages(first: number, last: number | null): string {
  return last === null || last === first ? `page ${first}` : `pages ${first}–${last}`;
}
