"use client";

import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import { Switch } from "#components/ui/choice.tsx";
import { Dialog, DialogClose, SheetContent } from "#components/ui/dialog.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import { Field } from "#components/ui/form-field.tsx";
import { Input } from "#components/ui/input.tsx";
import { Select } from "#components/ui/select.tsx";
import type { PoolsView } from "#features/pools/pools-page.tsx";
import { fieldsOf, readTeam, type BudgetFields, type Problems, type TeamFields } from "#features/pools/team-form.ts";
import { formatCount, formatNumber } from "#lib/format.ts";
import { useTRPC } from "#lib/trpc.ts";
import { wireErrorOf } from "#lib/wire-error.ts";

type Team = PoolsView["teams"][number];
type Props = { team: Team | null; teams: PoolsView["teams"]; gpus: number; onClose(): void };

/** Quota, share and budgets of a team; null for a new one. */
export function EditTeam({ team, teams, gpus, onClose }: Props) {
  const trpc = useTRPC();
  const [fields, setFields] = useState(() => fieldsOf(team, new Date()));
  const [problems, setProblems] = useState<Problems>({});
  const save = useMutation(
    trpc.pools.saveTeam.mutationOptions({
      meta: { inlineError: true },
      onSuccess: (_, { name }) => {
        toast.success(`Saved. What is decided from now on counts by the new numbers of ${name}.`);
        onClose();
      },
    }),
  );
  const set = (changes: Partial<TeamFields>) => setFields({ ...fields, ...changes });
  const given = teams
    .filter(({ name }) => name !== fields.name)
    .reduce((sum, { nominalGpuMilli }) => sum + (nominalGpuMilli ?? 0) / 1000, 0);
  const problemOf = (field: string) => (problems[field] === undefined ? {} : { error: problems[field] });
  const isDefault = fields.name === "default";

  function submit(event: FormEvent) {
    event.preventDefault();
    const read = readTeam(fields, new Date());
    setProblems(read.problems ?? {});
    if (read.team) save.mutate(read.team);
  }
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <SheetContent
        title={team ? `Quota of ${team.name}` : "New team"}
        description="What runs goes on, also above a lowered quota; nothing more starts until it is below it again."
        footer={
          <>
            <DialogClose asChild>
              <Button>Cancel</Button>
            </DialogClose>
            <Button type="submit" form="edit-team" variant="primary" busy={save.isPending}>
              Save
            </Button>
          </>
        }
      >
        <form id="edit-team" className="space-y-6" onSubmit={submit} noValidate>
          {save.error && <ErrorNotice error={wireErrorOf(save.error)} />}
          {!team && (
            <Field label="Name" hint="As people call it: “research”, “support”." {...problemOf("name")}>
              {(control) => (
                <Input
                  {...control}
                  value={fields.name}
                  onChange={(event) => set({ name: event.target.value })}
                  autoComplete="off"
                  autoFocus
                />
              )}
            </Field>
          )}
          <div className="grid grid-cols-1 gap-x-4 gap-y-5 sm:grid-cols-2">
            <Field
              label="Its own GPUs"
              optional
              hint={`Always there for it. The pools have ${formatCount(gpus, "GPU")}, other teams hold ${formatNumber(given)}. Empty: no limit.`}
              {...problemOf("nominal")}
            >
              {(control) => (
                <NumberInput {...control} value={fields.nominal} onChange={(nominal) => set({ nominal })} />
              )}
            </Field>
            <Field
              label="May borrow"
              optional
              hint="GPUs above its own while others leave them idle; they get them back when they ask. Empty: all idle ones."
              {...problemOf("borrowing")}
            >
              {(control) => (
                <NumberInput
                  {...control}
                  value={fields.borrowing}
                  onChange={(borrowing) => set({ borrowing })}
                  disabled={fields.nominal.trim() === ""}
                />
              )}
            </Field>
            <Field
              label="Weight in the queue"
              hint="Of two teams that wait, one with weight 2 is due twice the share of one with 1."
              {...problemOf("weight")}
            >
              {(control) => <NumberInput {...control} value={fields.weight} onChange={(weight) => set({ weight })} />}
            </Field>
          </div>
          {!isDefault && (
            <label className="flex items-start gap-3 text-13">
              <Switch checked={fields.own} onCheckedChange={(own) => set({ own })} className="mt-0.5" />
              <span>
                This workspace's work counts against it
                <span className="block text-xs text-muted">
                  A workspace without a team of its own counts against “default”.
                </span>
              </span>
            </label>
          )}
          <BudgetInputs
            unit="gpu-hours"
            title="Budget of GPU-hours"
            hint="Work says at admission how long it will take; what is left decides whether it may start."
            fields={fields.gpuHours}
            onChange={(gpuHours) => set({ gpuHours })}
            problemOf={problemOf}
          />
          <BudgetInputs
            unit="tokens"
            title="Budget of tokens"
            hint="Of what generates text: the teacher of a dataset, batch work."
            fields={fields.tokens}
            onChange={(tokens) => set({ tokens })}
            problemOf={problemOf}
          />
        </form>
      </SheetContent>
    </Dialog>
  );
}

type NumberInputProps = { id: string; value: string; onChange(value: string): void; disabled?: boolean };

function NumberInput({ value, onChange, ...rest }: NumberInputProps) {
  return (
    <Input
      {...rest}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      inputMode="decimal"
      autoComplete="off"
      className="tabular"
    />
  );
}

const periods = [
  { value: "1", label: "Every day" },
  { value: "7", label: "Every week" },
  { value: "30", label: "Every 30 days" },
  { value: "365", label: "Every year" },
];

type BudgetInputsProps = {
  unit: string;
  title: string;
  hint: string;
  fields: BudgetFields;
  onChange(fields: BudgetFields): void;
  problemOf(field: string): { error?: string };
};

function BudgetInputs({ unit, title, hint, fields, onChange, problemOf }: BudgetInputsProps) {
  const hasLimit = fields.limit.trim() !== "";
  const known = periods.some(({ value }) => value === fields.periodDays);
  return (
    <fieldset className="space-y-3 border-t border-line pt-4">
      <legend className="float-left mb-1 text-13 font-semibold">{title}</legend>
      <p className="clear-left text-xs text-muted">{hint}</p>
      <div className="grid grid-cols-1 gap-x-4 gap-y-4 sm:grid-cols-3">
        <Field label="At most" optional hint="Empty: no budget." {...problemOf(`${unit}.limit`)}>
          {(control) => (
            <NumberInput {...control} value={fields.limit} onChange={(limit) => onChange({ ...fields, limit })} />
          )}
        </Field>
        <Field label="Renews" {...problemOf(`${unit}.renews`)}>
          {(control) => (
            <Input
              {...control}
              type="date"
              value={fields.renews}
              onChange={(event) => onChange({ ...fields, renews: event.target.value })}
              disabled={!hasLimit}
            />
          )}
        </Field>
        <Field label="And then">
          {({ id, ...control }) => (
            <Select
              id={id}
              {...control}
              value={fields.periodDays}
              onChange={(periodDays) => onChange({ ...fields, periodDays })}
              options={
                known
                  ? periods
                  : [
                      ...periods,
                      { value: fields.periodDays, label: `Every ${formatNumber(Number(fields.periodDays), 1)} days` },
                    ]
              }
              disabled={!hasLimit}
            />
          )}
        </Field>
      </div>
    </fieldset>
  );
}
