"use client";

import { mayEdit } from "@anneal/core/access/roles";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Columns2, Download, ExternalLink, RotateCcw } from "lucide-react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Page } from "#components/ui/page.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { Tabs } from "#components/ui/tabs.tsx";
import { ReleaseDocument, RestoreDocument } from "#features/connect/deleted-documents.tsx";
import { DocumentFacts } from "#features/documents/document-facts.tsx";
import { DocumentOriginal } from "#features/documents/document-original.tsx";
import { DocumentPassages } from "#features/documents/document-passages.tsx";
import { DocumentStatus } from "#features/documents/document-status.tsx";
import { DocumentText } from "#features/documents/document-text.tsx";
import { cn } from "#lib/class-names.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useUrlParam } from "#lib/url-state.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

export type DocumentView = Answers["documents"]["get"];

export function DocumentPage({ documentId }: { documentId: string }) {
  const trpc = useTRPC();
  const { href, slug, role } = useWorkspace();
  const { data: document, error, refetch } = useQuery(trpc.documents.get.queryOptions({ documentId }));
  const [original, setBeside] = useUrlParam("original", "");
  const beside = original !== "" && document?.originalView != null;
  const retry = useMutation(
    trpc.documents.retry.mutationOptions({
      onSuccess: () =>
        toast(
          document?.hasContent === true
            ? "It is cleaned again with the next run."
            : "Its source is being read again, and it is cleaned with the next run.",
        ),
    }),
  );
  const parent = { label: "Documents", href: href("/documents") };
  if (!document)
    return (
      <Page title="Document" parent={parent}>
        {error ? <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} /> : <SkeletonRows />}
      </Page>
    );
  const mayRetry = mayEdit(role) && (document.status === "dropped" || document.status === "quarantined");
  return (
    <Page
      title={document.title}
      parent={parent}
      description={
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <DocumentStatus document={document} />
          <SourceAddress uri={document.uri} />
        </span>
      }
      actions={
        <>
          {mayRetry && (
            <Button busy={retry.isPending} onClick={() => retry.mutate({ documentId })}>
              {!retry.isPending && <RotateCcw aria-hidden />} Try again
            </Button>
          )}
          {document.deletedAt && document.source && <RestoreDocument document={document} />}
          {document.restoredAt && !document.deletedAt && <ReleaseDocument document={document} />}
          {document.originalView && (
            <Button onClick={() => setBeside(beside ? "" : "1")}>
              <Columns2 aria-hidden /> {beside ? "Hide the original" : "Show the original"}
            </Button>
          )}
          {document.hasContent && document.mayOpenOriginal && (
            <Button asChild>
              <a href={`/api/w/${slug}/documents/${documentId}/original`} download>
                <Download aria-hidden /> Download
              </a>
            </Button>
          )}
        </>
      }
    >
      {document.deletedAt && (
        <p className="mb-4 rounded-panel border border-line bg-sunken px-3 py-2 text-13 text-muted">
          Its source deleted it <RelativeTime time={document.deletedAt} />. It can be restored until its content is
          removed for good, <RelativeTime time={document.keptUntil} />.
        </p>
      )}
      {document.restoredAt && !document.deletedAt && (
        <p className="mb-4 rounded-panel border border-line bg-sunken px-3 py-2 text-13 text-muted">
          Its source no longer has it. {document.restoredBy} restored it <RelativeTime time={document.restoredAt} />,
          and it stays until the source has it again.
        </p>
      )}
      {document.originalWithheld && (
        <p className="mb-4 rounded-panel border border-line bg-sunken px-3 py-2 text-13 text-muted">
          Personal data is masked in this document. Its original is for administrators and data scientists, and each
          look at it is recorded.
        </p>
      )}
      <div
        className={cn(
          "grid grid-cols-1 items-start gap-6",
          beside ? "lg:grid-cols-2" : "xl:grid-cols-[minmax(0,1fr)_22rem]",
        )}
      >
        <Tabs
          label="Contents"
          className="min-w-0"
          tabs={[
            { value: "text", label: "Cleaned text", content: <DocumentText document={document} /> },
            { value: "passages", label: "Passages", content: <DocumentPassages document={document} /> },
          ]}
        />
        {beside && (
          <DocumentOriginal
            document={document}
            className="h-[75dvh] max-lg:order-first lg:sticky lg:top-16 lg:h-[calc(100dvh-5rem)]"
          />
        )}
        <DocumentFacts document={document} className={beside ? "lg:col-span-2" : undefined} />
      </div>
    </Page>
  );
}

/** Where the document is at its source: a link where a browser can follow it. */
function SourceAddress({ uri }: { uri: string }) {
  if (!/^https?:\/\//i.test(uri)) return <span className="font-mono text-xs break-all">{uri}</span>;
  return (
    <a href={uri} target="_blank" rel="noreferrer" className="font-mono text-xs break-all hover:underline">
      {uri} <ExternalLink aria-label="opens the source in a new tab" className="inline size-3" />
    </a>
  );
}
