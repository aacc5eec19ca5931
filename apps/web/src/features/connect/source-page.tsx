"use client";

import { mayRun } from "@anneal/core/access/roles";
import { isHeldBack } from "@anneal/core/connect/deletion-policy";
import { wordLeftOut } from "@anneal/core/connect/source-status";
import { useMutation, useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import { Button } from "#components/ui/button.tsx";
import { CodeTabs } from "#components/ui/code-snippet.tsx";
import { ConfirmDialog } from "#components/ui/confirm-dialog.tsx";
import { ErrorNotice, ErrorState } from "#components/ui/error-state.tsx";
import { Page } from "#components/ui/page.tsx";
import { Figure } from "#components/ui/panel.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { Tabs } from "#components/ui/tabs.tsx";
import { DeletedDocuments } from "#features/connect/deleted-documents.tsx";
import { LeftOutDocuments } from "#features/connect/left-out-documents.tsx";
import { MissingDocuments } from "#features/connect/missing-documents.tsx";
import { OpenSync } from "#features/connect/open-sync.tsx";
import { RemovedSourceNotice, useRemovedSources } from "#features/connect/removed-sources.tsx";
import { SourceActions } from "#features/connect/source-actions.tsx";
import { SourceFailures } from "#features/connect/source-failures.tsx";
import { NextRead, SourceStatus } from "#features/connect/source-status.tsx";
import { SourceSettings } from "#features/connect/source-settings.tsx";
import { SyncHistory } from "#features/connect/sync-history.tsx";
import { CheckResult } from "#features/connect/test-source.tsx";
import { UnindexedDocuments } from "#features/connect/unindexed-documents.tsx";
import { describeSchedule } from "#features/loop/schedule-field.tsx";
import { apiSnippets } from "#lib/api-snippets.ts";
import { formatCount, formatNumber } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Source = Answers["connect"]["get"];

export function SourcePage({ sourceId }: { sourceId: string }) {
  const trpc = useTRPC();
  const { href } = useWorkspace();
  const { data: source, error, refetch } = useQuery(trpc.connect.get.queryOptions({ sourceId }));
  const check = useMutation(trpc.connect.check.mutationOptions({ meta: { inlineError: true } }));
  const removed = useRemovedSources()?.find(({ id }) => id === sourceId);
  const parent = { label: "Sources", href: href("/sources") };
  if (removed)
    return (
      <Page title={removed.name} parent={parent}>
        <RemovedSourceNotice source={removed} />
      </Page>
    );
  if (!source)
    return (
      <Page title="Source" parent={parent}>
        {error ? <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} /> : <SkeletonRows />}
      </Page>
    );
  return (
    <Page
      title={source.name}
      parent={parent}
      description={
        source.location === source.name ? undefined : <span className="font-mono text-xs">{source.location}</span>
      }
      actions={<SourceActions source={source} testing={check.isPending} onTest={() => check.mutate({ sourceId })} />}
    >
      <div className="space-y-6">
        {!check.isIdle && <CheckResult check={{ ...check, error: check.error && wireErrorOf(check.error) }} />}
        {source.lastSyncError && <FailedSync source={source} />}
        {!source.lastSyncError && source.directoryError && (
          <ErrorNotice error={source.directoryError}>
            <p className="text-muted">
              {source.directoryError.details?.["partial"] === true
                ? "Whom only this would have named reads nothing by it until it can be read. All others were read "
                : "Until people and groups can be read, what was known of them decides; last read "}
              <RelativeTime time={source.directoryReadAt} />.
            </p>
          </ErrorNotice>
        )}
        <OpenSync source={source} />
        <Figures source={source} />
        <UnindexedDocuments source={source} />
        <Tabs
          label="About this source"
          tabs={[
            { value: "history", label: "History", content: <SyncHistory sourceId={source.id} /> },
            {
              value: "failures",
              label: "Failures",
              count: formatNumber(source.quarantinedCount),
              content: <SourceFailures source={source} />,
            },
            {
              value: "left-out",
              label: "Left out",
              count: formatNumber(source.droppedCount + source.duplicateCount),
              content: <LeftOutDocuments source={source} />,
            },
            {
              value: "deleted",
              label: "Deleted",
              count: formatNumber(source.deletedCount),
              content: <DeletedDocuments sourceId={source.id} />,
            },
            { value: "settings", label: "Settings", content: <SourceSettings source={source} /> },
            { value: "api", label: "API", content: <Api sourceId={source.id} /> },
          ]}
        />
      </div>
    </Page>
  );
}

function Figures({ source }: { source: Source }) {
  const { href } = useWorkspace();
  return (
    <section
      aria-label="At a glance"
      className="grid grid-cols-2 gap-px overflow-hidden rounded-panel border border-line bg-line lg:grid-cols-4 [&>*]:bg-panel [&>*]:p-4"
    >
      <div>
        <div className="text-xs text-muted">State</div>
        <div className="mt-1.5">
          <SourceStatus source={source} />
        </div>
      </div>
      <Figure
        label="Documents"
        value={
          <Link href={href(`/documents?source=${source.id}`)} className="hover:underline">
            {formatNumber(source.documentCount)}
          </Link>
        }
        hint={[`${formatNumber(source.quarantinedCount)} in quarantine`, wordLeftOut(source) ?? []].flat().join(", ")}
      />
      <Figure label="Last read" value={<RelativeTime time={source.lastSyncAt} />} />
      <Figure
        label="Next read"
        value={<NextRead source={source} />}
        hint={source.schedule === null ? undefined : describeSchedule(source.schedule)}
      />
    </section>
  );
}

/** A sync that would delete a large share waits for a person's word. */
function FailedSync({ source }: { source: Source }) {
  const trpc = useTRPC();
  const { role } = useWorkspace();
  const sync = useMutation(trpc.connect.sync.mutationOptions());
  const [asking, setAsking] = useState(false);
  const error = source.lastSyncError;
  if (!error) return null;
  const heldBack = isHeldBack(error);
  // What waits for a person's word is no failure, and its code says nothing.
  const told = heldBack ? { ...error, code: null } : error;
  // Whoever may not know how many went is not asked about them.
  const missing = typeof error.details?.missing === "number" ? error.details.missing : null;
  if (!mayRun(role)) return <ErrorNotice error={told} />;
  return (
    <ErrorNotice error={told}>
      <Button size="small" busy={sync.isPending} onClick={() => sync.mutate({ sourceId: source.id })}>
        Read it again
      </Button>
      {heldBack && missing !== null && (
        <Button size="small" variant="danger" onClick={() => setAsking(true)}>
          See which, and confirm
        </Button>
      )}
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={`Delete what “${source.name}” no longer has?`}
        action="Delete them here"
        destructive
        typedName={source.name}
        busy={sync.isPending}
        onConfirm={() =>
          sync.mutate({ sourceId: source.id, confirmDeletions: true }, { onSuccess: () => setAsking(false) })
        }
      >
        <p>
          The source is read again now; then {formatCount(missing ?? 0, "document")} leave search, chat and later
          datasets at once. Each can be restored for {source.tombstoneDays} days, in the Deleted tab of this page.
          Datasets and adapters that exist stay as they are.
        </p>
        <MissingDocuments count={missing ?? 0} documents={source.missingDocuments} />
      </ConfirmDialog>
    </ErrorNotice>
  );
}

function Api({ sourceId }: { sourceId: string }) {
  const { slug } = useWorkspace();
  return <CodeTabs snippets={apiSnippets(slug, "connect.sync", "mutation", { sourceId })} />;
}
