"use client";

import { mayEdit } from "@anneal/core/access/roles";
import { useMutation } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import { ConfirmDialog } from "#components/ui/confirm-dialog.tsx";
import { formatCount, formatNumber } from "#lib/format.ts";
import { useTRPC } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type RestoreDeletedProps = {
  sourceId: string;
  /** "" for none. */
  search: string;
  /** How many are deleted and match, and when the last of them was. */
  found: { total: number; lastDeletedAt: Date | null };
  /** Whether `found` is not by this search yet. */
  isSearching: boolean;
  /** Those that are chosen on the page, by id. */
  chosen: readonly string[];
  onRestored(): void;
};

/** Takes back what is chosen, or all that matches, for whoever may decide about documents. */
export function RestoreDeleted({ sourceId, search, found, isSearching, chosen, onRestored }: RestoreDeletedProps) {
  const trpc = useTRPC();
  const { role } = useWorkspace();
  const [asking, setAsking] = useState(false);
  // What was found when it was asked: what a sync deletes since is not restored unseen.
  const [asked, setAsked] = useState(found);
  const restore = useMutation(
    trpc.documents.restoreDeleted.mutationOptions({
      meta: { inlineError: asking },
      onSuccess: ({ count }) => {
        const [is, its] =
          count === 1 ? ["is back, and stays", "its source has it"] : ["are back, and stay", "their source has them"];
        toast.success(`${formatCount(count, "document")} ${is} until ${its} again.`);
        setAsking(false);
        onRestored();
      },
    }),
  );
  if (!mayEdit(role) || found.total === 0) return null;
  return (
    <div className="flex flex-wrap gap-2">
      {chosen.length > 0 && (
        <Button
          variant="primary"
          busy={restore.isPending && !asking}
          onClick={() => restore.mutate({ sourceId, documentIds: [...chosen] })}
        >
          <RotateCcw aria-hidden /> Restore {formatNumber(chosen.length)} chosen
        </Button>
      )}
      <Button
        disabled={isSearching}
        onClick={() => {
          setAsked(found);
          setAsking(true);
        }}
      >
        Restore all {formatNumber(found.total)}
        {search && " found"}
      </Button>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={`Restore ${formatCount(asked.total, "deleted document")}${search ? ` with “${search}”` : ""}?`}
        action="Restore them"
        busy={restore.isPending}
        error={restore.error && wireErrorOf(restore.error)}
        onConfirm={() =>
          restore.mutate({
            sourceId,
            ...(search ? { search } : {}),
            ...(asked.lastDeletedAt ? { deletedUntil: asked.lastDeletedAt } : {}),
          })
        }
      >
        <p>
          They are found by their readers again once the next run is through, and stay although the source no longer has
          them or its settings keep them out. Each can be let go again on its own page.
        </p>
        <p>
          What the source only closed to Anneal looks deleted as well: restored, it is open to those who could read it
          before.
        </p>
      </ConfirmDialog>
    </div>
  );
}
