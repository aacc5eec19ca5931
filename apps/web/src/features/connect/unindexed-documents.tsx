"use client";

import { mayRun } from "@anneal/core/access/roles";
import {
  consequenceOfUnindexed,
  countUnindexed,
  describeUnindexed,
  type UnindexedFacts,
} from "@anneal/core/connect/source-status";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { Button } from "#components/ui/button.tsx";
import { formatCount } from "#lib/format.ts";
import { useTRPC } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";

/** Reading a source only fetches: until a run has parsed and indexed what is new, nobody finds it. */
export function UnindexedDocuments({ source }: { source: UnindexedFacts & { id: string } }) {
  const trpc = useTRPC();
  const router = useRouter();
  const { href, role } = useWorkspace();
  const start = useMutation(
    trpc.loop.start.mutationOptions({ onSuccess: ({ runId }) => router.push(href(`/runs/${runId}`)) }),
  );
  const { data: active } = useQuery(trpc.work.active.queryOptions());
  // A second one would be refused while it goes on.
  const making = active?.runs.find(({ purpose }) => purpose === "search");
  const sentence = describeUnindexed(source);
  if (sentence === null) return null;
  return (
    <section
      aria-label="Not findable yet"
      className="flex flex-wrap items-center justify-between gap-3 rounded-panel border border-line bg-panel px-4 py-3"
    >
      <p className="min-w-0 text-13">
        {sentence} <span className="text-muted">{consequenceOfUnindexed(source)}</span>
      </p>
      {making !== undefined && (
        <Button asChild>
          <Link href={href(`/runs/${making.id}`)}>A run is making documents findable</Link>
        </Button>
      )}
      {mayRun(role) && making === undefined && (
        <Button
          variant="primary"
          busy={start.isPending}
          onClick={() => start.mutate({ purpose: "search", fromStage: "clean", sourceIds: [source.id] })}
        >
          {!start.isPending && <Search aria-hidden />} Make {formatCount(countUnindexed(source), "document")} findable
        </Button>
      )}
    </section>
  );
}
