"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { ElementList } from "#features/documents/document-text.tsx";
import { locateSpan } from "#features/dataset/locate-span.ts";
import { PairBadges, type Pair } from "#features/dataset/pair-badges.tsx";
import { formatNumber } from "#lib/format.ts";
import { useTRPC } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

/** One pair above the document that it comes from, with its words marked there. */
export function PairDetail({ pair }: { pair: Pair }) {
  const { href } = useWorkspace();
  return (
    <article className="flex h-full min-h-0 flex-col gap-4">
      <Panel bodyClassName="space-y-3">
        <div className="flex flex-wrap items-center gap-1.5">
          <PairBadges pair={pair} />
          <span className="tabular ml-auto text-xs text-faint">pair {formatNumber(pair.ordinal + 1)}</span>
        </div>
        <div>
          <h3 className="text-xs text-muted">Question</h3>
          <p className="font-medium whitespace-pre-wrap">{pair.question}</p>
        </div>
        <div>
          <h3 className="text-xs text-muted">Answer</h3>
          <p className="max-h-40 overflow-y-auto whitespace-pre-wrap">{pair.answer}</p>
        </div>
        {pair.drop && (
          <p className="rounded-control bg-waiting/10 px-3 py-2 text-13">
            <span className="font-medium text-waiting">Dropped. </span>
            {pair.drop.reason} <span className="font-mono text-2xs text-muted">{pair.drop.code}</span>
          </p>
        )}
      </Panel>
      <section aria-label="Source" className="flex min-h-0 flex-1 flex-col">
        <h3 className="mb-1.5 flex items-baseline justify-between gap-3 text-13">
          <span className="truncate font-semibold">{pair.documentTitle ?? "A document that was deleted"}</span>
          {pair.documentTitle !== null && (
            <Link
              href={href(`/documents/${pair.documentId}?from=${pair.charStart}&to=${pair.charEnd}`)}
              className="shrink-0 text-xs text-accent hover:underline"
            >
              Open the document
            </Link>
          )}
        </h3>
        <Source pair={pair} />
      </section>
    </article>
  );
}

function Source({ pair }: { pair: Pair }) {
  const trpc = useTRPC();
  const { data, error, refetch } = useQuery(trpc.documents.text.queryOptions({ documentId: pair.documentId }));
  if (error && !data)
    return (
      <div className="space-y-3">
        <Quote text={pair.quote} />
        <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />
      </div>
    );
  if (!data) return <SkeletonRows rows={8} />;
  const marked = locateSpan(data.elements, pair);
  return (
    <>
      {!marked && (
        <div className="mb-3 space-y-2">
          <p className="text-13 text-muted">The document has changed since: these words are not in it any more.</p>
          <Quote text={pair.quote} />
        </div>
      )}
      <div
        tabIndex={0}
        aria-label="Text of the source"
        data-focus-inset
        className="min-h-0 flex-1 overflow-y-auto rounded-panel max-lg:max-h-[60dvh] [&>article]:max-w-none"
      >
        <ElementList elements={data.elements} marked={marked} />
      </div>
    </>
  );
}

function Quote({ text }: { text: string }) {
  return <blockquote className="border-l-2 border-accent pl-3 text-13 whitespace-pre-wrap">{text}</blockquote>;
}
