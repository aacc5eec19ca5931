"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import { Checkbox } from "#components/ui/choice.tsx";
import { Dialog, DialogClose, SheetContent } from "#components/ui/dialog.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import { Field } from "#components/ui/form-field.tsx";
import { Input, Textarea } from "#components/ui/input.tsx";
import { Select } from "#components/ui/select.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import type { Assistant } from "#features/assistants/assistants-page.tsx";
import { formatCount } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { wireErrorOf } from "#lib/wire-error.ts";

type EditProps = { assistant: Assistant | null; onClose(): void };
type Options = Answers["assistants"]["options"];
type SourceChoice = Pick<Answers["connect"]["list"][number], "id" | "name">;

/** What the worker gives an assistant that it makes. */
const defaults: Assistant["settings"] = { passages: 4, contextTokens: 2048, answerTokens: 160, temperature: 0 };
const noCollection = "none";

export function EditAssistant({ assistant, onClose }: EditProps) {
  const trpc = useTRPC();
  const options = useQuery(trpc.assistants.options.queryOptions());
  const sources = useQuery(trpc.connect.list.queryOptions());
  const save = useMutation(
    trpc.assistants.save.mutationOptions({
      meta: { inlineError: true },
      onSuccess: (_, { name }) => {
        toast.success(assistant ? `${name} was changed.` : `${name} was made.`);
        onClose();
      },
    }),
  );
  const error = save.error ?? options.error;
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <SheetContent
        title={assistant ? `Change ${assistant.name}` : "New assistant"}
        footer={
          <>
            <DialogClose asChild>
              <Button>Cancel</Button>
            </DialogClose>
            <Button
              type="submit"
              form="edit-assistant"
              variant="primary"
              busy={save.isPending}
              disabled={!options.data}
            >
              {assistant ? "Save" : "Make assistant"}
            </Button>
          </>
        }
      >
        {error && <ErrorNotice error={wireErrorOf(error)} className="mb-4" />}
        {options.data ? (
          <AssistantForm
            assistant={assistant}
            options={options.data}
            sources={sources.data ?? []}
            onSubmit={(input) => save.mutate(input)}
          />
        ) : (
          !error && <SkeletonRows />
        )}
      </SheetContent>
    </Dialog>
  );
}

type FormProps = {
  assistant: Assistant | null;
  options: Options;
  sources: readonly SourceChoice[];
  onSubmit(input: {
    id?: string;
    name: string;
    model: string;
    collectionId: string | null;
    instructions: string;
    settings: Assistant["settings"];
  }): void;
};

function AssistantForm({ assistant, options, sources, onSubmit }: FormProps) {
  const settings = assistant?.settings ?? defaults;
  const [model, setModel] = useState(assistant?.model ?? options.aliases[0]?.name ?? "base");
  const [collectionId, setCollectionId] = useState(
    assistant ? (assistant.collection?.id ?? noCollection) : (options.collections[0]?.id ?? noCollection),
  );
  /** null reads every source, those that are added later too. */
  const [sourceIds, setSourceIds] = useState(settings.sourceIds ?? null);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const number = (name: string) => Number(form.get(name));
    onSubmit({
      ...(assistant ? { id: assistant.id } : {}),
      name: String(form.get("name")),
      model,
      collectionId: collectionId === noCollection ? null : collectionId,
      instructions: String(form.get("instructions")),
      settings: {
        ...(sourceIds ? { sourceIds } : {}),
        passages: number("passages"),
        contextTokens: settings.contextTokens,
        answerTokens: number("answerTokens"),
        temperature: number("temperature"),
      },
    });
  }
  const known = model === "base" || options.aliases.some((alias) => alias.name === model);
  return (
    <form id="edit-assistant" className="space-y-5" onSubmit={submit}>
      <Field label="Name" hint="What people see, and the model that API clients ask for.">
        {(control) => (
          <Input
            {...control}
            name="name"
            defaultValue={assistant?.name}
            required
            maxLength={60}
            autoFocus={!assistant}
            autoComplete="off"
          />
        )}
      </Field>
      <Field
        label="Model"
        hint="An adapter is followed by its alias: what the alias points to later, this assistant uses."
      >
        {({ id, ...control }) => (
          <Select
            id={id}
            {...control}
            value={model}
            onChange={setModel}
            options={[
              { value: "base", label: "Base model", hint: options.baseModels.join(", ") || "none is served now" },
              ...options.aliases.map(({ name, servingName }) => ({ value: name, label: name, hint: servingName })),
              ...(known ? [] : [{ value: model, label: model, hint: "not deployed now", disabled: true }]),
            ]}
          />
        )}
      </Field>
      <Field label="Reads" hint="Whoever asks gets only what they may read themselves, whatever is chosen here.">
        {({ id, ...control }) => (
          <Select
            id={id}
            {...control}
            value={collectionId}
            onChange={setCollectionId}
            options={[
              ...options.collections.map((each) => ({
                value: each.id,
                label: each.name,
                hint: `${formatCount(each.documents, "document")}, ${formatCount(each.chunks, "passage")}`,
              })),
              { value: noCollection, label: "Nothing", hint: "It then refuses every question" },
            ]}
          />
        )}
      </Field>
      {sources.length > 0 && <SourceChoices sources={sources} chosen={sourceIds} onChange={setSourceIds} />}
      <Field
        label="Instructions"
        optional
        hint="How it should speak. They cannot make it say what the documents do not."
      >
        {(control) => (
          <Textarea
            {...control}
            name="instructions"
            defaultValue={assistant?.instructions}
            maxLength={8_000}
            rows={4}
          />
        )}
      </Field>
      <div className="grid gap-4 sm:grid-cols-3">
        <Field label="Passages" hint="1 to 20">
          {(control) => (
            <Input
              {...control}
              name="passages"
              type="number"
              min={1}
              max={20}
              defaultValue={settings.passages}
              required
            />
          )}
        </Field>
        <Field label="Answer tokens" hint="16 to 8,192">
          {(control) => (
            <Input
              {...control}
              name="answerTokens"
              type="number"
              min={16}
              max={8192}
              defaultValue={settings.answerTokens}
              required
            />
          )}
        </Field>
        <Field label="Temperature" hint="0 to 2; 0 repeats itself">
          {(control) => (
            <Input
              {...control}
              name="temperature"
              type="number"
              min={0}
              max={2}
              step={0.1}
              defaultValue={settings.temperature}
              required
            />
          )}
        </Field>
      </div>
    </form>
  );
}

type SourceChoicesProps = {
  sources: readonly SourceChoice[];
  chosen: string[] | null;
  onChange(chosen: string[] | null): void;
};

function SourceChoices({ sources, chosen, onChange }: SourceChoicesProps) {
  const toggle = (sourceId: string, on: boolean) => {
    const next = on ? [...(chosen ?? []), sourceId] : (chosen ?? []).filter((each) => each !== sourceId);
    onChange(next.length === 0 ? null : next);
  };
  return (
    <fieldset className="space-y-1.5">
      <legend className="mb-1.5 text-13 font-medium">Of these sources</legend>
      <label className="flex items-center gap-2 text-13">
        <Checkbox checked={chosen === null} onCheckedChange={() => onChange(null)} /> All, also those that are added
        later
      </label>
      {sources.map(({ id, name }) => (
        <label key={id} className="flex items-center gap-2 text-13">
          <Checkbox checked={chosen?.includes(id) ?? false} onCheckedChange={(on) => toggle(id, on === true)} /> {name}
        </label>
      ))}
    </fieldset>
  );
}
