"use client";

import { useMemo, useState } from "react";
import type { Plan } from "@anneal/sizing/plan/plan-types";
import { dollars } from "@anneal/sizing/plan/words";
import { Button } from "#components/ui/button.tsx";
import { numberColumn } from "#components/ui/columns.tsx";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import {
  describeFormat,
  describeReplicas,
  describeSplit,
  formatWatts,
  nameGpus,
} from "#features/planner/plan-words.ts";
import { cn } from "#lib/class-names.ts";
import { formatCount, formatDuration, formatSignificant, missing } from "#lib/format.ts";
import { pageSizes } from "#lib/table-state.ts";

type Props = {
  plans: readonly Plan[];
  shown: number;
  onShow(rank: number): void;
  sort: string | null;
  onSort(sort: string | null): void;
};

/** All of them, to sort by what counts. */
export function PlanTable({ plans, shown, onShow, sort, onSort }: Props) {
  const [page, setPage] = useState(1);
  const [pageSize, setPageSize] = useState<number>(pageSizes[0]);
  const state = { sort, page, pageSize, setSort: onSort, setPage, setPageSize };
  const columns = useMemo(() => columnsOf(shown, onShow), [shown, onShow]);
  return (
    <DataTable
      label="All plans"
      columns={columns}
      rows={plans}
      rowId={(plan) => String(plan.rank)}
      state={state}
      minWidth="50rem"
      empty={null}
    />
  );
}

const columnsOf = (shown: number, onShow: (rank: number) => void): DataColumn<Plan>[] => [
  {
    id: "rank",
    accessorFn: (plan) => plan.rank,
    header: "Plan",
    meta: { card: "title" },
    cell: ({ row: { original: plan } }) => (
      <Button
        variant="link"
        size="inline"
        className="max-w-full"
        title={nameGpus(plan)}
        aria-pressed={plan.rank === shown}
        onClick={() => onShow(plan.rank)}
      >
        <span className="tabular min-w-4 text-right font-normal text-muted">{plan.rank}</span>
        <span className={cn("truncate", plan.rank === shown ? "font-semibold" : "font-medium")}>{nameGpus(plan)}</span>
      </Button>
    ),
  },
  {
    id: "format",
    accessorFn: describeFormat,
    header: "Weights",
    meta: { width: "5.5rem" },
    cell: ({ row }) => <span title={describeFormat(row.original)}>{describeFormat(row.original)}</span>,
  },
  {
    id: "replicas",
    accessorFn: (plan) => plan.replicas,
    header: "Replicas",
    meta: { width: "6.25rem" },
    cell: ({ row: { original: plan } }) => (
      <span title={`${describeReplicas(plan)}; a replica takes ${describeSplit(plan)}`}>
        {plan.replicas} of {formatCount(plan.gpusPerReplica, "GPU")}
      </span>
    ),
  },
  numberColumn(
    "speed",
    "Each user",
    "6rem",
    (plan) => plan.tokensPerSecondPerUser,
    (value) => `${formatSignificant(value)} t/s`,
  ),
  numberColumn("ttft", "First token", "6.25rem", (plan) => plan.ttftMs, formatDuration),
  numberColumn(
    "power",
    "Power",
    "5rem",
    (plan) => plan.wattsTotal,
    (value) => (value === null ? missing : formatWatts(value)),
  ),
  numberColumn(
    "million",
    "A million",
    "5.5rem",
    (plan) => plan.costPerMillionTokens,
    (value) => (value === null ? missing : dollars(value)),
  ),
  numberColumn(
    "month",
    "A month",
    "6rem",
    (plan) => plan.monthlyCost,
    (value) => (value === null ? missing : dollars(value)),
  ),
];
