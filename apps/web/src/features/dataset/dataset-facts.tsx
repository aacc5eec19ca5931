"use client";

import Link from "next/link";
import type { ReactNode } from "react";
import { KeyValues } from "#components/ui/key-values.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { TrainingStatus } from "#features/train/training-status.tsx";
import type { DatasetView } from "#features/dataset/dataset-page.tsx";
import { describeDrop } from "#features/dataset/drop-names.ts";
import { formatNumber, formatPercent } from "#lib/format.ts";
import { useWorkspace } from "#lib/workspace.tsx";

/** What a version was made from and how, and what was made of it. */
export function DatasetFacts({ dataset }: { dataset: DatasetView }) {
  const { href } = useWorkspace();
  const { facets } = dataset;
  const found = facets.kept + facets.dropped;
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2 2xl:grid-cols-3">
      <Panel title="Kept and dropped">
        <p className="tabular mb-3 text-13 text-muted">
          {formatNumber(found)} pairs were found, {formatNumber(facets.kept)} kept (
          {formatPercent(found === 0 ? null : facets.kept / found)}).
        </p>
        <ul className="tabular space-y-2 text-13">
          <Share
            label="Kept, extracted from the text"
            count={facets.origin.extracted ?? 0}
            of={found}
            color="var(--ready)"
          />
          <Share
            label="Kept, asked by the teacher"
            count={facets.origin.generated ?? 0}
            of={found}
            color="var(--accent)"
          />
          {Object.entries(facets.dropCode)
            .sort(([, left], [, right]) => right - left)
            .map(([code, count]) => (
              <Share
                key={code}
                label={
                  <Link href={href(`/datasets/${dataset.id}?kept=${code}`)} className="hover:underline">
                    Dropped: {describeDrop(code)}
                  </Link>
                }
                count={count}
                of={found}
                color="var(--waiting)"
              />
            ))}
        </ul>
      </Panel>
      <Panel title="Made with">
        <KeyValues
          items={[
            ...Object.entries({ ...dataset.settings, ...dataset.stats })
              .filter(([, value]) => value !== null && value !== "" && typeof value !== "object")
              .map(([name, value]) => ({
                label: named(name),
                value:
                  name.endsWith("Share") && typeof value === "number"
                    ? formatPercent(value)
                    : typeof value === "number"
                      ? formatNumber(value, Number.isInteger(value) ? 0 : 2)
                      : String(value),
              })),
            ...kindsOf(dataset.stats.kinds).map(([kind, count]) => ({
              label: `${named(kind)} examples`,
              value: formatNumber(count),
            })),
            { label: "Readers", value: dataset.readers },
            ...(dataset.runId
              ? [
                  {
                    label: "Run",
                    value: (
                      <Link
                        href={href(`/runs/${dataset.runId}?stage=dataset`)}
                        className="font-mono text-xs text-accent hover:underline"
                      >
                        {dataset.runId.slice(0, 8)}
                      </Link>
                    ),
                  },
                ]
              : []),
          ]}
        />
      </Panel>
      <Panel title="Used by">
        {dataset.trainings.length === 0 ? (
          <p className="text-13 text-muted">Nothing was trained on it yet.</p>
        ) : (
          <ul className="space-y-2.5 text-13">
            {dataset.trainings.map((training) => (
              <li key={training.id}>
                <span className="flex items-center justify-between gap-3">
                  <Link
                    href={href(`/training/${training.id}`)}
                    className="font-mono text-xs text-accent hover:underline"
                  >
                    {training.id.slice(0, 8)}
                  </Link>
                  <TrainingStatus status={training.status} />
                  <RelativeTime time={training.createdAt} className="text-xs text-faint" />
                </span>
                {dataset.adapterVersions
                  .filter((version) => version.trainingRunId === training.id)
                  .map((version) => (
                    <Link
                      key={version.id}
                      href={href(`/adapters/${version.adapterId}?version=${version.version}`)}
                      className="block text-muted hover:text-ink hover:underline"
                    >
                      made {version.name} v{version.version}
                    </Link>
                  ))}
              </li>
            ))}
          </ul>
        )}
      </Panel>
    </div>
  );
}

function Share({ label, count, of, color }: { label: ReactNode; count: number; of: number; color: string }) {
  return (
    <li>
      <span className="flex justify-between gap-3">
        <span className="min-w-0 truncate">{label}</span>
        <span>{formatNumber(count)}</span>
      </span>
      <span aria-hidden className="mt-1 block h-1 overflow-hidden rounded-full bg-line">
        <span
          className="block h-full rounded-full"
          style={{ width: `${of === 0 ? 0 : (count / of) * 100}%`, background: color }}
        />
      </span>
    </li>
  );
}

function kindsOf(kinds: unknown): [string, number][] {
  if (typeof kinds !== "object" || kinds === null) return [];
  return Object.entries(kinds).filter((entry): entry is [string, number] => typeof entry[1] === "number");
}

/** "evalShare" -> "Eval share", "closed-book" -> "Closed book". */
function named(name: string): string {
  const words = name.replaceAll("-", " ").replaceAll(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
