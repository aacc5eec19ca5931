"use client";

import { runPurposes, type RunPurpose } from "@anneal/core/loop/settings";
import { useMutation } from "@tanstack/react-query";
import { Play } from "lucide-react";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { Button } from "#components/ui/button.tsx";
import { ConfirmDialog } from "#components/ui/confirm-dialog.tsx";
import { KeyValues } from "#components/ui/key-values.tsx";
import type { RunView } from "#features/loop/loop-picture.tsx";
import { planNextRuns } from "#features/loop/next-run.ts";
import { PurposeField } from "#features/loop/purpose-field.tsx";
import { factsOfScope, servedAs } from "#features/loop/run-scope.tsx";
import { useTRPC } from "#lib/trpc.ts";
import { useUrlParam } from "#lib/url-state.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Scope = Pick<RunView, "settings" | "sources">;

type StartRunProps = {
  /** What is repeated: the last run's, or what a first run does. */
  scope: Scope;
  /** The last run that trained: its names are what "everything" makes anew. Left out: those of `scope`. */
  trained?: Scope;
  /** What it may be for now: others are in progress. The first is chosen where the last run's is none of them. */
  purposes?: readonly RunPurpose[];
  primary?: boolean;
  label?: string;
};

/** Says what a run will read, train and serve before it starts. */
export function StartRun({
  scope,
  trained = scope,
  purposes = runPurposes,
  primary = true,
  label = "Run again",
}: StartRunProps) {
  const trpc = useTRPC();
  const router = useRouter();
  const { href } = useWorkspace();
  // In the URL, so that the command palette opens it too.
  const [asked, setAsked] = useUrlParam("run", "");
  const proposed = purposes.includes(scope.settings.purpose) ? scope.settings.purpose : purposes[0]!;
  const [wanted, setPurpose] = useState<RunPurpose>(proposed);
  // While the dialog is open another run may begin or end.
  const purpose = purposes.includes(wanted) ? wanted : proposed;
  const [chosenKey, setChosenKey] = useState<string>();
  const start = useMutation(
    trpc.loop.start.mutationOptions({
      onSuccess: ({ runId }) => router.push(href(`/runs/${runId}`)),
      meta: { inlineError: true },
    }),
  );
  const choices = planNextRuns(purpose === "everything" ? trained : scope, purpose);
  const chosen = choices.find(({ key }) => key === chosenKey) ?? choices[0]!;
  const served = servedAs(chosen.settings);
  function change(open: boolean) {
    start.reset();
    setPurpose(proposed);
    setChosenKey(undefined);
    setAsked(open ? "1" : "");
  }
  return (
    <>
      <Button variant={primary ? "primary" : "secondary"} onClick={() => change(true)}>
        <Play aria-hidden /> {label}
      </Button>
      <ConfirmDialog
        open={asked !== ""}
        onOpenChange={change}
        title={`${label === "Run again" ? "Run the loop again" : label}?`}
        action={chosen.key === "again" || choices.length === 1 ? label : "Run over all sources"}
        busy={start.isPending}
        error={start.error && wireErrorOf(start.error)}
        onConfirm={() => start.mutate(chosen.settings)}
      >
        <PurposeField value={purpose} purposes={purposes} onChange={setPurpose} />
        {choices.length > 1 && (
          <fieldset className="space-y-2">
            <legend className="mb-2">Which sources should it read?</legend>
            {choices.map(({ key, label: sources }) => (
              <label key={key} className="flex items-start gap-2 text-ink">
                <input
                  type="radio"
                  name="sources"
                  className="mt-0.5 accent-accent"
                  checked={chosen.key === key}
                  onChange={() => setChosenKey(key)}
                />
                <span className="min-w-0 wrap-anywhere">
                  {sources}
                  {key === "again" && <span className="text-muted"> (as the last run)</span>}
                </span>
              </label>
            ))}
          </fieldset>
        )}
        <KeyValues
          className="text-ink"
          items={factsOfScope(chosen.key === "all" ? "all sources" : chosen.label, chosen.settings)}
        />
        {purpose === "search" ? (
          <p>Nothing is trained, and every adapter and assistant answers with the model that it has.</p>
        ) : (
          <p>
            When the new version has answered, {served} moves to it.{" "}
            {chosen.settings.retrain
              ? "It trains even where nothing changed, as the last run did."
              : "Where nothing changed, nothing is trained again."}
          </p>
        )}
      </ConfirmDialog>
    </>
  );
}
