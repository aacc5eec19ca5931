"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { Flame } from "lucide-react";
import { useRouter } from "next/navigation";
import { useState, type FormEvent } from "react";
import { nameSchema, trainingSettingsSchema, type TrainingSettings } from "@anneal/core/loop/settings";
import { Button } from "#components/ui/button.tsx";
import { Dialog, DialogClose, SheetContent } from "#components/ui/dialog.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import { Field } from "#components/ui/form-field.tsx";
import { Input } from "#components/ui/input.tsx";
import { Select } from "#components/ui/select.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { sentenceOf, wordInputForPeople } from "#lib/input-words.ts";
import type { TrainingView } from "#features/train/training-page.tsx";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

wordInputForPeople();

/** What engines can serve; DoRA and full fine-tunings they cannot. */
const methods = [
  { value: "lora", label: "LoRA" },
  { value: "rslora", label: "rsLoRA", hint: "keeps its scale at high ranks" },
  { value: "qlora", label: "QLoRA", hint: "4-bit base; needs an NVIDIA GPU" },
] as const;

type NumberName = Exclude<keyof TrainingSettings, "method">;
const fields: { name: NumberName; label: string; hint: string; optional?: boolean }[] = [
  { name: "rank", label: "Rank", hint: "Size of the adapter" },
  { name: "alpha", label: "Alpha", hint: "Its strength; often twice the rank" },
  { name: "learningRate", label: "Learning rate", hint: "At its peak" },
  { name: "dropout", label: "Dropout", hint: "From 0 to below 1" },
  { name: "epochs", label: "Epochs", hint: "Passes over the dataset" },
  { name: "maxSteps", label: "Steps at most", hint: "Empty: all of its epochs", optional: true },
  { name: "batchTokens", label: "Batch tokens", hint: "Of one pass; decides the memory" },
  { name: "maxLength", label: "Longest example", hint: "In tokens; the rest is cut off" },
  { name: "earlyStoppingPatience", label: "Patience", hint: "Evaluations; empty: never early", optional: true },
  { name: "seed", label: "Seed", hint: "The same one gives the same adapter" },
];
const candidateAlias = "canary";

type Props = { training: TrainingView; onClose(): void };

/** A training's settings to change, and to train again with on the same dataset. */
export function TrainAgain({ training, onClose }: Props) {
  const trpc = useTRPC();
  const router = useRouter();
  const { href } = useWorkspace();
  const { data, error } = useQuery(trpc.train.settings.queryOptions({ trainingRunId: training.id }));
  const again = useMutation(
    trpc.train.again.mutationOptions({
      meta: { inlineError: true },
      onSuccess: ({ runId }) => router.push(href(`/runs/${runId}?stage=train`)),
    }),
  );
  const failure = again.error ?? error;
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <SheetContent
        title="Train again with changes"
        description={`On the same dataset, ${training.dataset.name} v${training.dataset.version}. What it makes is a new version; nothing is lost.`}
        footer={
          <>
            <DialogClose asChild>
              <Button>Cancel</Button>
            </DialogClose>
            <Button type="submit" form="train-again" variant="primary" busy={again.isPending} disabled={!data}>
              {!again.isPending && <Flame aria-hidden />} Train
            </Button>
          </>
        }
      >
        {failure && <ErrorNotice error={wireErrorOf(failure)} className="mb-4" />}
        {data ? (
          <SettingsForm
            before={data}
            onSubmit={(wanted) => again.mutate({ trainingRunId: training.id, ...wanted })}
            onRefuse={again.reset}
          />
        ) : (
          !error && <SkeletonRows rows={10} />
        )}
      </SheetContent>
    </Dialog>
  );
}

type SettingsFormProps = {
  before: Answers["train"]["settings"];
  onSubmit(wanted: { training: TrainingSettings; alias: string }): void;
  /** The form itself says what is wrong now; what was said before is not about it. */
  onRefuse(): void;
};

function SettingsForm({ before: { training, settings }, onSubmit, onRefuse }: SettingsFormProps) {
  const [method, setMethod] = useState<string>(training.method);
  const [texts, setTexts] = useState(
    () => Object.fromEntries(fields.map(({ name }) => [name, textOf(training[name])])) as Record<NumberName, string>,
  );
  const [alias, setAlias] = useState(candidateAlias);
  const wanted = trainingSettingsSchema.safeParse({
    method,
    ...Object.fromEntries(fields.map(({ name }) => [name, texts[name] === "" ? null : Number(texts[name])])),
  });
  const parsedAlias = nameSchema.safeParse(alias);
  const problemOf = (name: string) => {
    const issue = wanted.error?.issues.find(({ path }) => path[0] === name);
    return issue && sentenceOf(issue, "");
  };

  function submit(event: FormEvent) {
    event.preventDefault();
    if (wanted.success && parsedAlias.success) onSubmit({ training: wanted.data, alias });
    else onRefuse();
  }
  const served = `${settings.adapterName}@${alias || "…"}`;
  const aliasProblem = parsedAlias.success ? undefined : parsedAlias.error.issues[0]?.message;
  return (
    <form id="train-again" className="space-y-5" onSubmit={submit} noValidate>
      <Field label="Method" hint={changeOf(method, training.method)}>
        {({ id, ...control }) => (
          <Select
            id={id}
            {...control}
            value={method}
            onChange={setMethod}
            options={
              methods.some(({ value }) => value === method) ? methods : [{ value: method, label: method }, ...methods]
            }
          />
        )}
      </Field>
      <div className="grid grid-cols-1 gap-x-4 gap-y-5 sm:grid-cols-2">
        {fields.map(({ name, label, hint, optional }) => {
          const problem = problemOf(name);
          return (
            <Field
              key={name}
              label={label}
              hint={changeOf(texts[name], textOf(training[name])) ?? hint}
              {...(optional ? { optional } : {})}
              {...(problem === undefined ? {} : { error: problem })}
            >
              {(control) => (
                <Input
                  {...control}
                  value={texts[name]}
                  onChange={(event) => setTexts({ ...texts, [name]: event.target.value.trim() })}
                  inputMode="decimal"
                  autoComplete="off"
                  className="tabular"
                />
              )}
            </Field>
          );
        })}
      </div>
      <Field
        label="Serve it as"
        hint={
          alias === settings.alias
            ? `${served} moves to the new version as soon as it has answered.`
            : `${served} answers with it; ${settings.adapterName}@${settings.alias} is not touched.`
        }
        {...(aliasProblem === undefined ? {} : { error: aliasProblem })}
      >
        {(control) => (
          <Input
            {...control}
            value={alias}
            onChange={(event) => setAlias(event.target.value.trim())}
            className="font-mono"
            autoComplete="off"
            spellCheck={false}
          />
        )}
      </Field>
    </form>
  );
}

function textOf(value: number | null): string {
  return value === null ? "" : String(value);
}

function changeOf(now: string, before: string): string | undefined {
  return now === before ? undefined : `Was ${before === "" ? "empty" : before}`;
}
