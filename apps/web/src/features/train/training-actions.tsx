"use client";

import { mayRun, mayEdit } from "@anneal/core/access/roles";
import { useMutation } from "@tanstack/react-query";
import { CopyPlus, RotateCcw, Square } from "lucide-react";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { Button } from "#components/ui/button.tsx";
import { ConfirmButton } from "#components/ui/confirm-button.tsx";
import { TrainAgain } from "#features/train/train-again.tsx";
import type { TrainingView } from "#features/train/training-page.tsx";
import { useTRPC } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";

/** Stop while it runs; go on from its newest checkpoint once it has stopped or failed; make another like it. */
export function TrainingActions({ training }: { training: TrainingView }) {
  const { role } = useWorkspace();
  if (!mayRun(role)) return null;
  switch (training.status) {
    case "running":
      return mayEdit(role) ? <StopTraining trainingRunId={training.id} /> : null;
    case "stopping":
      return <Button disabled>Saving a checkpoint…</Button>;
    case "stopped":
    case "failed":
      return (
        <>
          {mayEdit(role) && <TrainAgainButton training={training} />}
          {training.runId && <ResumeTraining runId={training.runId} />}
        </>
      );
    case "done":
      return mayEdit(role) ? <TrainAgainButton training={training} /> : null;
    case "queued":
      return null;
  }
}

function StopTraining({ trainingRunId }: { trainingRunId: string }) {
  const trpc = useTRPC();
  const stop = useMutation(trpc.train.stop.mutationOptions({ meta: { inlineError: true } }));
  return (
    <ConfirmButton
      label={
        <>
          <Square aria-hidden /> Stop
        </>
      }
      button={{ variant: "danger" }}
      title="Stop this training?"
      action="Stop training"
      destructive
      mutation={stop}
      onConfirm={(close) => stop.mutate({ trainingRunId }, { onSuccess: close })}
    >
      <p>
        It saves a checkpoint after the step that it is in, and ends. Its run ends with it; nothing new is registered or
        deployed.
      </p>
      <p>Nothing is lost: resume it later and it goes on from that step.</p>
    </ConfirmButton>
  );
}

function TrainAgainButton({ training }: { training: TrainingView }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <CopyPlus aria-hidden /> Train again with changes
      </Button>
      {open && <TrainAgain training={training} onClose={() => setOpen(false)} />}
    </>
  );
}

function ResumeTraining({ runId }: { runId: string }) {
  const trpc = useTRPC();
  const router = useRouter();
  const { href } = useWorkspace();
  const resume = useMutation(
    trpc.loop.retry.mutationOptions({ onSuccess: () => router.push(href(`/runs/${runId}?stage=train`)) }),
  );
  return (
    <Button
      variant="primary"
      busy={resume.isPending}
      title="Goes on from the newest checkpoint, then registers and deploys as the run would have."
      onClick={() => resume.mutate({ runId, fromStage: "train" })}
    >
      {!resume.isPending && <RotateCcw aria-hidden />} Resume
    </Button>
  );
}
