"use client";

import { CircleCheck, CircleSlash, TriangleAlert } from "lucide-react";
import type { GpuPreview } from "@anneal/sizing/plan/plan-preview";
import type { MemoryBar } from "@anneal/sizing/plan/plan-types";
import { precisionName } from "@anneal/sizing/plan/words";
import { Panel } from "#components/ui/panel.tsx";
import type { BriefPreview } from "#features/planner/preview-brief.ts";
import { cn } from "#lib/class-names.ts";
import { formatCount, formatNumber } from "#lib/format.ts";

const stripes = "repeating-linear-gradient(135deg, var(--line) 0 2px, transparent 2px 5px)";
export const memoryParts: readonly { key: Exclude<keyof MemoryBar, "totalGib">; label: string; fill: string }[] = [
  { key: "weightsGib", label: "Weights", fill: "var(--series-1)" },
  { key: "activationGib", label: "Activations", fill: "var(--series-3)" },
  { key: "engineGib", label: "Engine", fill: "var(--series-5)" },
  { key: "kvUsedGib", label: "KV cache in use", fill: "var(--series-2)" },
  { key: "kvFreeGib", label: "KV cache free", fill: "color-mix(in oklab, var(--series-2) 26%, var(--panel))" },
  { key: "unusedGib", label: "Left alone", fill: stripes },
];

type Props = { preview: BriefPreview; shownGpu: string; onShow(gpu: string): void };

/** The memory of one GPU of each kind, in the smallest group that holds the model and its requests. */
export function MemoryBars({ preview, shownGpu, onShow }: Props) {
  const fits = preview.gpus.filter(({ status }) => status === "fits").length;
  return (
    <Panel
      title={`Memory of one GPU, weights in ${precisionName(preview.precision)}`}
      actions={
        <span className="tabular text-xs text-muted">
          {fits} of {formatCount(preview.gpus.length, "GPU")} hold it
        </span>
      }
      bodyClassName="p-0"
    >
      <div className="flex flex-wrap justify-between gap-x-6 gap-y-2 px-4 pt-3 pb-2 text-xs text-muted">
        <p>
          The fewest of each kind that hold the model and {formatCount(preview.requests, "request")} of{" "}
          {formatNumber(Math.round(preview.workload.residentTokens))} tokens. Choose one to see its speed.
        </p>
        <ul className="flex flex-wrap gap-x-3 gap-y-1">
          {memoryParts.map(({ key, label, fill }) => (
            <li key={key} className="flex items-center gap-1.5">
              <span aria-hidden className="size-2.5 rounded-[2px] border border-line" style={{ background: fill }} />
              {label}
            </li>
          ))}
        </ul>
      </div>
      <ul aria-label="GPUs" className="pb-2">
        {preview.gpus.map((gpu) => (
          <li key={gpu.gpu}>
            <GpuButton gpu={gpu} shown={gpu.gpu === shownGpu} onShow={() => onShow(gpu.gpu)} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function GpuButton({ gpu, shown, onShow }: { gpu: GpuPreview; shown: boolean; onShow(): void }) {
  const { memoryPerGpu: bar, status, reason } = gpu;
  return (
    <button
      type="button"
      aria-pressed={shown}
      data-focus-inset
      onClick={onShow}
      className={cn(
        "grid w-full grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 border-l-2 px-4 py-1.5 text-left text-13 hover:bg-hover sm:grid-cols-[13rem_minmax(0,1fr)_10.5rem]",
        shown ? "border-accent bg-accent-soft/50" : "border-transparent",
      )}
    >
      <span className="flex min-w-0 items-center gap-1.5">
        <GpuStatus status={status} />
        <span className="truncate font-medium">{gpu.gpu}</span>
        {status !== "cannot run" && gpu.tensorParallel > 1 && (
          <span className="tabular shrink-0 text-muted">× {gpu.tensorParallel}</span>
        )}
        {bar && (
          <span className="tabular ml-auto shrink-0 text-xs text-faint max-sm:hidden">
            {formatNumber(bar.totalGib)} GiB
          </span>
        )}
      </span>
      <span className="max-sm:order-last max-sm:col-span-2">
        {bar ? <Bar bar={bar} over={status === "too small"} /> : <span className="text-xs text-muted">{reason}</span>}
      </span>
      <span className="tabular text-right text-xs text-muted">
        {status === "fits" && bar && (
          <>
            holds <span className="text-ink">{formatNumber(gpu.holds)}</span>, {formatNumber(bar.kvFreeGib, 1)} GiB free
          </>
        )}
        {status === "too small" && (
          <span className="text-failed" title={reason ?? undefined}>
            {formatNumber(gpu.missingGib, 1)} GiB short on each
          </span>
        )}
        {status === "cannot run" && <span className="text-stopped">cannot run it</span>}
      </span>
    </button>
  );
}

function GpuStatus({ status }: { status: GpuPreview["status"] }) {
  const look = {
    fits: { icon: CircleCheck, color: "text-ready", word: "fits" },
    "too small": { icon: TriangleAlert, color: "text-failed", word: "too small" },
    "cannot run": { icon: CircleSlash, color: "text-stopped", word: "cannot run it" },
  }[status];
  return (
    <>
      <look.icon aria-hidden className={cn("size-3.5 shrink-0", look.color)} />
      <span className="sr-only">{look.word}: </span>
    </>
  );
}

/** Of full width, as long as all of the GPU; what does not fit on it stands out of its end. */
function Bar({ bar, over }: { bar: MemoryBar; over: boolean }) {
  const sum = memoryParts.reduce((total, { key }) => total + bar[key], 0);
  const whole = Math.max(bar.totalGib, sum);
  const words = memoryParts
    .filter(({ key }) => bar[key] >= 0.05)
    .map(({ key, label }) => `${label} ${formatNumber(bar[key], 1)} GiB`);
  return (
    <span
      role="img"
      aria-label={`Of ${formatNumber(bar.totalGib, 1)} GiB: ${words.join(", ")}`}
      title={words.join("\n")}
      className={cn(
        "relative flex h-4 overflow-hidden rounded-[4px] border bg-panel",
        over ? "border-failed" : "border-line-strong",
      )}
    >
      {memoryParts.map(({ key, fill }) => (
        <span
          key={key}
          className="h-full border-r border-panel last:border-r-0"
          style={{
            width: `${(bar[key] / whole) * 100}%`,
            background: fill,
            ...(bar[key] === 0 ? { borderWidth: 0 } : {}),
          }}
        />
      ))}
      {sum > bar.totalGib && (
        <span className="absolute inset-y-0 w-0.5 bg-failed" style={{ left: `${(bar.totalGib / whole) * 100}%` }} />
      )}
    </span>
  );
}
