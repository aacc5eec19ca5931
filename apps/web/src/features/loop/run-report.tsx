import { Digest } from "#components/ui/digest.tsx";
import { Figure } from "#components/ui/panel.tsx";
import { cn } from "#lib/class-names.ts";
import { formatCount, formatDuration, formatNumber, formatSignificant } from "#lib/format.ts";
import type { Answers } from "#lib/trpc.ts";

/** What the run made, in up to six figures. */
export function RunReport({ report }: { report: NonNullable<Answers["loop"]["get"]["report"]> }) {
  const { dataset, run, adapter, deployment, index } = report;
  return (
    <section
      aria-label="Results"
      className={cn(
        "grid gap-px overflow-hidden rounded-panel border border-line bg-line [&>*]:bg-panel [&>*]:p-4",
        run && "grid-cols-2 md:grid-cols-3 xl:grid-cols-6",
      )}
    >
      {dataset && (
        <Figure
          label="Examples"
          value={formatNumber(dataset.train + dataset.eval)}
          hint={`${formatNumber(dataset.eval)} held back for evaluation`}
        />
      )}
      {run && (
        <>
          <Figure
            label="Loss"
            value={`${formatSignificant(run.loss.first)} → ${formatSignificant(run.loss.last)}`}
            hint={`${run.loss.window > 1 ? `means of ${formatNumber(run.loss.window)} steps; ` : ""}evaluation ${formatSignificant(run.loss.eval)}`}
          />
          <Figure
            label="Training"
            value={`${formatSignificant(run.tokensPerSecond)} tok/s`}
            hint={`${formatNumber(run.steps)} steps`}
          />
        </>
      )}
      {adapter && <Figure label="Adapter" value={adapter.name} hint={<Digest value={adapter.digest} />} />}
      {deployment && (
        <Figure
          label="Swap"
          value={formatDuration(deployment.swapMs)}
          hint={`on ${formatNumber(deployment.replicas)} ${deployment.replicas === 1 ? "replica" : "replicas"}`}
        />
      )}
      <Figure
        label="Index"
        value={formatNumber(index.chunks)}
        hint={
          index.documents === null
            ? "told to those who keep it running"
            : `passages of ${formatCount(index.documents, "document")}`
        }
      />
    </section>
  );
}
