"use client";

import { BookOpenText, Boxes, ChevronRight, Files, Flame, Radio, type LucideIcon } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import type { AdapterView, VersionView } from "#features/deploy/adapter-page.tsx";
import { formatCount, formatNumber } from "#lib/format.ts";
import type { Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";

type LineageChainProps = { adapter: AdapterView; version: VersionView; lineage: Answers["deploy"]["lineage"] };

const shownDocuments = 3;

/** Documents -> dataset -> training -> version -> where it serves: each a link to the thing itself. */
export function LineageChain({ adapter, version, lineage }: LineageChainProps) {
  const { href } = useWorkspace();
  const { dataset, documents, hiddenDocuments } = lineage;
  const rest = documents.length - shownDocuments;
  return (
    <ol
      aria-label="Lineage"
      className="grid overflow-hidden rounded-panel border border-line bg-line md:grid-cols-5 md:gap-px max-md:gap-px"
    >
      <Node icon={Files} title="Documents" value={formatNumber(documents.length + hiddenDocuments)}>
        {documents.slice(0, shownDocuments).map((document) => (
          <Link
            key={document.id}
            href={href(`/documents/${document.id}`)}
            title={document.title}
            className="block truncate hover:text-ink hover:underline"
          >
            {document.title}
          </Link>
        ))}
        {rest > 0 && dataset && (
          <Link href={href(`/datasets/${dataset.id}?tab=documents`)} className="block text-accent hover:underline">
            and {formatNumber(rest)} more
          </Link>
        )}
        {hiddenDocuments > 0 && (
          <span className="block text-faint">{formatCount(hiddenDocuments, "document")} not yours to read</span>
        )}
      </Node>
      <Node
        icon={BookOpenText}
        title="Dataset"
        value={
          dataset ? (
            <Link
              href={href(`/datasets/${dataset.id}`)}
              className="hover:underline"
            >{`${dataset.name} v${dataset.version}`}</Link>
          ) : (
            "Deleted"
          )
        }
      >
        {dataset && (
          <>
            <span className="block">{formatCount(dataset.trainCount, "example")}</span>
            <span className="block">{formatNumber(dataset.evalCount)} held out</span>
          </>
        )}
      </Node>
      <Node
        icon={Flame}
        title="Training"
        value={
          <Link href={href(`/training/${lineage.trainingRunId}`)} className="font-mono text-xs hover:underline">
            {lineage.trainingRunId.slice(0, 8)}
          </Link>
        }
      >
        <span className="block truncate" title={lineage.base.model}>
          {lineage.base.model}
        </span>
        <span className="block font-mono text-2xs" title={lineage.base.digest}>
          {lineage.base.digest.slice(0, 12)}
        </span>
      </Node>
      <Node icon={Boxes} title="Version" value={`${adapter.name} v${version.version}`} current>
        <span className="block">rank {version.rank}</span>
        <span className="block font-mono text-2xs" title={version.digest}>
          {version.digest.slice(0, 12)}
        </span>
      </Node>
      <Node
        icon={Radio}
        title="Serves as"
        value={
          version.aliases.length === 0 ? (
            <span className="font-normal text-faint">nothing now</span>
          ) : (
            version.aliases.map((alias) => `@${alias}`).join(", ")
          )
        }
      >
        {version.serving.resident > 0 ? (
          <Link href={href("/pools")} className="block hover:text-ink hover:underline">
            on {formatCount(version.serving.resident, "engine")}
          </Link>
        ) : (
          <span className="block">in no engine's memory</span>
        )}
      </Node>
    </ol>
  );
}

type NodeProps = { icon: LucideIcon; title: string; value: ReactNode; current?: boolean; children?: ReactNode };

function Node({ icon: Icon, title, value, current, children }: NodeProps) {
  return (
    <li
      aria-current={current ? "true" : undefined}
      className="group/node relative min-w-0 bg-panel px-4 pt-3 pb-3.5 aria-current:shadow-[inset_0_2px_0_var(--accent)]"
    >
      <span className="flex items-center gap-1.5 text-xs text-muted">
        <Icon aria-hidden className="size-3.5" strokeWidth={1.75} /> {title}
      </span>
      <span className="tabular mt-1 block truncate text-13 font-semibold">{value}</span>
      <span className="tabular mt-1 block text-xs text-muted">{children}</span>
      <span
        aria-hidden
        className="absolute -top-2 left-6 z-10 grid size-4 rotate-90 place-items-center rounded-full border border-line bg-panel text-faint group-first/node:hidden md:top-1/2 md:-left-2 md:-translate-y-1/2 md:rotate-0"
      >
        <ChevronRight className="size-2.5" />
      </span>
    </li>
  );
}
