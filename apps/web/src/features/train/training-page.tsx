"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { Badge } from "#components/ui/badge.tsx";
import { Digest } from "#components/ui/digest.tsx";
import { ErrorNotice, ErrorState } from "#components/ui/error-state.tsx";
import { KeyValues } from "#components/ui/key-values.tsx";
import { Page } from "#components/ui/page.tsx";
import { Figure, Panel } from "#components/ui/panel.tsx";
import { ProgressBar } from "#components/ui/progress.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { Admission } from "#features/train/admission.tsx";
import { TrainingActions } from "#features/train/training-actions.tsx";
import { TrainingCharts } from "#features/train/training-charts.tsx";
import { TrainingLog } from "#features/train/training-log.tsx";
import { TrainingSamples } from "#features/train/training-samples.tsx";
import { TrainingStatus } from "#features/train/training-status.tsx";
import { formatCount, formatDuration, formatNumber, formatPercent, formatSignificant, missing } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useNow } from "#lib/use-now.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

export type TrainingView = Answers["train"]["get"];

export function TrainingPage({ trainingRunId }: { trainingRunId: string }) {
  const trpc = useTRPC();
  const { href } = useWorkspace();
  const { data: training, error, refetch } = useQuery(trpc.train.get.queryOptions({ trainingRunId }));
  const parent = { label: "Training", href: href("/training") };
  if (!training)
    return (
      <Page title="Training" parent={parent}>
        {error ? <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} /> : <SkeletonRows rows={12} />}
      </Page>
    );
  return (
    <Page
      title={
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
          Training <Digest value={training.id} className="text-base" />
          <TrainingStatus status={training.status} />
        </span>
      }
      description={
        <>
          {training.baseModel} on{" "}
          <Link
            href={href(`/datasets/${training.dataset.id}`)}
            className="text-accent underline underline-offset-2 hover:decoration-2"
          >
            {training.dataset.name} v{training.dataset.version}
          </Link>{" "}
          · started <RelativeTime time={training.startedAt ?? training.createdAt} />
        </>
      }
      parent={parent}
      actions={<TrainingActions training={training} />}
    >
      <div className="space-y-6">
        {training.error && <ErrorNotice error={training.error} />}
        <Figures training={training} />
        <div className="grid grid-cols-1 items-start gap-6 xl:grid-cols-[minmax(0,1fr)_22rem]">
          <div className="min-w-0 space-y-6">
            <TrainingCharts training={training} />
            <TrainingSamples training={training} />
            <TrainingLog training={training} />
          </div>
          <aside aria-label="About this training" className="space-y-4">
            <Admission training={training} />
            <Panel title="What it made">
              <Made training={training} />
            </Panel>
            <Settings training={training} />
          </aside>
        </div>
      </div>
    </Page>
  );
}

function Figures({ training }: { training: TrainingView }) {
  const { steps, loss, evalLoss, status } = training;
  const running = status === "running" || status === "stopping";
  const share = steps.total ? steps.done / steps.total : null;
  return (
    <section
      aria-label="Figures"
      className="grid grid-cols-2 gap-px overflow-hidden rounded-panel border border-line bg-line md:grid-cols-3 xl:grid-cols-6 [&>*]:bg-panel [&>*]:p-4"
    >
      <div>
        <Figure
          label="Steps"
          value={
            steps.total === null
              ? formatNumber(steps.done)
              : `${formatNumber(steps.done)} of ${formatNumber(steps.total)}`
          }
          hint={
            running
              ? null
              : training.stoppedEarly
                ? "stopped early"
                : steps.total !== null && steps.done < steps.total
                  ? formatPercent(share)
                  : "all of them"
          }
        />
        {running && <ProgressBar share={share} label="Steps" className="mt-2" />}
      </div>
      <Figure
        label="Time"
        value={<Elapsed training={training} />}
        hint={
          training.etaMs === null
            ? running
              ? "estimating what is left"
              : "in all"
            : `${formatDuration(training.etaMs)} left`
        }
      />
      <Figure label="Loss" value={formatSignificant(loss.last)} hint={lossHint(loss)} />
      <Figure
        label="Evaluation"
        value={formatSignificant(evalLoss.kept)}
        hint={
          evalLoss.first === null
            ? evalLoss.kept === null
              ? "no held-out data yet"
              : "newest"
            : `base model ${formatSignificant(evalLoss.first)}${training.keptStep === null ? "" : `, at step ${formatNumber(training.keptStep)}`}`
        }
      />
      <Figure
        label="Speed"
        value={training.tokensPerSecond === null ? missing : `${formatSignificant(training.tokensPerSecond)} tok/s`}
        hint={
          training.tokensTotal === null ? "of the newest step" : `${formatNumber(training.tokensTotal)} tokens in all`
        }
      />
      <Figure
        label="Trainable"
        value={
          training.started === null
            ? missing
            : formatPercent(training.started.trainableParameters / training.started.parameters, 1)
        }
        hint={
          training.started === null
            ? "known once it has started"
            : `${formatNumber(training.started.trainableParameters)} parameters`
        }
      />
    </section>
  );
}

/** Says what the loss is a mean of: batches differ in kind, and so do the losses of single steps. */
function lossHint({ first, window }: TrainingView["loss"]): string {
  const steps = window === 1 ? "step" : `${formatNumber(window)} steps`;
  return first === null
    ? `${window === 1 ? "of" : "mean of"} the newest ${steps}`
    : `${window === 1 ? "last step" : `mean of the last ${steps}`}; first ${formatSignificant(first)}`;
}

function Elapsed({ training }: { training: TrainingView }) {
  const now = useNow();
  if (training.durationMs !== null) return formatDuration(training.durationMs);
  if (!training.startedAt || !now) return missing;
  return formatDuration(Math.max(0, now.getTime() - training.startedAt.getTime()));
}

function Made({ training }: { training: TrainingView }) {
  const { href } = useWorkspace();
  if (training.adapters.length === 0)
    return (
      <p className="text-13 text-muted">
        {training.status === "done"
          ? "No adapter version yet: the run's register stage makes it."
          : "An adapter version, once it is done."}
      </p>
    );
  return (
    <ul className="space-y-1.5 text-13">
      {training.adapters.map((adapter) => (
        <li key={adapter.id}>
          <Link
            href={href(`/adapters/${adapter.adapterId}?version=${adapter.version}`)}
            className="font-medium text-accent hover:underline"
          >
            {adapter.name} v{adapter.version}
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Settings({ training }: { training: TrainingView }) {
  const { href } = useWorkspace();
  const { started } = training;
  return (
    <Panel title="Settings">
      <KeyValues
        items={[
          ...Object.entries(training.config)
            .filter(([, value]) => value !== null && value !== undefined)
            .map(([name, value]) => ({ label: spaced(name), value: <SettingValue value={value} /> })),
          ...(started
            ? [
                {
                  label: "Examples",
                  value: `${formatNumber(started.trainExamples)} to learn, ${formatNumber(started.evalExamples)} held out`,
                },
              ]
            : []),
          ...(started && started.droppedTotal > 0
            ? [{ label: "Left out", value: formatCount(started.droppedTotal, "example") }]
            : []),
          ...(started && started.resumedFromStep > 0
            ? [{ label: "Resumed", value: `from step ${formatNumber(started.resumedFromStep)}` }]
            : []),
          ...(training.runId
            ? [
                {
                  label: "Run",
                  value: (
                    <Link
                      href={href(`/runs/${training.runId}?stage=train`)}
                      className="font-mono text-xs text-accent hover:underline"
                    >
                      {training.runId.slice(0, 8)}
                    </Link>
                  ),
                },
              ]
            : []),
        ]}
      />
    </Panel>
  );
}

function SettingValue({ value }: { value: unknown }) {
  if (typeof value === "number") return <span className="tabular">{formatSignificant(value)}</span>;
  if (typeof value === "string") return <Badge>{value}</Badge>;
  if (typeof value === "object" && value !== null)
    return Object.entries(value)
      .map(([name, each]) => `${spaced(name)} ${String(each)}`)
      .join(", ");
  return String(value);
}

/** "learningRate" -> "Learning rate". */
function spaced(name: string): string {
  const words = name.replaceAll(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
