"use client";

import { useQuery } from "@tanstack/react-query";
import { ArrowRight, Boxes } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { Button } from "#components/ui/button.tsx";
import { Digest } from "#components/ui/digest.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Page } from "#components/ui/page.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { Skeleton } from "#components/ui/skeleton.tsx";
import { AliasStatus } from "#features/deploy/serving-status.tsx";
import { formatCount, formatSignificant } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Adapter = Answers["deploy"]["list"][number];

export function AdaptersPage() {
  const trpc = useTRPC();
  const { data, error, refetch } = useQuery(trpc.deploy.list.queryOptions());
  return (
    <Page title="Adapters" description="What was trained, every version of it, and which one answers now.">
      {error && !data ? (
        <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />
      ) : data ? (
        <Cards adapters={data} />
      ) : (
        <Skeleton className="h-56 max-w-xl rounded-panel" />
      )}
    </Page>
  );
}

function Cards({ adapters }: { adapters: Adapter[] }) {
  const { href } = useWorkspace();
  if (adapters.length === 0)
    return (
      <EmptyState
        icon={Boxes}
        title="No adapter yet"
        action={
          <Button asChild variant="primary">
            <Link href={href("/")}>Go to the loop</Link>
          </Button>
        }
      >
        An adapter is what your base model learned from your documents. A run of the loop trains one, registers it here
        as a version, and serves it under a name.
      </EmptyState>
    );
  return (
    <ul className="grid gap-4 md:grid-cols-2 2xl:grid-cols-3">
      {adapters.map((adapter) => (
        <AdapterCard key={adapter.id} adapter={adapter} />
      ))}
    </ul>
  );
}

function AdapterCard({ adapter }: { adapter: Adapter }) {
  const { href } = useWorkspace();
  const { latest } = adapter;
  const target = href(`/adapters/${adapter.id}`);
  return (
    <li className="group relative flex flex-col rounded-panel border border-line bg-panel hover:border-line-strong">
      <header className="px-4 pt-4">
        <h2 className="flex items-center justify-between text-sm font-semibold">
          {/* The whole card leads there; what is a link or a button inside it stays its own. */}
          <Link href={target} className="after:absolute after:inset-0 after:rounded-panel">
            {adapter.name}
          </Link>
          <ArrowRight aria-hidden className="size-4 text-faint group-hover:text-ink" />
        </h2>
        <p className="text-13 text-muted">
          for {adapter.baseModel} · {formatCount(adapter.versionCount, "version")}
        </p>
      </header>
      <ul className="mx-4 mt-4 divide-y divide-line border-y border-line">
        {adapter.aliases.length === 0 && (
          <li className="py-2.5 text-13 text-muted">Not deployed: no alias points at a version.</li>
        )}
        {adapter.aliases.map((alias) => (
          <li key={alias.alias} className="flex items-center justify-between gap-3 py-2.5 text-13">
            <span className="min-w-0 truncate">
              <span className="font-mono text-xs">@{alias.alias}</span>
              <span className="mx-1.5 text-faint">→</span>
              <span className="font-medium">v{alias.version ?? "?"}</span>
            </span>
            <AliasStatus serving={alias.serving} />
          </li>
        ))}
      </ul>
      <dl className="tabular mt-auto grid grid-cols-3 gap-4 px-4 pt-3 pb-4 text-13">
        <Fact label={`Newest, v${latest.version}`}>
          <RelativeTime time={latest.createdAt} />
        </Fact>
        <Fact label="Evaluation">
          <EvalChange result={latest.result} />
        </Fact>
        <Fact label="Digest">
          <Digest value={latest.digest} className="relative" />
        </Fact>
      </dl>
    </li>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-faint">{label}</dt>
      <dd className="truncate">{children}</dd>
    </div>
  );
}

/** Base against adapter, on what neither was trained on. */
export function EvalChange({ result }: { result: Adapter["latest"]["result"] }) {
  if (result?.evalLoss == null) return <span className="text-faint">not measured</span>;
  return (
    <span>
      <span className="text-faint">{formatSignificant(result.evalLossFirst)} → </span>
      {formatSignificant(result.evalLoss)}
    </span>
  );
}
