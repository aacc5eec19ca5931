"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useLayoutEffect, useMemo, useRef, useState, type FormEvent } from "react";
import { createPortal } from "react-dom";
import { findOutgrownWords } from "@anneal/core/connect/administrators-word";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import { Field } from "#components/ui/form-field.tsx";
import { Input } from "#components/ui/input.tsx";
import { Select } from "#components/ui/select.tsx";
import { askedFields, askedValues, suggestedValues, textOfValues } from "#features/connect/asked-fields.ts";
import { CheckLine } from "#features/connect/form-footer.tsx";
import { SchemaFields, type FieldValues } from "#features/connect/schema-fields.tsx";
import { SignIn } from "#features/connect/sign-in.tsx";
import { TestSource } from "#features/connect/test-source.tsx";
import { addressOf, hasCredentials } from "#features/connect/unasked-checks.ts";
import { useSourceCheck } from "#features/connect/use-source-check.ts";
import { ScheduleField } from "#features/loop/schedule-field.tsx";
import { useSettled } from "#lib/use-settled.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import type { WireError } from "#lib/wire-error.ts";

export type SourceInput = {
  name: string;
  kind: string;
  config: FieldValues;
  secrets?: Record<string, string>;
  signInId?: string;
  audience: "members" | "nobody";
  schedule: string | null;
};

type SourceFormProps = {
  formId: string;
  kind: Answers["connect"]["kinds"][number];
  /** What is stored now; left out for a new source. */
  initial?: Omit<SourceInput, "secrets" | "signInId"> & { id: string; hasSecrets: boolean };
  /** Why saving was refused: told beside the button that was pressed, which the top of a long form is far from. */
  error: WireError | null;
  /** Of the `FormFooter` that the form's buttons are in; null until it is there. */
  footerSlot: HTMLElement | null;
  /** Whether something stands there that would be lost; told whenever that changes. */
  onChangedness(isChanged: boolean): void;
  onSubmit(input: SourceInput): void;
};

export function SourceForm({ formId, kind, initial, error, footerSlot, onChangedness, onSubmit }: SourceFormProps) {
  const { role } = useWorkspace();
  const form = useRef<HTMLFormElement>(null);
  const details = useRef<HTMLDivElement>(null);
  const readers = useRef<HTMLButtonElement>(null);
  const [name, setName] = useState(initial?.name ?? "");
  const [entered, setEntered] = useState<FieldValues>(
    initial?.config ?? suggestedValues(kind.config, role === "admin"),
  );
  const settings = useMemo(() => askedFields(kind.config, entered, kind.config), [kind, entered]);
  const config = useMemo(() => askedValues(entered, kind.config, settings), [kind, entered, settings]);
  const [secrets, setSecrets] = useState<FieldValues>({});
  const [signInId, setSignInId] = useState<string | null>(null);
  const [audience, setAudience] = useState(initial?.audience);
  const [schedule, setSchedule] = useState(initial?.schedule ?? null);
  const credentials = askedFields(kind.secrets, config, kind.config);
  const asksSecrets = Object.keys(credentials.properties ?? {}).length > 0;
  const signsIn = wantsSignIn(kind, config);
  const keepsSignIn = initial?.hasSecrets === true && wantsSignIn(kind, initial.config);
  const lacksSignIn = signsIn && signInId === null && !keepsSignIn;
  const [sentOff, setSentOff] = useState(false);
  const administrator = role === "admin";
  const asTyped = useConfigProblems(kind.kind, config);
  const outgrown =
    administrator || !initial ? [] : findOutgrownWords(kind.config.properties ?? {}, config, initial.config);
  const problems = [
    ...asTyped.problems,
    ...outgrown.map(({ field, message, action }) => ({ field, message: `${message} ${action}` })),
  ];
  const isValid = asTyped.isValid && outgrown.length === 0;
  const typed = Object.entries(askedValues(secrets, kind.secrets, credentials)).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== "",
  );
  const keepsSecrets = initial?.hasSecrets === true && typed.length === 0;
  const isComplete = isValid && (signsIn ? !lacksSignIn : keepsSecrets || hasCredentials(credentials, secrets));
  const draft = { ...access(), ...(initial ? { sourceId: initial.id } : {}) };
  const check = useSourceCheck(draft, addressOf(kind.addressFields, config), isComplete);

  const stands = JSON.stringify([
    name,
    textOfValues(entered, kind.config),
    textOfValues(secrets, kind.secrets),
    signInId,
    audience,
    schedule,
  ]);
  const [opened] = useState(stands);
  useLayoutEffect(() => onChangedness(stands !== opened), [onChangedness, stands, opened]);

  // Saving and trying are refused for the same reason where it is a matter of rights; it is read once.
  const isTold = error !== null && check.error?.message === error.message;

  function access() {
    if (signsIn) return { kind: kind.kind, config, ...(signInId === null ? {} : { signInId }) };
    return { kind: kind.kind, config, ...(typed.length > 0 ? { secrets: Object.fromEntries(typed) } : {}) };
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    setSentOff(true);
    if (lacksSignIn) return;
    if (audience === undefined) readers.current?.focus();
    else onSubmit({ name, audience, schedule, ...access() });
  }

  function test() {
    setSentOff(true);
    if (form.current?.reportValidity() && !lacksSignIn) check.run();
  }

  return (
    <form id={formId} ref={form} className="space-y-5" onSubmit={submit}>
      <Field label="Name" hint="How people here call it.">
        {(control) => (
          <Input
            {...control}
            value={name}
            onChange={(event) => setName(event.target.value)}
            required
            maxLength={100}
            autoFocus
          />
        )}
      </Field>
      <SchemaFields
        schema={settings}
        values={entered}
        onChange={setEntered}
        administrator={administrator}
        problems={problems}
      />
      {problems.length === 1 && problems[0]?.field === "" && (
        <p className="text-xs text-failed">{problems[0].message}</p>
      )}
      {signsIn && (
        <SignIn
          kind={kind.kind}
          vendor={kind.signIn?.with ?? kind.title}
          config={config}
          sourceId={initial?.id}
          kept={keepsSignIn}
          signedIn={signInId !== null}
          missing={lacksSignIn && sentOff}
          onSignedIn={setSignInId}
          form={form}
        />
      )}
      {asksSecrets && !signsIn && (
        <fieldset className="space-y-5 border-t border-line pt-5">
          <legend className="sr-only">Credentials</legend>
          <p className="text-13 text-muted">
            Credentials are encrypted before they are stored and are never shown again.
            {initial?.hasSecrets && " Leave them empty to keep those that are stored."}
          </p>
          <SchemaFields
            schema={credentials}
            values={secrets}
            onChange={(changed) => {
              setSecrets(changed);
              check.onSecretsTyped();
            }}
            secret
            administrator={administrator}
          />
        </fieldset>
      )}
      <div ref={details} tabIndex={-1} role="group" aria-label="Test" className="scroll-my-4">
        <TestSource check={isTold ? { ...check, error: null } : check} onTest={test} />
      </div>
      {footerSlot &&
        createPortal(
          <>
            {error && <ErrorNotice error={error} className="max-h-48 overflow-y-auto" />}
            {!isTold && <CheckLine check={check} details={details} />}
          </>,
          footerSlot,
        )}
      <div className="space-y-5 border-t border-line pt-5">
        <Field
          label="Default audience"
          hint="Who reads documents without permissions of their own. Where the source says who may read a document, that counts instead."
          error={audience === undefined && sentOff ? "Choose who may find these documents." : undefined}
        >
          {({ id, ...control }) => (
            <Select
              id={id}
              ref={readers}
              {...control}
              placeholder="Choose…"
              value={audience}
              onChange={setAudience}
              options={[
                { value: "members", label: "Everyone in this workspace" },
                { value: "nobody", label: "Nobody" },
              ]}
            />
          )}
        </Field>
        <ScheduleField label="Read by itself" value={schedule} onChange={setSchedule} />
      </div>
    </form>
  );
}

/** Whether these settings have a person sign in, instead of credentials being entered. */
function wantsSignIn({ config: schema, signIn }: SourceFormProps["kind"], config: FieldValues): boolean {
  return signIn !== null && (config[signIn.field] ?? schema.properties?.[signIn.field]?.default) === signIn.value;
}

const settledMs = 300;

/**
 * As one types: what the connector's own schema says of what was entered. Nothing is asked of the source.
 * `isValid`: it has said that of what stands there now, and found nothing.
 */
function useConfigProblems(kind: string, config: FieldValues) {
  const trpc = useTRPC();
  const settled = useSettled(config, settledMs);
  const { data, isPlaceholderData } = useQuery(
    trpc.connect.validate.queryOptions({ kind, config: settled }, { placeholderData: keepPreviousData }),
  );
  return {
    problems: data ?? [],
    isValid: settled === config && !isPlaceholderData && data?.length === 0,
  };
}
