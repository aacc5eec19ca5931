"use client";

import { mayEdit } from "@anneal/core/access/roles";
import { useMutation, useQuery } from "@tanstack/react-query";
import { RotateCcw, Trash2 } from "lucide-react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { formatCount } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";

type RemovedSource = Answers["connect"]["removed"][number];

/** Sources that were removed; undefined while unknown, and for whom may not restore them. */
export function useRemovedSources(): RemovedSource[] | undefined {
  const trpc = useTRPC();
  const { role } = useWorkspace();
  return useQuery({ ...trpc.connect.removed.queryOptions(), enabled: mayEdit(role) }).data;
}

/** At the foot of the sources: what can be taken back. */
export function RemovedSources() {
  const removed = useRemovedSources();
  if (!removed || removed.length === 0) return null;
  return (
    <section className="mt-8">
      <h2 className="text-13 font-semibold">Removed</h2>
      <p className="mt-0.5 mb-2 text-13 text-muted">
        A removed source can be restored at any time, with its settings and its schedule; its documents are read anew
        once they are no longer kept.
      </p>
      <ul aria-label="Removed sources" className="divide-y divide-line rounded-panel border border-line bg-panel">
        {removed.map((source) => (
          <li key={source.id} className="flex items-center justify-between gap-4 px-4 py-2.5 text-13">
            <span className="min-w-0">
              <span className="block truncate font-medium">{source.name}</span>
              <span className="block truncate text-xs text-muted">
                {source.kindTitle}, {formatCount(source.documentCount, "document")}, removed{" "}
                <RelativeTime time={source.removedAt} />
              </span>
            </span>
            <RestoreSource source={source} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** In place of the page of a source that was removed. */
export function RemovedSourceNotice({ source }: { source: RemovedSource }) {
  return (
    <EmptyState icon={Trash2} title={`“${source.name}” was removed`} action={<RestoreSource source={source} />}>
      It was removed <RelativeTime time={source.removedAt} />. Restoring it brings back its settings, its schedule and{" "}
      {formatCount(source.documentCount, "document")}; they are in the index again after the next run.
    </EmptyState>
  );
}

function RestoreSource({ source }: { source: RemovedSource }) {
  const trpc = useTRPC();
  const restore = useMutation(
    trpc.connect.restore.mutationOptions({ onSuccess: () => toast.success(`“${source.name}” is back.`) }),
  );
  return (
    <Button
      size="small"
      busy={restore.isPending}
      aria-label={`Restore ${source.name}`}
      onClick={() => restore.mutate({ sourceId: source.id })}
    >
      {!restore.isPending && <RotateCcw aria-hidden />} Restore
    </Button>
  );
}
