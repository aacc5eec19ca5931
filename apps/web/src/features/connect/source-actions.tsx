"use client";

import { mayRun, mayEdit } from "@anneal/core/access/roles";
import { useMutation } from "@tanstack/react-query";
import { CalendarClock, CalendarOff, MoreHorizontal, Pencil, PlugZap, RefreshCw, Trash2 } from "lucide-react";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import { ConfirmDialog } from "#components/ui/confirm-dialog.tsx";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from "#components/ui/dropdown-menu.tsx";
import { EditSource } from "#features/connect/edit-source.tsx";
import { formatCount } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Source = Answers["connect"]["get"];
type SourceActionsProps = { source: Source; testing: boolean; onTest(): void };

/** What can be done with a source, by who may. */
export function SourceActions({ source, testing, onTest }: SourceActionsProps) {
  const trpc = useTRPC();
  const router = useRouter();
  const { href, role } = useWorkspace();
  const [open, setOpen] = useState<"edit" | "remove" | null>(null);
  const sync = useMutation(trpc.connect.sync.mutationOptions());
  const restore = useMutation(trpc.connect.restore.mutationOptions());
  const remove = useMutation(
    trpc.connect.remove.mutationOptions({
      meta: { inlineError: true },
      onSuccess: () => {
        toast(`“${source.name}” was removed.`, {
          duration: 15_000,
          action: { label: "Undo", onClick: () => restore.mutate({ sourceId: source.id }) },
        });
        router.push(href("/sources"));
      },
    }),
  );
  if (!mayRun(role)) return null;
  return (
    <>
      <Button busy={testing} onClick={onTest}>
        {!testing && <PlugZap aria-hidden />} Test
      </Button>
      <Button
        variant="primary"
        busy={sync.isPending || source.syncing}
        onClick={() => sync.mutate({ sourceId: source.id })}
      >
        {!sync.isPending && !source.syncing && <RefreshCw aria-hidden />} Read now
      </Button>
      {(mayEdit(role) || source.schedule !== null) && (
        <DropdownMenu>
          <DropdownMenuTrigger asChild>
            <Button size="icon" aria-label="More actions">
              <MoreHorizontal />
            </Button>
          </DropdownMenuTrigger>
          <DropdownMenuContent align="end">
            {mayEdit(role) && (
              <DropdownMenuItem onSelect={() => setOpen("edit")}>
                <Pencil aria-hidden /> Edit settings
              </DropdownMenuItem>
            )}
            {source.schedule !== null && <PauseSchedule source={source} />}
            {mayEdit(role) && (
              <DropdownMenuItem destructive onSelect={() => setOpen("remove")}>
                <Trash2 aria-hidden /> Remove
              </DropdownMenuItem>
            )}
          </DropdownMenuContent>
        </DropdownMenu>
      )}
      <EditSource source={source} open={open === "edit"} onOpenChange={(next) => setOpen(next ? "edit" : null)} />
      <ConfirmDialog
        open={open === "remove"}
        onOpenChange={(next) => setOpen(next ? "remove" : null)}
        title={`Remove the source “${source.name}”?`}
        action="Remove source"
        destructive
        busy={remove.isPending}
        error={remove.error && wireErrorOf(remove.error)}
        onConfirm={() => remove.mutate({ sourceId: source.id })}
      >
        <p>
          Its {formatCount(source.documentCount, "document")} leave search, chat and later datasets at once. Datasets
          and adapters that exist stay as they are. The source can be restored at any time, at the foot of the Sources
          page; its documents come back with it for {source.tombstoneDays} days, and are read anew after that.
        </p>
      </ConfirmDialog>
    </>
  );
}

function PauseSchedule({ source }: { source: Source }) {
  const trpc = useTRPC();
  const paused = !source.schedulePaused;
  const set = useMutation(
    trpc.connect.setSchedulePaused.mutationOptions({
      onSuccess: () => toast(paused ? "The schedule is paused." : "The schedule goes on."),
    }),
  );
  return (
    <DropdownMenuItem onSelect={() => set.mutate({ sourceId: source.id, paused })}>
      {paused ? <CalendarOff aria-hidden /> : <CalendarClock aria-hidden />}{" "}
      {paused ? "Pause the schedule" : "Resume the schedule"}
    </DropdownMenuItem>
  );
}
