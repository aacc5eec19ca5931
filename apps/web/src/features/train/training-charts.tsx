"use client";

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { ErrorState } from "#components/ui/error-state.tsx";
import { LineChart, type Series } from "#components/ui/line-chart.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { Skeleton } from "#components/ui/skeleton.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import type { TrainingView } from "#features/train/training-page.tsx";
import { formatBytes, formatNumber, formatSignificant } from "#lib/format.ts";
import { smooth } from "#lib/smooth.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useUrlParam } from "#lib/url-state.ts";
import { wireErrorOf } from "#lib/wire-error.ts";

type Point = Answers["train"]["metrics"]["points"][number];
type Measure = "loss" | "evalLoss" | "tokensPerSecond" | "memoryBytes" | "learningRate" | "gradNorm";

/** Batches differ in kind, so that single losses jump: the trend is what is read. */
const smoothing = 0.9;

/** The curves of one training; all of them share their cursor. */
export function TrainingCharts({ training }: { training: TrainingView }) {
  const trpc = useTRPC();
  const { data, error, refetch } = useQuery(trpc.train.metrics.queryOptions({ trainingRunId: training.id }));
  const [scale, setScale] = useUrlParam("scale", "linear");
  const series = useMemo(() => seriesOf(data?.points ?? []), [data]);
  if (error && !data) return <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-96 rounded-panel" />;
  if (data.points.length === 0) return <Waiting training={training} />;
  const syncKey = `training-${training.id}`;
  const small = { xLabel: "step", formatX: formatNumber, syncKey, heightPx: 120 };
  return (
    <>
      <Panel
        title="Loss"
        actions={
          <>
            {data.every > 1 && (
              <span className="text-xs text-faint">every {formatNumber(data.every)}th step is drawn</span>
            )}
            <ScaleChoice value={scale} onChange={setScale} />
          </>
        }
      >
        <LineChart
          label="Training and evaluation loss by step"
          series={series.loss}
          xLabel="step"
          formatX={formatNumber}
          heightPx={280}
          syncKey={syncKey}
          logarithmic={scale === "log"}
        />
        {series.loss[2]!.points.length === 0 && (
          <p className="mt-2 text-xs text-faint">No evaluation: the dataset holds nothing back.</p>
        )}
      </Panel>
      <div className="grid gap-4 md:grid-cols-2">
        <Panel title="Speed">
          <LineChart
            label="Tokens per second by step"
            series={series.speed}
            formatY={(value) => formatSignificant(value)}
            {...small}
          />
        </Panel>
        <Panel title="Memory">
          <LineChart label="Memory of the trainer by step" series={series.memory} formatY={formatBytes} {...small} />
        </Panel>
        <Panel title="Learning rate">
          <LineChart label="Learning rate by step" series={series.learningRate} {...small} />
        </Panel>
        <Panel title="Gradient">
          <LineChart label="Gradient norm by step" series={series.gradNorm} {...small} />
        </Panel>
      </div>
      <Checkpoints points={data.points} keptStep={training.keptStep} />
    </>
  );
}

function seriesOf(points: readonly Point[]) {
  const of = (measure: Measure, label: string, tone: Series["tone"], extra: Partial<Series> = {}): Series => ({
    label,
    tone,
    points: points.flatMap((point) => (point[measure] === null ? [] : [{ x: point.step, y: point[measure] }])),
    dots: points.length <= 40,
    ...extra,
  });
  const steps = of("loss", "Training", 1);
  const trend = smooth(
    steps.points.map(({ y }) => y ?? 0),
    smoothing,
  );
  const smoothed = { ...steps, dots: false, points: steps.points.map(({ x }, index) => ({ x, y: trend[index]! })) };
  return {
    loss: [
      { ...steps, label: "Each step", dots: false, faint: true },
      smoothed,
      of("evalLoss", "Evaluation", 2, { dots: true }),
    ],
    speed: [of("tokensPerSecond", "Tokens/s", 3)],
    memory: [of("memoryBytes", "Memory", 4)],
    learningRate: [of("learningRate", "Learning rate", 5)],
    gradNorm: [of("gradNorm", "Gradient norm", 1)],
  };
}

function ScaleChoice({ value, onChange }: { value: string; onChange(value: string): void }) {
  return (
    <span role="group" aria-label="Scale" className="flex rounded-control border border-line p-0.5">
      {["linear", "log"].map((each) => (
        <button
          key={each}
          type="button"
          aria-pressed={value === each}
          onClick={() => onChange(each)}
          className="rounded-[4px] px-2 text-xs leading-5 text-muted hover:text-ink aria-pressed:bg-sunken aria-pressed:font-medium aria-pressed:text-ink dark:aria-pressed:bg-raised"
        >
          {each}
        </button>
      ))}
    </span>
  );
}

function Waiting({ training }: { training: TrainingView }) {
  const reason =
    training.status === "queued"
      ? "It waits for a place on the pool."
      : training.status === "running" || training.status === "stopping"
        ? "The base model is being loaded; the first step follows within a minute or two."
        : "It ended before its first step. The log below says why.";
  return (
    <Panel title="Loss">
      <p className="grid min-h-64 place-items-center text-center text-13 text-muted">{reason}</p>
    </Panel>
  );
}

function Checkpoints({ points, keptStep }: { points: readonly Point[]; keptStep: number | null }) {
  const saved = points.filter((point) => point.checkpoint !== null).reverse();
  return (
    <Panel title="Checkpoints" bodyClassName={saved.length > 0 ? "p-0" : undefined}>
      {saved.length === 0 ? (
        <p className="text-13 text-muted">
          None yet. One is saved every few steps and whenever it is stopped; a resumed training goes on from the newest.
        </p>
      ) : (
        <ul className="max-h-56 divide-y divide-line overflow-y-auto" tabIndex={0} aria-label="Checkpoints">
          {saved.map((point) => (
            <li key={point.step} className="tabular flex items-baseline gap-4 px-4 py-2 text-13">
              <span className="w-24 font-medium">step {formatNumber(point.step)}</span>
              <span className="flex-1 text-muted">
                {point.evalLoss === null ? "" : `evaluation ${formatSignificant(point.evalLoss)}`}
              </span>
              {point.step === keptStep && <span className="text-xs font-medium text-accent">exported</span>}
              <RelativeTime time={point.at} className="text-xs text-faint" />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
