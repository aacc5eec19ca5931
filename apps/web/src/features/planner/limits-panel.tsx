"use client";

import { Plus, X } from "lucide-react";
import { useId, type ReactNode } from "react";
import { gpuCatalogue } from "@anneal/sizing/gpus/catalogue";
import { workloadProfiles } from "@anneal/sizing/plan/workload-profile";
import { Button } from "#components/ui/button.tsx";
import { Checkbox, Switch } from "#components/ui/choice.tsx";
import { Field } from "#components/ui/form-field.tsx";
import { Input } from "#components/ui/input.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { Select } from "#components/ui/select.tsx";
import type { PlannerState } from "#features/planner/planner-state.ts";
import { NumberField } from "#features/planner/range-field.tsx";
import { formatCount, formatNumber } from "#lib/format.ts";

type Props = {
  state: PlannerState;
  change(changes: Partial<PlannerState>): void;
  problemOf(...fields: string[]): { error?: string };
};

const either = "either";

/** What a plan must keep to, and where it may come from. */
export function LimitsPanel({ state, change, problemOf }: Props) {
  const profile = workloadProfiles[state.profile];
  const chosen = state.gpus.length === 0 ? `all ${gpuCatalogue.length} of the catalogue` : state.gpus.join(", ");
  return (
    <Panel title="Limits and place" bodyClassName="p-4 space-y-4">
      <div className="grid grid-cols-2 gap-4">
        <NumberField
          label="First token"
          optional
          unit="ms"
          value={state.ttftMs}
          onChange={(ttftMs) => change({ ttftMs })}
          fallback={profile.ttftMs === null ? "no limit" : formatNumber(profile.ttftMs)}
          {...problemOf("slos.ttftMs")}
        />
        <NumberField
          label="Each user"
          optional
          unit="tokens/s"
          value={state.tokensPerSecond}
          onChange={(tokensPerSecond) => change({ tokensPerSecond })}
          fallback={profile.tokensPerSecondPerUser === null ? "no limit" : formatNumber(profile.tokensPerSecondPerUser)}
          {...problemOf("slos.tokensPerSecondPerUser")}
        />
      </div>
      <Toggle
        checked={!state.trial}
        onChange={(production) => change({ trial: !production })}
        title="Production"
        hint="On two nodes at least, so that any one may fail. Off: a trial on as few as it takes."
      />
      <Toggle
        checked={state.onPremises}
        onChange={(onPremises) => change({ onPremises })}
        title="On our own premises"
        hint="Machines are bought, none is rented."
      />
      <Field label="Made by" {...problemOf("sovereignty")}>
        {({ id, ...control }) => (
          <Select
            id={id}
            {...control}
            value={state.vendor ?? either}
            onChange={(next) => change({ vendor: next === "nvidia" || next === "amd" ? next : null })}
            options={[
              { value: either, label: "NVIDIA or AMD" },
              { value: "nvidia", label: "NVIDIA only" },
              { value: "amd", label: "AMD only" },
            ]}
          />
        )}
      </Field>
      <details className="group border-t border-line pt-3" open={state.existing.length > 0 || undefined}>
        <Summary>
          GPUs that are there already
          <span className="font-normal text-muted">
            {state.existing.length === 0
              ? "none"
              : formatCount(
                  state.existing.reduce((sum, { count }) => sum + count, 0),
                  "GPU",
                )}
          </span>
        </Summary>
        <ExistingGpus state={state} change={change} problemOf={problemOf} />
      </details>
      <details className="group border-t border-line pt-3">
        <Summary>
          GPUs to choose from <span className="truncate font-normal text-muted">{chosen}</span>
        </Summary>
        <GpuChoice chosen={state.gpus} onChange={(gpus) => change({ gpus })} />
        {problemOf("gpus").error && <p className="mt-2 text-xs text-failed">{problemOf("gpus").error}</p>}
      </details>
    </Panel>
  );
}

function Summary({ children }: { children: ReactNode }) {
  return (
    <summary className="flex cursor-pointer list-none items-baseline justify-between gap-3 text-13 font-medium hover:text-accent">
      {children}
    </summary>
  );
}

type ToggleProps = { checked: boolean; onChange(checked: boolean): void; title: string; hint: string };

function Toggle({ checked, onChange, title, hint }: ToggleProps) {
  const id = useId();
  return (
    <div className="flex items-start gap-3 text-13">
      <Switch id={id} checked={checked} onCheckedChange={onChange} aria-describedby={`${id}-hint`} className="mt-0.5" />
      <label htmlFor={id}>
        <span className="font-medium">{title}</span>
        <span id={`${id}-hint`} className="block text-xs text-muted">
          {hint}
        </span>
      </label>
    </div>
  );
}

function ExistingGpus({ state: { existing, existingOnly }, change, problemOf }: Props) {
  const set = (index: number, changes: Partial<PlannerState["existing"][number]>) =>
    change({ existing: existing.map((each, at) => (at === index ? { ...each, ...changes } : each)) });
  const { error } = problemOf("existingGpus", "existingOnly");
  return (
    <div className="mt-3 space-y-2">
      {existing.map(({ gpu, count }, index) => (
        <div key={index} className="flex items-center gap-2">
          <Input
            aria-label={`How many of GPU ${index + 1}`}
            type="number"
            min={1}
            max={100_000}
            value={count}
            onChange={(event) => {
              const next = event.target.valueAsNumber;
              if (Number.isInteger(next) && next > 0) set(index, { count: next });
            }}
            className="tabular w-20"
          />
          <Select
            label={`GPU ${index + 1}`}
            value={gpu}
            onChange={(next) => set(index, { gpu: next })}
            options={gpuCatalogue.map(({ id, name }) => ({ value: id, label: name }))}
          />
          <Button
            variant="ghost"
            size="icon-small"
            aria-label={`Remove GPU ${index + 1}`}
            onClick={() =>
              change({
                existing: existing.filter((_, at) => at !== index),
                ...(existing.length === 1 ? { existingOnly: false } : {}),
              })
            }
          >
            <X />
          </Button>
        </div>
      ))}
      <Button size="small" onClick={() => change({ existing: [...existing, { gpu: "H100-80GB", count: 8 }] })}>
        <Plus aria-hidden /> Add
      </Button>
      {error && <p className="text-xs text-failed">{error}</p>}
      {existing.length > 0 && (
        <Toggle
          checked={existingOnly}
          onChange={(next) => change({ existingOnly: next })}
          title="Use these only"
          hint="Nothing is bought or rented."
        />
      )}
    </div>
  );
}

function GpuChoice({ chosen, onChange }: { chosen: readonly string[]; onChange(gpus: readonly string[]): void }) {
  return (
    <fieldset className="mt-3">
      <legend className="sr-only">GPUs to choose from; none chosen means all</legend>
      <div className="grid grid-cols-2 gap-x-4 gap-y-2">
        {gpuCatalogue.map(({ id, memoryGib }) => (
          <label key={id} className="flex items-center gap-2 text-13">
            <Checkbox
              checked={chosen.includes(id)}
              onCheckedChange={(checked) =>
                onChange(checked === true ? [...chosen, id] : chosen.filter((each) => each !== id))
              }
            />
            <span className="min-w-0 truncate" title={`${id}, ${formatNumber(memoryGib)} GiB`}>
              {id}
            </span>
          </label>
        ))}
      </div>
      {chosen.length > 0 && (
        <Button variant="link" size="inline" className="mt-3 text-13" onClick={() => onChange([])}>
          All of them again
        </Button>
      )}
    </fieldset>
  );
}
