"use client";

import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { Skeleton } from "#components/ui/skeleton.tsx";
import type { TrainingView } from "#features/train/training-page.tsx";
import { cn } from "#lib/class-names.ts";
import { formatNumber } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { wireErrorOf } from "#lib/wire-error.ts";

type Evaluation = Extract<Answers["train"]["samples"], { readable: true }>["evaluations"][number];
type Sample = Evaluation["samples"][number];

/** A few held-out questions and what it answers to them, evaluation by evaluation: what a curve cannot show. */
export function TrainingSamples({ training }: { training: TrainingView }) {
  const trpc = useTRPC();
  const { data, error, refetch } = useQuery(trpc.train.samples.queryOptions({ trainingRunId: training.id }));
  /** null follows the newest. */
  const [chosen, choose] = useState<number | null>(null);
  if (error && !data) return <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-56 rounded-panel" />;
  if (!data.readable)
    return (
      <Empty>
        Its questions hold words of documents, and among those are some that you may not read, so they are not shown.
      </Empty>
    );
  const { evaluations } = data;
  const newest = evaluations.length - 1;
  const at = Math.min(chosen ?? newest, newest);
  const shown = evaluations[at];
  if (!shown)
    return (
      <Empty>
        {training.status === "running" || training.status === "queued"
          ? "At each evaluation a few held-out questions are answered; the base model's answers come first."
          : "None: the dataset holds nothing back, or samples were off."}
      </Empty>
    );
  return (
    <Panel
      title="Samples"
      bodyClassName="p-0"
      actions={
        evaluations.length > 1 && (
          <StepSlider
            steps={evaluations.map(({ step }) => step)}
            at={at}
            onChange={(index) => choose(index === newest ? null : index)}
          />
        )
      }
    >
      <ul className="divide-y divide-line">
        {shown.samples.map((sample, index) => (
          <li key={index} className="px-4 py-3.5">
            <Question text={sample.question} />
            <dl className="mt-2 grid grid-cols-[minmax(0,1fr)] gap-x-4 gap-y-1.5 text-13 sm:grid-cols-[6.5rem_minmax(0,1fr)]">
              <Answer label="Expected" text={sample.expected} className="text-muted" />
              {shown.step > 0 && evaluations[0]?.step === 0 && (
                <Answer label="Base model" sample={evaluations[0].samples[index]} className="text-muted" />
              )}
              <Answer label={shown.step === 0 ? "Base model" : `Step ${formatNumber(shown.step)}`} sample={sample} />
            </dl>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Empty({ children }: { children: string }) {
  return (
    <Panel title="Samples">
      <p className="text-13 text-muted">{children}</p>
    </Panel>
  );
}

type StepSliderProps = { steps: readonly number[]; at: number; onChange(index: number): void };

function StepSlider({ steps, at, onChange }: StepSliderProps) {
  const id = useId();
  const word = steps[at] === 0 ? "base model" : `step ${formatNumber(steps[at])}`;
  return (
    <>
      <label htmlFor={id} className="tabular text-xs text-muted">
        {word}
      </label>
      <input
        id={id}
        type="range"
        aria-label="Evaluation"
        aria-valuetext={word}
        min={0}
        max={steps.length - 1}
        value={at}
        onChange={(event) => onChange(Number(event.target.value))}
        className="w-28 accent-accent"
      />
    </>
  );
}

/** An example with passages ends with its question; the rest can be opened. */
function Question({ text }: { text: string }) {
  const last = text.trim().split("\n").at(-1) ?? "";
  const whole = text.trim();
  return (
    <>
      <p className="text-13 font-medium break-words">{last}</p>
      {whole !== last && (
        <details className="mt-1 text-xs text-muted">
          <summary className="cursor-pointer hover:text-ink">with the passages that it was asked about</summary>
          <p className="mt-1.5 max-h-56 overflow-y-auto rounded-control bg-sunken p-2.5 break-words whitespace-pre-wrap">
            {whole}
          </p>
        </details>
      )}
    </>
  );
}

function Answer({
  label,
  text,
  sample,
  className,
}: {
  label: string;
  text?: string;
  sample?: Sample;
  className?: string;
}) {
  const words = (text ?? sample?.answer ?? "").trim();
  return (
    <>
      <dt className="text-xs leading-5 text-faint">{label}</dt>
      <dd className={cn("break-words whitespace-pre-wrap", className)}>
        {words === "" ? <span className="text-faint">says nothing</span> : words}
        {sample && !sample.complete && (
          <span className="text-faint" title="Cut off at its longest">
            {" "}
            …
          </span>
        )}
      </dd>
    </>
  );
}
