"use client";

import { useMemo } from "react";
import { Badge } from "#components/ui/badge.tsx";
import { Field } from "#components/ui/form-field.tsx";
import { Textarea } from "#components/ui/input.tsx";
import { KeyValues } from "#components/ui/key-values.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { Select } from "#components/ui/select.tsx";
import { describeModel } from "#features/planner/describe-model.ts";
import { openModels } from "#features/planner/open-models.ts";
import { pastedModel } from "#features/planner/planner-state.ts";

type Props = {
  model: string;
  onModel(model: string): void;
  config: Record<string, unknown> | null;
  text: string;
  onText(text: string): void;
  /** What is wrong with the pasted text, or with what it describes. */
  problem: string | null;
};

export function ModelPanel({ model, onModel, config, text, onText, problem }: Props) {
  const known = openModels.find(({ id }) => id === model);
  const facts = useMemo(() => (config === null ? null : describeModel(config)), [config]);
  const isPasted = model === pastedModel;
  return (
    <Panel title="Model" bodyClassName="p-4 space-y-4">
      <Select
        label="Model"
        value={model}
        onChange={onModel}
        options={[
          ...openModels.map(({ id, name, licence }) => ({ value: id, label: name, hint: licence })),
          {
            value: pastedModel,
            label: "Another: paste its config.json",
            hint: "Any model on Hugging Face, or your own",
          },
        ]}
      />
      {isPasted && (
        <Field
          label="config.json"
          hint="As it stands beside the weights on Hugging Face. It stays in this browser, and in the links that you share."
          {...(problem !== null && text !== "" ? { error: problem } : {})}
        >
          {(control) => (
            <Textarea
              {...control}
              value={text}
              onChange={(event) => onText(event.target.value)}
              placeholder={'{\n  "model_type": "llama",\n  "hidden_size": 4096,\n  …\n}'}
              spellCheck={false}
              autoComplete="off"
              rows={8}
              className="font-mono text-xs break-all"
            />
          )}
        </Field>
      )}
      {facts && (
        <KeyValues
          className="tabular"
          items={[
            { label: "Parameters", value: facts.parameters },
            { label: "Cache a token", value: facts.cachePerToken },
            { label: "Context", value: facts.context },
            { label: "Weights", value: <Badge>{facts.weights}</Badge> },
            ...(known ? [{ label: "Licence", value: known.licence }] : []),
          ]}
        />
      )}
      {facts?.notes.map((note) => (
        <p key={note} className="text-xs text-muted">
          {note}
        </p>
      ))}
    </Panel>
  );
}
