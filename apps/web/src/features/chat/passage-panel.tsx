"use client";

import type { ElementBox } from "@anneal/core/document/element";
import { useQuery } from "@tanstack/react-query";
import { ExternalLink, TriangleAlert, X } from "lucide-react";
import Link from "next/link";
import { Button } from "#components/ui/button.tsx";
import { Dialog, SheetContent } from "#components/ui/dialog.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { NoPassage } from "#features/chat/no-passage.tsx";
import { pageName } from "#features/chat/page-name.ts";
import { sectionName } from "#features/chat/section-name.ts";
import { ElementList } from "#features/documents/document-text.tsx";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useMediaQuery } from "#lib/use-media-query.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

export type OpenCitation = {
  number: number;
  documentId: string;
  title: string;
  page: number | null;
  box?: ElementBox | undefined;
  section: string | null;
  quote: string;
  charStart: number;
  /** Of which answer: citation 1 of another answer is another citation. */
  answerId: string;
};

type Passage = Answers["chat"]["passage"];

const besideQuery = "(min-width: 80rem)";

type PassageProps = { citation: OpenCitation | null; onClose(): void };

/** The cited passage, marked in its document, over the page. */
export function PassageSheet({ citation, onClose }: PassageProps) {
  return (
    <Dialog open={citation !== null} onOpenChange={(open) => !open && onClose()}>
      {citation && (
        <SheetContent title={citation.title} description={placeOf(citation)}>
          <PassageBody key={keyOf(citation)} citation={citation} />
        </SheetContent>
      )}
    </Dialog>
  );
}

/** Beside the conversation where there is room, else over it. */
export function PassagePanel({ citation, onClose }: PassageProps) {
  const beside = useMediaQuery(besideQuery);
  if (!beside) return <PassageSheet citation={citation} onClose={onClose} />;
  if (!citation) return null;
  return (
    <aside
      aria-label="Cited passage"
      className="flex h-[calc(100dvh-3rem)] w-[28rem] shrink-0 animate-fade-in flex-col border-l border-line bg-panel"
    >
      <header className="flex items-start gap-2 border-b border-line py-2.5 pr-2 pl-4">
        <div className="min-w-0 flex-1">
          <h2 className="truncate text-13 font-semibold" title={citation.title}>
            {citation.title}
          </h2>
          <p className="truncate text-xs text-muted">{placeOf(citation)}</p>
        </div>
        <Button variant="ghost" size="icon-small" aria-label="Close the passage" onClick={onClose}>
          <X />
        </Button>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto p-4">
        <PassageBody key={keyOf(citation)} citation={citation} />
      </div>
    </aside>
  );
}

function PassageBody({ citation }: { citation: OpenCitation }) {
  const trpc = useTRPC();
  const { documentId, quote, charStart } = citation;
  // Asked anew each time it is opened: whether one may read it is a question of now.
  const { data, error, refetch } = useQuery(
    trpc.chat.passage.queryOptions({ documentId, quote, charStart }, { staleTime: 0, gcTime: 0 }),
  );
  if (error) return <NoPassage error={wireErrorOf(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonRows rows={10} />;
  return <PassageText citation={citation} passage={data} />;
}

function PassageText({ citation, passage }: { citation: OpenCitation; passage: Passage }) {
  const { href } = useWorkspace();
  const { place } = passage;
  const span = place.kind === "gone" ? null : { start: place.start, end: place.end };
  const path = `/documents/${citation.documentId}${span ? `?from=${span.start}&to=${span.end}` : ""}`;
  return (
    <div className="space-y-3">
      {place.kind === "gone" && (
        <div className="flex gap-2 rounded-panel border border-line bg-sunken p-3 text-13">
          <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-waiting" />
          <div>
            <p>The document has changed since this answer: the passage is no longer in it. It said:</p>
            <blockquote className="mt-2 border-l-2 border-line-strong pl-3 text-muted">{citation.quote}</blockquote>
          </div>
        </div>
      )}
      {place.kind === "moved" && (
        <p className="text-xs text-muted">
          The document has changed since this answer; the passage stands elsewhere in it now.
        </p>
      )}
      <div className="[&>article]:border-0 [&>article]:bg-transparent [&>article]:p-0 [&>article]:text-sm">
        {passage.cutBefore && <Cut />}
        <ElementList elements={passage.elements} marked={span} />
        {passage.cutAfter && <Cut />}
      </div>
      <Button asChild size="small">
        <Link href={href(path)}>
          <ExternalLink aria-hidden /> Open the document
        </Link>
      </Button>
    </div>
  );
}

function Cut() {
  return <p className="py-2 text-center text-xs text-faint">the document goes on</p>;
}

function keyOf(citation: OpenCitation): string {
  return `${citation.answerId}:${citation.number}`;
}

function placeOf({ number, title, page, box, section }: OpenCitation): string {
  const parts = [`Citation ${number}`, pageName(page, box), sectionName(title, section)];
  return parts.filter(Boolean).join(" · ");
}
