"use client";

import { planPrecisions } from "@anneal/sizing/plan/brief-schema";
import type { Workload } from "@anneal/sizing/plan/concurrency";
import { precisionName } from "@anneal/sizing/plan/words";
import { workloadProfiles, type ProfileName, type WorkloadProfile } from "@anneal/sizing/plan/workload-profile";
import { Field } from "#components/ui/form-field.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { Select } from "#components/ui/select.tsx";
import type { LoadKind, PlannerState } from "#features/planner/planner-state.ts";
import { NumberField, RangeField } from "#features/planner/range-field.tsx";
import { formatDuration, formatNumber } from "#lib/format.ts";

type Props = {
  state: PlannerState;
  change(changes: Partial<PlannerState>): void;
  /** As it was understood: what is taken where nothing was typed. */
  workload: Workload | null;
  maxPositions: number | null;
  problemOf(...fields: string[]): { error?: string };
};

const loadNames: Record<LoadKind, { label: string; amount: string; hint: string; steps: readonly number[] }> = {
  peakUsers: {
    label: "Users at once",
    amount: "Users",
    hint: "At work with it in the busiest minute",
    steps: [1, 2, 5, 10, 15, 20, 30, 40, 60, 80, 100, 150, 200, 300, 500, 750, 1000, 2000, 5000],
  },
  headCount: {
    label: "People with access",
    amount: "People",
    hint: "Of whom a part is at work with it at the same time",
    steps: [10, 25, 50, 100, 250, 500, 1000, 2000, 3000, 5000, 7500, 10_000, 20_000, 50_000, 100_000],
  },
  requestsInFlight: {
    label: "Requests in flight",
    amount: "Requests",
    hint: "Answered at the same time, where that is known",
    steps: [1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048],
  },
  documentsPerHour: {
    label: "Documents an hour",
    amount: "Documents an hour",
    hint: "Bulk work, for which nobody waits",
    steps: [10, 100, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 500_000, 1_000_000],
  },
};
const contextSteps = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 262_144, 524_288, 1_048_576];
const free = "free";

export function LoadPanel({ state, change, workload, maxPositions, problemOf }: Props) {
  const load = loadNames[state.load];
  const profile = workloadProfiles[state.profile];
  const longest = maxPositions ?? contextSteps.at(-1)!;
  const steps = [...contextSteps.filter((step) => step < longest), longest];
  return (
    <Panel title="Load" bodyClassName="p-4 space-y-4">
      <Field label="What it is used for" hint={describeProfile(profile)}>
        {({ id, ...control }) => (
          <Select<ProfileName>
            id={id}
            {...control}
            value={state.profile}
            onChange={(next) => change({ profile: next })}
            options={Object.values(workloadProfiles).map(({ name, title }) => ({
              value: name,
              label: capitalised(title),
            }))}
          />
        )}
      </Field>
      <Field label="The load is known as" hint={load.hint}>
        {({ id, ...control }) => (
          <Select<LoadKind>
            id={id}
            {...control}
            value={state.load}
            onChange={(next) => change({ load: next, amount: defaultAmounts[next] })}
            options={(Object.keys(loadNames) as LoadKind[]).map((kind) => ({
              value: kind,
              label: loadNames[kind].label,
            }))}
          />
        )}
      </Field>
      <RangeField
        label={load.amount}
        value={state.amount}
        onChange={(amount) => amount !== null && change({ amount })}
        steps={load.steps}
        standing={state.amount}
        {...problemOf(state.load)}
      />
      <RangeField
        label="Longest request with its answer"
        optional
        unit="tokens"
        value={state.context}
        onChange={(context) => change({ context })}
        steps={steps}
        standing={workload?.contextTokens ?? profile.context}
        fallback={formatNumber(workload?.contextTokens ?? profile.context)}
        {...problemOf("context")}
      />
      <div className="grid grid-cols-2 gap-4">
        <NumberField
          label="Mean prompt"
          optional
          unit="tokens"
          value={state.inputTokens}
          onChange={(inputTokens) => change({ inputTokens })}
          {...(workload ? { fallback: formatNumber(workload.inputTokens) } : {})}
          {...problemOf("inputTokens")}
        />
        <NumberField
          label="Mean answer"
          optional
          unit="tokens"
          value={state.outputTokens}
          onChange={(outputTokens) => change({ outputTokens })}
          fallback={formatNumber(workload?.outputTokens ?? profile.outputTokens)}
          {...problemOf("outputTokens")}
        />
      </div>
      <div className="grid grid-cols-2 gap-4">
        <Field label="Weights" {...problemOf("precisions")}>
          {({ id, ...control }) => (
            <Select
              id={id}
              {...control}
              value={state.precision ?? free}
              onChange={(next) => change({ precision: planPrecisions.find((each) => each === next) ?? null })}
              options={[
                { value: free, label: "Any good one", hint: "Of 8 and 16 bits, or the checkpoint's own" },
                ...planPrecisions.map((value) => ({ value, label: capitalised(precisionName(value)) })),
              ]}
            />
          )}
        </Field>
        <Field label="KV cache" {...problemOf("kvCacheDtype")}>
          {({ id, ...control }) => (
            <Select
              id={id}
              {...control}
              value={state.kvCacheDtype ?? free}
              onChange={(next) => change({ kvCacheDtype: next === "auto" || next === "fp8" ? next : null })}
              options={[
                { value: free, label: "If it pays", hint: "FP8 where it saves GPUs" },
                { value: "auto", label: "As the model", hint: "16 bits" },
                { value: "fp8", label: "FP8", hint: "Half the memory for a token" },
              ]}
            />
          )}
        </Field>
      </div>
    </Panel>
  );
}

const defaultAmounts: Record<LoadKind, number> = {
  peakUsers: 40,
  headCount: 5000,
  requestsInFlight: 32,
  documentsPerHour: 10_000,
};

function describeProfile({ ttftMs, firstSoundMs, tokensPerSecondPerUser, online }: WorkloadProfile): string {
  if (!online) return "Nobody waits for a single answer: what counts is how much is done in an hour.";
  const first =
    ttftMs === null
      ? `first sound within ${formatDuration(firstSoundMs)}`
      : `first token within ${formatDuration(ttftMs)}`;
  return `${capitalised(first)}, then ${formatNumber(tokensPerSecondPerUser)} tokens/s for each user.`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
