"use client";

import { mayRun } from "@anneal/core/access/roles";
import { useQuery } from "@tanstack/react-query";
import { Rocket } from "lucide-react";
import { useState } from "react";
import { Button } from "#components/ui/button.tsx";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { Digest } from "#components/ui/digest.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Page } from "#components/ui/page.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { Badge } from "#components/ui/badge.tsx";
import { EvalChange } from "#features/deploy/adapters-page.tsx";
import { AliasPanel } from "#features/deploy/alias-panel.tsx";
import { DeploySheet, type DeployTarget } from "#features/deploy/deploy-sheet.tsx";
import { DeploymentHistory } from "#features/deploy/deployment-history.tsx";
import { ServingStatus } from "#features/deploy/serving-status.tsx";
import { VersionDetail } from "#features/deploy/version-detail.tsx";
import { WithheldNotice } from "#features/deploy/withheld-notice.tsx";
import { formatSignificant, missing } from "#lib/format.ts";
import { useTableState } from "#lib/table-state.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useUrlParam } from "#lib/url-state.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

export type AdapterView = Answers["deploy"]["get"];
export type VersionView = AdapterView["versions"][number];

export function AdapterPage({ adapterId }: { adapterId: string }) {
  const trpc = useTRPC();
  const { href, role } = useWorkspace();
  const { data: adapter, error, refetch } = useQuery(trpc.deploy.get.queryOptions({ adapterId }));
  const [wanted, choose] = useUrlParam("version", "");
  const [target, setTarget] = useState<DeployTarget | null>(null);
  const state = useTableState({ prefix: "versions-", defaultSort: "-version" });
  const parent = { label: "Adapters", href: href("/adapters") };
  if (!adapter)
    return (
      <Page title="Adapter" parent={parent}>
        {error ? <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} /> : <SkeletonRows rows={10} />}
      </Page>
    );
  // What serves, which after a rollback is not the newest; "production" before other aliases.
  const serving = adapter.aliases.find(({ alias }) => alias === "production") ?? adapter.aliases[0];
  const selected =
    adapter.versions.find((each) => String(each.version) === wanted) ??
    adapter.versions.find(({ id }) => id === serving?.adapterVersionId) ??
    adapter.versions[0];
  const deploy = mayRun(role) ? setTarget : null;
  return (
    <Page
      title={adapter.name}
      description={<>A LoRA adapter for {adapter.baseModel}.</>}
      parent={parent}
      actions={
        mayRun(role) &&
        selected && (
          <Button
            variant="primary"
            onClick={() => setTarget({ version: selected, alias: adapter.aliases[0]?.alias ?? "production" })}
          >
            <Rocket aria-hidden /> Deploy v{selected.version}
          </Button>
        )
      }
    >
      <WithheldNotice withheld={adapter.withheld} />
      <div className="grid grid-cols-1 items-start gap-6 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="min-w-0 space-y-6">
          <section>
            <h2 className="mb-2 text-13 font-semibold">Versions</h2>
            <DataTable
              label="Versions"
              columns={versionColumns({ selected: selected?.version, choose })}
              rows={adapter.versions}
              rowId={(row) => row.id}
              rowHref={(row) => href(`/adapters/${adapterId}?version=${row.version}`)}
              state={state}
              empty={null}
              minWidth="55rem"
            />
          </section>
          {selected && <VersionDetail key={selected.id} adapter={adapter} version={selected} />}
        </div>
        <aside aria-label="Where it is served" className="space-y-4">
          <AliasPanel adapter={adapter} onDeploy={deploy} />
          <DeploymentHistory adapter={adapter} onDeploy={deploy} />
        </aside>
      </div>
      {target && <DeploySheet adapter={adapter} target={target} onClose={() => setTarget(null)} />}
    </Page>
  );
}

const versionColumns = ({
  selected,
  choose,
}: {
  selected: number | undefined;
  choose(version: string): void;
}): DataColumn<VersionView>[] => [
  {
    id: "version",
    accessorKey: "version",
    header: "Version",
    meta: { width: "6rem", card: "title" },
    cell: ({ row: { original: version } }) => (
      <button
        type="button"
        tabIndex={-1}
        aria-current={version.version === selected ? "true" : undefined}
        onClick={() => choose(String(version.version))}
        title="Show it below"
        className="font-semibold hover:underline aria-current:text-accent"
      >
        v{version.version}
      </button>
    ),
  },
  {
    id: "aliases",
    header: "Alias",
    enableSorting: false,
    meta: { width: "9.5rem" },
    cell: ({ row }) =>
      row.original.aliases.length === 0 ? (
        <span className="text-faint">{missing}</span>
      ) : (
        <span className="flex flex-wrap gap-1">
          {row.original.aliases.map((alias) => (
            <Badge key={alias} tone="accent" className="max-w-full" title={`@${alias}`}>
              <span className="truncate">@{alias}</span>
            </Badge>
          ))}
        </span>
      ),
  },
  {
    id: "serving",
    header: "In memory",
    enableSorting: false,
    meta: { width: "8rem" },
    cell: ({ row }) => <ServingStatus serving={row.original.serving} />,
  },
  {
    id: "eval",
    accessorFn: (row) => row.result?.evalLoss,
    header: "Evaluation",
    meta: { width: "7.5rem", align: "right" },
    cell: ({ row }) => <EvalChange result={row.original.result} />,
  },
  {
    id: "loss",
    accessorFn: (row) => row.result?.lossLast,
    header: "Loss",
    meta: { width: "5rem", align: "right" },
    cell: ({ row }) => formatSignificant(row.original.result?.lossLast),
  },
  { id: "rank", accessorKey: "rank", header: "Rank", meta: { width: "5rem", align: "right" } },
  {
    id: "digest",
    header: "Digest",
    enableSorting: false,
    meta: { width: "6.75rem", card: "hidden" },
    cell: ({ row }) => <Digest value={row.original.digest} />,
  },
  {
    id: "createdAt",
    accessorKey: "createdAt",
    header: "Made",
    meta: { width: "6.75rem", align: "right" },
    cell: ({ row }) => <RelativeTime time={row.original.createdAt} className="text-muted" />,
  },
];
