"use client";

import { mayRun } from "@anneal/core/access/roles";
import { runPurposes } from "@anneal/core/loop/settings";
import { useMutation } from "@tanstack/react-query";
import { RotateCcw, Square } from "lucide-react";
import { useEffect } from "react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import { ConfirmButton } from "#components/ui/confirm-button.tsx";
import type { RunView } from "#features/loop/loop-picture.tsx";
import { StartRun } from "#features/loop/start-run.tsx";
import { stageNames } from "#lib/stage-names.ts";
import { useTRPC } from "#lib/trpc.ts";
import { useUrlParam } from "#lib/url-state.ts";
import { useWorkspace } from "#lib/workspace.tsx";

const isUnfinished = ({ status }: RunView) => status === "waiting" || status === "running";

/**
 * What can be done with a run now: stop it, go on where it failed, or start another.
 * @param latestRuns the last one for each purpose; left out: nothing else is started while this one goes on
 */
export function RunActions({ run, latestRuns }: { run: RunView; latestRuns?: RunView[] }) {
  const { role } = useWorkspace();
  if (!mayRun(role)) return null;
  const unfinished = (latestRuns ?? [run]).filter(isUnfinished).map(({ settings }) => settings.purpose);
  const trained = latestRuns?.find(({ settings }) => settings.purpose === "everything");
  if (isUnfinished(run)) {
    const free = latestRuns === undefined ? [] : runPurposes.filter((purpose) => !unfinished.includes(purpose));
    return (
      <>
        <StopRun runId={run.id} answers={free.length === 0} />
        {free.length > 0 && (
          <StartRun scope={run} trained={trained} purposes={free} primary={false} label="Start another run" />
        )}
      </>
    );
  }
  const failed = run.stages.find((stage) => stage.status === "failed" || stage.status === "cancelled");
  return (
    <>
      {failed && <RetryRun runId={run.id} stage={failed.stage} />}
      <StartRun scope={run} trained={trained} primary={!failed} />
    </>
  );
}

function RetryRun({ runId, stage }: { runId: string; stage: RunView["stages"][number]["stage"] }) {
  const trpc = useTRPC();
  const retry = useMutation(trpc.loop.retry.mutationOptions());
  return (
    <Button variant="primary" busy={retry.isPending} onClick={() => retry.mutate({ runId, fromStage: stage })}>
      {!retry.isPending && <RotateCcw aria-hidden />} Retry from {stageNames[stage].title.toLowerCase()}
    </Button>
  );
}

/** @param answers whether it is the one to say that nothing can be started, where somebody asks for that */
function StopRun({ runId, answers }: { runId: string; answers: boolean }) {
  const trpc = useTRPC();
  const [asked, setAsked] = useUrlParam("run", "");
  useEffect(() => {
    if (asked === "" || !answers) return;
    setAsked("");
    toast("A run is in progress. Wait until it ends, or stop it first.");
  }, [asked, answers, setAsked]);
  const cancel = useMutation(trpc.loop.cancel.mutationOptions({ meta: { inlineError: true } }));
  return (
    <ConfirmButton
      label={
        <>
          <Square aria-hidden /> Stop
        </>
      }
      button={{ variant: "danger" }}
      title="Stop this run?"
      action="Stop run"
      destructive
      mutation={cancel}
      onConfirm={(close) => cancel.mutate({ runId }, { onSuccess: close })}
    >
      <p>
        The stage that works now ends at its next safe point. What earlier stages made stays, and the run can go on from
        there.
      </p>
    </ConfirmButton>
  );
}
