"use client";

import { mayDownloadAdapters } from "@anneal/core/access/roles";
import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import Markdown from "react-markdown";
import remarkGfm from "remark-gfm";
import { Button } from "#components/ui/button.tsx";
import { CodeTabs } from "#components/ui/code-snippet.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Figure } from "#components/ui/panel.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { Tabs } from "#components/ui/tabs.tsx";
import type { AdapterView, VersionView } from "#features/deploy/adapter-page.tsx";
import { LineageChain } from "#features/deploy/lineage-chain.tsx";
import { formatBytes, formatDuration, formatNumber, formatSignificant, missing } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Props = { adapter: AdapterView; version: VersionView };

/** One version: what it came from, how it learned, its card and its files. */
export function VersionDetail({ adapter, version }: Props) {
  const trpc = useTRPC();
  const {
    data: lineage,
    error,
    refetch,
  } = useQuery(trpc.deploy.lineage.queryOptions({ adapterVersionId: version.id }));
  return (
    <section aria-label={`Version ${version.version}`} className="space-y-4">
      <h2 className="text-13 font-semibold">Version {version.version}</h2>
      {error && !lineage ? (
        <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />
      ) : lineage ? (
        <>
          <LineageChain adapter={adapter} version={version} lineage={lineage} />
          <Result version={version} />
          <Tabs
            label="About this version"
            tabs={[
              { value: "card", label: "Model card", content: <ModelCard card={lineage.card} /> },
              { value: "api", label: "Use it", content: <Usage adapter={adapter} version={version} /> },
              {
                value: "files",
                label: "Files",
                content: <Files adapter={adapter} version={version} lineage={lineage} />,
              },
            ]}
          />
        </>
      ) : (
        <SkeletonRows rows={10} />
      )}
    </section>
  );
}

function Result({ version: { result } }: { version: VersionView }) {
  if (!result) return null;
  return (
    <div className="grid grid-cols-2 gap-px overflow-hidden rounded-panel border border-line bg-line md:grid-cols-4 [&>*]:bg-panel [&>*]:p-4">
      <Figure
        label="Evaluation"
        value={formatSignificant(result.evalLoss)}
        hint={
          result.evalLossFirst === null
            ? "nothing was held out"
            : `base model ${formatSignificant(result.evalLossFirst)}`
        }
      />
      <Figure
        label="Loss"
        value={formatSignificant(result.lossLast)}
        hint={`from ${formatSignificant(result.lossFirst)}${result.lossWindow > 1 ? `, means of ${formatNumber(result.lossWindow)} steps` : ""}`}
      />
      <Figure
        label="Learned from"
        value={formatNumber(result.tokensTotal)}
        hint={`tokens in ${formatNumber(result.steps)} steps`}
      />
      <Figure
        label="Took"
        value={formatDuration(result.durationMs)}
        hint={`${formatSignificant(result.tokensPerSecond)} tokens/s`}
      />
    </div>
  );
}

/** The card names what people typed, so nothing in it may become a link or an image. Its headings stand under ours. */
function ModelCard({ card }: { card: string }) {
  return (
    <article className="max-w-[46rem] rounded-panel border border-line bg-panel px-5 py-5 text-13 leading-6 sm:px-8 [&_code]:rounded-[3px] [&_code]:bg-sunken [&_code]:px-1 [&_code]:font-mono [&_code]:text-xs [&_code]:break-all [&_h3]:mb-2 [&_h3]:text-lg [&_h3]:font-semibold [&_h4]:mt-5 [&_h4]:mb-1 [&_h4]:font-semibold [&_li]:ml-4 [&_li]:list-disc [&_p]:mb-2">
      <Markdown
        remarkPlugins={[remarkGfm]}
        disallowedElements={["a", "img"]}
        unwrapDisallowed
        components={{ h1: "h3", h2: "h4" }}
      >
        {card}
      </Markdown>
    </article>
  );
}

function Usage({ adapter, version }: Props) {
  const alias = version.aliases[0];
  if (alias === undefined)
    return (
      <p className="text-13 text-muted">
        No alias points at this version, so it has no name to ask it by. Deploy it to give it one.
      </p>
    );
  const origin = typeof window === "undefined" ? "" : window.location.origin;
  const model = `${adapter.name}@${alias}`;
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "How long is the warranty?" }] });
  return (
    <div className="max-w-[46rem] space-y-3">
      <p className="text-13 text-muted">The API is OpenAI's. The key's owner needs a permission for this model.</p>
      <CodeTabs
        snippets={[
          {
            name: "curl",
            code: `curl ${origin}/api/v1/chat/completions \\\n  -H "Authorization: Bearer $ANNEAL_API_KEY" \\\n  -H "Content-Type: application/json" \\\n  -d '${body}'`,
          },
          {
            name: "Python",
            code: `import os\nfrom openai import OpenAI\n\nclient = OpenAI(base_url="${origin}/api/v1", api_key=os.environ["ANNEAL_API_KEY"])\nanswer = client.chat.completions.create(\n    model="${model}",\n    messages=[{"role": "user", "content": "How long is the warranty?"}],\n)\nprint(answer.choices[0].message.content)`,
          },
        ]}
      />
    </div>
  );
}

function Files({ version, lineage }: Props & { lineage: Answers["deploy"]["lineage"] }) {
  const { slug, role } = useWorkspace();
  const allowed = lineage.mayDownload && mayDownloadAdapters(role);
  const files = [
    {
      name: "adapter_model.safetensors",
      hint: `${formatBytes(version.sizeBytes)} with its configuration; weights as PEFT writes them`,
    },
    { name: "adapter_config.json", hint: "rank, targets and the base that it fits" },
  ];
  return (
    <div className="max-w-[46rem] space-y-3">
      {!allowed && (
        <p className="text-13 text-muted">
          {lineage.mayDownload
            ? "Downloads are for operators and data scientists."
            : "Weights remember what they were taught. Among the documents are some that you may not read, so you cannot take the files."}
        </p>
      )}
      <ul className="divide-y divide-line rounded-panel border border-line bg-panel">
        {files.map(({ name, hint }) => (
          <li key={name} className="flex flex-wrap items-center justify-between gap-3 px-4 py-2.5 text-13">
            <span className="min-w-0">
              <span className="block font-mono text-xs">{name}</span>
              <span className="text-xs text-muted">{hint}</span>
            </span>
            {allowed ? (
              <Button asChild size="small">
                <a href={`/api/w/${slug}/adapters/${version.id}/${name}`} download>
                  <Download aria-hidden /> Download
                </a>
              </Button>
            ) : (
              <span className="text-faint">{missing}</span>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
