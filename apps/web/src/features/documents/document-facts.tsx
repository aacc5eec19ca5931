"use client";

import Link from "next/link";
import type { ReactNode } from "react";
import { Badge } from "#components/ui/badge.tsx";
import { Digest } from "#components/ui/digest.tsx";
import { KeyValues } from "#components/ui/key-values.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { Steps, type Step } from "#components/ui/steps.tsx";
import type { DocumentView } from "#features/documents/document-page.tsx";
import { DocumentReaders } from "#features/documents/document-readers.tsx";
import { cn } from "#lib/class-names.ts";
import { formatBytes, formatCount, formatNumber, formatPercent, formatSignificant } from "#lib/format.ts";
import { languageName } from "#lib/language-names.ts";
import { mediaTypeName } from "#lib/media-type-names.ts";
import { useWorkspace } from "#lib/workspace.tsx";

const shownCopies = 6;

/** Beside the text: what the pipeline did and why, who may read it and why, and where it went. */
export function DocumentFacts({ document, className }: { document: DocumentView; className?: string }) {
  const { href } = useWorkspace();
  return (
    <aside
      aria-label="About this document"
      className={cn("grid grid-cols-[repeat(auto-fit,minmax(min(20rem,100%),1fr))] items-start gap-4", className)}
    >
      <Panel title="What happened to it">
        <Steps label="What happened to it" steps={trail(document, href)} />
      </Panel>
      <Panel title="Who may read it">
        <DocumentReaders document={document} />
      </Panel>
      <Panel title="Where it was used">
        {document.datasets.length === 0 && document.duplicates.length === 0 ? (
          <p className="text-13 text-muted">In no dataset yet.</p>
        ) : (
          <ul className="space-y-1.5 text-13">
            {document.datasets.map((dataset) => (
              <li key={dataset.id} className="flex justify-between gap-3">
                <Link
                  href={href(`/datasets/${dataset.id}?document=${document.id}`)}
                  className="truncate hover:underline"
                >
                  {dataset.name} v{dataset.version}
                </Link>
                <span className="tabular shrink-0 text-muted">{formatCount(dataset.pairs, "pair")}</span>
              </li>
            ))}
            {document.duplicates.slice(0, shownCopies).map((copy) => (
              <li key={copy.id} className="flex justify-between gap-3">
                <Link href={href(`/documents/${copy.id}`)} className="truncate hover:underline">
                  {copy.title}
                </Link>
                <span className="tabular shrink-0 text-muted">
                  {copy.similarity === null ? "a copy" : `a copy, ${formatPercent(copy.similarity)} alike`}
                </span>
              </li>
            ))}
            {document.duplicates.length > shownCopies && (
              <li className="text-muted">
                and {formatCount(document.duplicates.length - shownCopies, "more copy", "more copies")}
              </li>
            )}
          </ul>
        )}
      </Panel>
      <Panel title="Facts">
        <KeyValues
          items={[
            {
              label: "Source",
              value: document.source ? (
                <Link href={href(`/sources/${document.source.id}`)} className="hover:underline">
                  {document.source.name}
                </Link>
              ) : (
                "Removed"
              ),
            },
            { label: "Type", value: mediaTypeName(document.mediaType, document.ref) },
            { label: "Size", value: formatBytes(document.sizeBytes) },
            ...(document.textChars === null
              ? []
              : [{ label: "Text", value: `${formatNumber(document.textChars)} characters` }]),
            ...(document.language === null ? [] : [{ label: "Language", value: languageName(document.language) }]),
            { label: "First seen", value: <RelativeTime time={document.firstSeenAt} /> },
            { label: "Changed", value: <RelativeTime time={document.changedAt} /> },
            ...(document.contentHash === ""
              ? []
              : [{ label: "SHA-256", value: <Digest value={document.contentHash} length={12} /> }]),
            { label: "Id", value: <Digest value={document.id} /> },
          ]}
        />
        {document.warnings && document.warnings.length > 0 && (
          <ul className="mt-4 space-y-1 border-t border-line pt-3 text-xs text-muted">
            {document.warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        )}
      </Panel>
    </aside>
  );
}

function trail(document: DocumentView, href: (path: string) => string): Step[] {
  const { drop, status } = document;
  const because = drop && (
    <>
      {drop.reason} <span className="font-mono text-2xs text-faint">{drop.code}</span>
    </>
  );
  const fetched: Step = {
    id: "fetch",
    label: "Fetched",
    kind: document.hasContent ? "ready" : "failed",
    detail: document.hasContent ? null : because,
  };
  if (!document.hasContent) return [fetched];
  if (status === "fetched")
    return [fetched, { id: "clean", label: "To be cleaned", kind: "waiting", detail: "With the next run." }];
  if (status === "quarantined")
    return [fetched, { id: "clean", label: "Quarantined", kind: "failed", detail: because }];
  if (status === "dropped") return [fetched, { id: "clean", label: "Dropped", kind: "stopped", detail: because }];
  const masked = Object.entries(document.piiCounts ?? {}).filter(([, count]) => count > 0);
  return [
    fetched,
    { id: "clean", label: "Kept", kind: "ready", detail: <Quality quality={document.quality} /> },
    {
      id: "mask",
      label: masked.length === 0 ? "Nothing to mask" : "Masked",
      kind: "ready",
      detail: masked.length > 0 && (
        <span className="flex flex-wrap gap-1">
          {masked.map(([kind, count]) => (
            <Badge key={kind}>
              {kind.toLowerCase().replaceAll("_", " ")} {formatNumber(count)}
            </Badge>
          ))}
        </span>
      ),
    },
    document.duplicate
      ? {
          id: "dedupe",
          label: "A copy of another document",
          kind: "stopped",
          detail: (
            <>
              {document.duplicate.reason}{" "}
              {document.original ? (
                <Link href={href(`/documents/${document.original.id}`)} className="text-accent hover:underline">
                  {document.original.title}
                </Link>
              ) : (
                "You may not read the other one."
              )}
            </>
          ),
        }
      : { id: "dedupe", label: "Unique", kind: "ready", detail: duplicatedPassages(document.duplicatePassages) },
  ];
}

function duplicatedPassages(passages: number[] | null): ReactNode {
  return passages && passages.length > 0
    ? `${formatCount(passages.length, "passage")} also ${passages.length === 1 ? "stands" : "stand"} in an earlier document.`
    : null;
}

function Quality({ quality }: { quality: DocumentView["quality"] }) {
  const entries = Object.entries(quality?.measures ?? {}).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number",
  );
  if (entries.length === 0) return null;
  return (
    <details>
      <summary className="cursor-pointer">It passed every quality rule</summary>
      <dl className="tabular mt-1 grid grid-cols-[1fr_auto] gap-x-4">
        {entries.map(([name, value]) => (
          <div key={name} className="contents">
            <dt>{name.replaceAll(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`)}</dt>
            <dd className="text-right">{formatSignificant(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
