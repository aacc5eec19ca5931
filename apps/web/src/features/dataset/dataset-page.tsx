"use client";

import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { Button } from "#components/ui/button.tsx";
import { CodeTabs } from "#components/ui/code-snippet.tsx";
import { Digest } from "#components/ui/digest.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Page } from "#components/ui/page.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { Select } from "#components/ui/select.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { Tabs } from "#components/ui/tabs.tsx";
import { DatasetFacts } from "#features/dataset/dataset-facts.tsx";
import { PairBrowser } from "#features/dataset/pair-browser.tsx";
import { apiSnippets } from "#lib/api-snippets.ts";
import { formatNumber } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

export type DatasetView = Answers["dataset"]["get"];

export function DatasetPage({ datasetVersionId }: { datasetVersionId: string }) {
  const trpc = useTRPC();
  const router = useRouter();
  const { href } = useWorkspace();
  const { data: dataset, error, refetch } = useQuery(trpc.dataset.get.queryOptions({ datasetVersionId }));
  const parent = { label: "Datasets", href: href("/datasets") };
  if (!dataset)
    return (
      <Page title="Dataset" parent={parent}>
        {error ? <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} /> : <SkeletonRows rows={10} />}
      </Page>
    );
  const documentCount = dataset.documents.length + dataset.hiddenDocuments;
  return (
    <Page
      title={`${dataset.name} v${dataset.version}`}
      parent={parent}
      description={
        <>
          {formatNumber(dataset.trainCount)} training and {formatNumber(dataset.evalCount)} evaluation examples of{" "}
          {formatNumber(dataset.pairCount)} pairs · made <RelativeTime time={dataset.createdAt} /> ·{" "}
          <Digest value={dataset.digest} />
        </>
      }
      actions={
        <>
          {dataset.siblings.length > 1 && (
            <Select
              label="Version"
              className="w-28"
              value={dataset.id}
              onChange={(id) => router.push(href(`/datasets/${id}`))}
              options={dataset.siblings.map((each) => ({ value: each.id, label: `v${each.version}` }))}
            />
          )}
          <DownloadSplit dataset={dataset} split="train" />
          {dataset.evalCount > 0 && <DownloadSplit dataset={dataset} split="eval" />}
        </>
      }
    >
      <Tabs
        label="Dataset"
        tabs={[
          {
            value: "pairs",
            label: "Pairs",
            count: formatNumber(dataset.facets.kept + dataset.facets.dropped),
            content: <PairBrowser dataset={dataset} />,
          },
          {
            value: "documents",
            label: "Documents",
            count: formatNumber(documentCount),
            content: <Documents dataset={dataset} />,
          },
          { value: "about", label: "Made from, used by", content: <DatasetFacts dataset={dataset} /> },
          { value: "api", label: "API", content: <Api dataset={dataset} /> },
        ]}
      />
    </Page>
  );
}

const splitNames = { train: "Training JSONL", eval: "Evaluation JSONL" } as const;

function DownloadSplit({ dataset, split }: { dataset: DatasetView; split: "train" | "eval" }) {
  const { slug } = useWorkspace();
  if (!dataset.readable)
    return (
      <Button aria-disabled title="It holds documents that you may not read, so you cannot take it whole.">
        <Download aria-hidden /> {splitNames[split]}
      </Button>
    );
  return (
    <Button asChild>
      <a href={`/api/w/${slug}/datasets/${dataset.id}/${split}`} download>
        <Download aria-hidden /> {splitNames[split]}
      </a>
    </Button>
  );
}

function Documents({ dataset }: { dataset: DatasetView }) {
  const { href } = useWorkspace();
  const most = Math.max(1, ...dataset.documents.map(({ pairs }) => pairs));
  return (
    <div className="max-w-3xl space-y-2">
      <ul className="divide-y divide-line rounded-panel border border-line bg-panel">
        {dataset.documents.map((document) => (
          <li key={document.id} className="flex items-center gap-4 px-4 py-2 text-13">
            <Link href={href(`/documents/${document.id}`)} className="min-w-0 flex-1 truncate hover:underline">
              {document.title}
            </Link>
            <span aria-hidden className="hidden h-1.5 w-40 overflow-hidden rounded-full bg-line sm:block">
              <span className="block h-full bg-accent" style={{ width: `${(document.pairs / most) * 100}%` }} />
            </span>
            <Link
              href={href(`/datasets/${dataset.id}?document=${document.id}`)}
              className="tabular w-20 text-right text-muted hover:text-ink hover:underline"
            >
              {formatNumber(document.pairs)} {document.pairs === 1 ? "pair" : "pairs"}
            </Link>
          </li>
        ))}
      </ul>
      {dataset.hiddenDocuments > 0 && (
        <p className="px-1 text-xs text-muted">
          {formatNumber(dataset.hiddenDocuments)} more {dataset.hiddenDocuments === 1 ? "document is" : "documents are"}{" "}
          not yours to read, so neither they nor their pairs are shown.
        </p>
      )}
    </div>
  );
}

function Api({ dataset }: { dataset: DatasetView }) {
  const { slug } = useWorkspace();
  const origin = typeof window === "undefined" ? "" : window.location.origin;
  const file = `${origin}/api/w/${slug}/datasets/${dataset.id}/train`;
  return (
    <div className="grid max-w-5xl gap-8 lg:grid-cols-2">
      <section className="min-w-0 space-y-2">
        <h2 className="text-13 font-semibold">Download the training split</h2>
        <p className="text-13 text-muted">One JSON object a line, in the messages form that training programs read.</p>
        <CodeTabs
          snippets={[
            {
              name: "curl",
              code: `curl -H "Authorization: Bearer $ANNEAL_API_KEY" \\\n  -o train.jsonl \\\n  '${file}'`,
            },
            {
              name: "Python",
              code: `import json, os, requests\n\nanswer = requests.get(\n    "${file}",\n    headers={"Authorization": f"Bearer {os.environ['ANNEAL_API_KEY']}"},\n)\nexamples = [json.loads(line) for line in answer.iter_lines()]`,
            },
          ]}
        />
      </section>
      <section className="min-w-0 space-y-2">
        <h2 className="text-13 font-semibold">List the pairs</h2>
        <p className="text-13 text-muted">With the same filters and permissions as this page.</p>
        <CodeTabs
          snippets={apiSnippets(slug, "dataset.pairs", "query", {
            datasetVersionId: dataset.id,
            dropped: false,
            limit: 50,
            offset: 0,
          })}
        />
      </section>
    </div>
  );
}
