"use client";

import { mayRun } from "@anneal/core/access/roles";
import type { RunPurpose } from "@anneal/core/loop/settings";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CalendarClock } from "lucide-react";
import { useState } from "react";
import { Button } from "#components/ui/button.tsx";
import { Dialog, DialogContent, DialogTrigger } from "#components/ui/dialog.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { PurposeField } from "#features/loop/purpose-field.tsx";
import { ScheduleField } from "#features/loop/schedule-field.tsx";
import { useTRPC } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

/** When the loop runs by itself, and how much of it. */
export function LoopSchedule() {
  const trpc = useTRPC();
  const { role } = useWorkspace();
  const queryClient = useQueryClient();
  const [open, setOpen] = useState(false);
  const { data, isPending } = useQuery(trpc.loop.schedule.queryOptions());
  const [cron, setCron] = useState<string | null>(null);
  const [purpose, setPurpose] = useState<RunPurpose>("everything");
  const save = useMutation(
    trpc.loop.setSchedule.mutationOptions({
      onSuccess: () => {
        setOpen(false);
        void queryClient.invalidateQueries({ queryKey: trpc.loop.schedule.queryKey() });
      },
      meta: { inlineError: true },
    }),
  );
  if (!mayRun(role)) return null;
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => {
        setCron(data?.cron ?? null);
        setPurpose(data?.purpose ?? "everything");
        setOpen(next);
      }}
    >
      <DialogTrigger asChild>
        <Button disabled={isPending}>
          <CalendarClock aria-hidden />
          {data?.nextAt ? (
            <span>
              Next <RelativeTime time={data.nextAt} />
            </span>
          ) : (
            "Schedule"
          )}
        </Button>
      </DialogTrigger>
      <DialogContent
        title="Run the loop by the clock"
        description="Only what changed is read, trained and indexed. A run that is still going when the next is due is not doubled."
        footer={
          <Button type="submit" form="loop-schedule" variant="primary" busy={save.isPending}>
            Save
          </Button>
        }
      >
        <form
          id="loop-schedule"
          className="space-y-4"
          onSubmit={(event) => {
            event.preventDefault();
            save.mutate({ cron, purpose });
          }}
        >
          <ScheduleField label="When" value={cron} onChange={setCron} />
          {cron !== null && (
            <div className="text-13 text-muted">
              <PurposeField value={purpose} onChange={setPurpose} />
            </div>
          )}
          {save.error && <ErrorNotice error={wireErrorOf(save.error)} />}
        </form>
      </DialogContent>
    </Dialog>
  );
}
