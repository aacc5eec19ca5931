"use client";

import { mayRun } from "@anneal/core/access/roles";
import { parseTable } from "@anneal/core/indexing/table";
import { useQuery } from "@tanstack/react-query";
import { EyeOff, FileX, Play } from "lucide-react";
import Link from "next/link";
import { useEffect, useRef, type ReactNode } from "react";
import { Button } from "#components/ui/button.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { WhenNear } from "#components/ui/when-near.tsx";
import { ChangeReaders } from "#features/documents/change-readers.tsx";
import type { DocumentView } from "#features/documents/document-page.tsx";
import { explainWithheld } from "#features/documents/explain-audience.ts";
import { cn } from "#lib/class-names.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useUrlState } from "#lib/url-state.ts";
import { wireErrorOf } from "#lib/wire-error.ts";
import { useWorkspace } from "#lib/workspace.tsx";

type Element = Answers["documents"]["text"]["elements"][number];
/** Character offsets into the document's text, as citations carry them. */
type Span = { start: number; end: number };

/** The text as the pipeline has it. `?from=&to=` marks a passage and scrolls to it: how a citation opens. */
export function DocumentText({ document }: { document: DocumentView }) {
  if (!document.readable)
    return (
      <EmptyState icon={EyeOff} title="You may not read this document" action={<ChangeReaders document={document} />}>
        {explainWithheld(document)} As an administrator you see that it exists; its contents follow its own permissions.
      </EmptyState>
    );
  if (!document.hasText) return <NoText document={document} />;
  return <Elements documentId={document.id} />;
}

function NoText({ document: { drop } }: { document: DocumentView }) {
  const { role, href } = useWorkspace();
  return (
    <EmptyState
      icon={FileX}
      title="There is no cleaned text"
      action={
        drop === null &&
        mayRun(role) && (
          <Button asChild>
            <Link href={href("?run=1")}>
              <Play aria-hidden /> Run the loop
            </Link>
          </Button>
        )
      }
    >
      {drop?.reason ?? "It was fetched and waits to be cleaned by the next run."}
    </EmptyState>
  );
}

function Elements({ documentId }: { documentId: string }) {
  const trpc = useTRPC();
  const [params] = useUrlState();
  const { data, error, refetch } = useQuery(trpc.documents.text.queryOptions({ documentId }));
  const marked = spanOf(params.get("from"), params.get("to"));
  if (error) return <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonRows rows={12} />;
  return <ElementList elements={data.elements} marked={marked} />;
}

/** As much of a document is built at once; of what is longer the rest, once it is about to be seen. */
const builtChars = 200_000;

/** Also used beside chat answers and training examples: the passage in its document. */
export function ElementList({ elements, marked }: { elements: readonly Element[]; marked: Span | null }) {
  const target = useRef<HTMLDivElement>(null);
  const begin = elements[0]?.start ?? 0;
  const first = marked ? elements.findIndex((element) => overlaps(element, marked)) : -1;
  useEffect(() => {
    // A long table or paragraph has its passage anywhere.
    const passage = target.current?.querySelector<HTMLElement>("mark, [data-marked]") ?? target.current;
    if (passage) bringToCentre(passage);
  }, [first]);
  return (
    <article className="max-w-[46rem] rounded-panel border border-line bg-panel px-5 py-6 text-[0.9375rem] leading-6 break-words sm:px-8">
      {elements.map((element, index) => (
        <div
          key={element.start}
          ref={index === first ? target : undefined}
          className={cn("relative", element.duplicated && "-ml-4 border-l-2 border-line-strong pl-3.5 text-muted")}
        >
          <PageMark page={element.page} previous={elements[index - 1]?.page} />
          {element.duplicated && (
            <span className="text-2xs text-muted">also in an earlier document, left out of datasets</span>
          )}
          {element.start - begin < builtChars || index === first ? (
            <ElementView element={element} marked={marked} />
          ) : (
            <WhenNear height={heightOf(element)}>
              <ElementView element={element} marked={marked} />
            </WhenNear>
          )}
        </div>
      ))}
    </article>
  );
}

/** About what it will take: a row or a line is as high as the styles below say. */
function heightOf({ kind, text }: Element): string {
  const lines = text.split("\n");
  if (kind === "table") return `${lines.length * 2}rem`;
  const wrapped = lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 90)), 0);
  return `${wrapped * 1.5}rem`;
}

/** Within the pane that scrolls, where there is one: `scrollIntoView` would move the page under its header as well. */
function bringToCentre(element: HTMLElement): void {
  for (let pane = element.parentElement; pane && pane !== document.body; pane = pane.parentElement) {
    if (pane.scrollHeight <= pane.clientHeight || getComputedStyle(pane).overflowY !== "auto") continue;
    const { top, height } = element.getBoundingClientRect();
    pane.scrollTop += top - pane.getBoundingClientRect().top - (pane.clientHeight - height) / 2;
    return;
  }
  element.scrollIntoView({ block: "center" });
}

function PageMark({ page, previous }: { page: number | undefined; previous: number | undefined }) {
  if (page === undefined || page === previous) return null;
  return (
    <div className="mt-6 mb-2 flex items-center gap-3 text-2xs text-faint first:mt-0 after:h-px after:flex-1 after:bg-line">
      page {page}
    </div>
  );
}

function ElementView({ element, marked }: { element: Element; marked: Span | null }) {
  const text = <MarkedText element={element} marked={marked} />;
  switch (element.kind) {
    case "title":
      return <h2 className="mb-3 text-lg leading-7 font-semibold tracking-tight">{text}</h2>;
    case "heading":
      return <h3 className={cn("mt-5 mb-1.5 font-semibold", (element.level ?? 2) > 2 && "text-sm")}>{text}</h3>;
    case "list":
      return <p className="mb-3 whitespace-pre-wrap">{text}</p>;
    case "code":
      return (
        <pre tabIndex={0} className="mb-3 overflow-x-auto rounded-control bg-sunken p-3 font-mono text-xs leading-5">
          {text}
        </pre>
      );
    case "table":
      return <TableView element={element} marked={marked} />;
    case "figure":
      return <p className="mb-3 border-l-2 border-line pl-3 text-13 text-muted">{text}</p>;
    case "paragraph":
      return <p className="mb-3 whitespace-pre-wrap">{text}</p>;
  }
}

function TableView({ element, marked }: { element: Element; marked: Span | null }) {
  const { header, rows } = parseTable(element.text);
  const isMarked = ({ start, end }: Span) =>
    marked !== null && overlaps({ start: element.start + start, end: element.start + end }, marked);
  return (
    <div
      tabIndex={0}
      className={cn(
        "mb-4 overflow-x-auto rounded-control border border-line text-13 leading-5 [&_table]:w-full [&_td]:border-t [&_td]:border-line [&_td]:px-3 [&_td]:py-1.5 [&_th]:bg-sunken [&_th]:px-3 [&_th]:py-1.5 [&_th]:text-left [&_th]:font-medium",
        marked !== null && overlaps(element, marked) && "ring-2 ring-accent",
      )}
    >
      <table>
        {header && (
          <thead>
            <tr>
              {header.cells.map((cell, column) => (
                <th key={column}>
                  <Masked text={cell} />
                </th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {rows.map((row) => (
            <tr key={row.start} {...(isMarked(row) && { "data-marked": true, className: "bg-accent/25" })}>
              {row.cells.map((cell, column) => (
                <td key={column} className={isFigure(cell) ? "whitespace-nowrap" : undefined}>
                  <Masked text={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A date, an identifier or an amount: where columns are narrow, it would be broken at each of its hyphens and spaces. */
function isFigure(cell: string): boolean {
  return cell.length <= 20 && /\d/.test(cell) && /[\s-]/.test(cell);
}

const maskPattern = /(\[[A-Z][A-Z_]*(?:_\d+)?\])/;

function MarkedText({ element, marked }: { element: Element; marked: Span | null }): ReactNode {
  const { text, start } = element;
  if (!marked || !overlaps(element, marked)) return <Masked text={text} />;
  const from = Math.max(0, marked.start - start);
  const to = Math.min(text.length, marked.end - start);
  return (
    <>
      <Masked text={text.slice(0, from)} />
      <mark className="rounded-[2px] bg-accent/25 text-ink">
        <Masked text={text.slice(from, to)} />
      </mark>
      <Masked text={text.slice(to)} />
    </>
  );
}

/** What stood where a mask stands was taken out before anything was stored. */
function Masked({ text }: { text: string }): ReactNode {
  return text.split(maskPattern).map((part, index) =>
    index % 2 === 1 ? (
      <span
        key={index}
        title="Masked before it was stored"
        className="rounded-[3px] bg-waiting/10 px-1 font-mono text-[0.85em] text-waiting"
      >
        {part}
      </span>
    ) : (
      part
    ),
  );
}

function overlaps(element: Span, span: Span): boolean {
  return element.start < span.end && span.start < element.end;
}

function spanOf(from: string | null, to: string | null): Span | null {
  const span = { start: Number(from ?? Number.NaN), end: Number(to ?? Number.NaN) };
  return Number.isInteger(span.start) && Number.isInteger(span.end) && span.end > span.start ? span : null;
}
