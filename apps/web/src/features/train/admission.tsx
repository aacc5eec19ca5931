import { NoStatus, Status } from "#components/ui/status.tsx";
import { Panel } from "#components/ui/panel.tsx";
import type { TrainingView } from "#features/train/training-page.tsx";
import { formatBytes } from "#lib/format.ts";

const parts: { key: string; label: string; tone: string }[] = [
  { key: "weightsBytes", label: "Weights of the base", tone: "var(--series-1)" },
  { key: "adapterBytes", label: "Adapter", tone: "var(--series-2)" },
  { key: "gradientsBytes", label: "Gradients", tone: "var(--series-2)" },
  { key: "optimizerBytes", label: "Optimizer", tone: "var(--series-2)" },
  { key: "activationsBytes", label: "Activations", tone: "var(--series-3)" },
  { key: "logitsBytes", label: "Logits", tone: "var(--series-4)" },
  { key: "temporaryBytes", label: "Temporaries", tone: "var(--series-4)" },
  { key: "marginBytes", label: "Gaps of the allocator", tone: "var(--series-5)" },
  { key: "contextBytes", label: "CUDA context", tone: "var(--series-5)" },
  { key: "kernelCachesBytes", label: "Compiled kernels", tone: "var(--series-5)" },
  { key: "processBytes", label: "Process", tone: "var(--series-5)" },
];

/** Why it was let on the machine or refused, with the estimate that decided. */
export function Admission({ training }: { training: TrainingView }) {
  const { admission } = training;
  if (!admission)
    return (
      <Panel title="Admission" actions={<NoStatus word="Not decided" />}>
        <p className="text-13 text-muted">
          Its memory is estimated before it starts; only what fits on the pool is let on.
        </p>
      </Panel>
    );
  const { totalBytes, breakdown } = admission.estimate;
  // What an earlier release counted otherwise has other parts.
  const shown = parts.filter(({ key }) => breakdown[key] !== undefined);
  return (
    <Panel
      title="Admission"
      actions={
        admission.status === "admitted" ? (
          <Status kind="ready" word={admission.node ? `On ${admission.node}` : "Admitted"} />
        ) : admission.status === "queued" ? (
          <Status kind="waiting" word="Waiting for room" />
        ) : (
          <Status kind="failed" word="Refused" />
        )
      }
    >
      <p className="text-13">{admission.reason}</p>
      {admission.action && <p className="mt-1 text-13 text-muted">{admission.action}</p>}
      <div aria-hidden className="mt-4 flex h-2 gap-px overflow-hidden rounded-full bg-line">
        {shown.map(({ key, tone }) => (
          <span key={key} style={{ background: tone, width: `${((breakdown[key] ?? 0) / totalBytes) * 100}%` }} />
        ))}
      </div>
      <dl className="tabular mt-3 grid grid-cols-[1fr_auto] gap-x-4 gap-y-1 text-13">
        {shown.map(({ key, label, tone }) => (
          <div key={key} className="contents">
            <dt className="flex items-center gap-2 text-muted">
              <span aria-hidden className="size-2 rounded-[2px]" style={{ background: tone }} /> {label}
            </dt>
            <dd className="text-right">{formatBytes(breakdown[key])}</dd>
          </div>
        ))}
        <div className="col-span-2 mt-1 flex justify-between border-t border-line pt-1.5 font-medium">
          <dt>{breakdown["contextBytes"] === undefined ? "Estimate" : "Estimate, of GPU memory"}</dt>
          <dd>{formatBytes(totalBytes)}</dd>
        </div>
      </dl>
    </Panel>
  );
}
