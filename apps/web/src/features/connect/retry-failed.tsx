"use client";

import { mayRun } from "@anneal/core/access/roles";
import { useMutation } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import type { ReactNode } from "react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import { formatCount } from "#lib/format.ts";
import { useTRPC } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";

type RetryFailedProps = {
  sourceId: string;
  /** Left out: all of the source's. */
  documentId?: string;
  label?: string;
  children: ReactNode;
};

/** Reads again what could not be read, now. Whether it can be parsed shows with the next run. */
export function RetryFailed({ sourceId, documentId, label, children }: RetryFailedProps) {
  const trpc = useTRPC();
  const { role } = useWorkspace();
  const retry = useMutation(
    trpc.connect.retry.mutationOptions({
      onSuccess: ({ count }) =>
        toast(
          count === 0
            ? "The source is read again."
            : `The source is read again for ${formatCount(count, "document")}; the next run parses ${count === 1 ? "it" : "them"}.`,
        ),
    }),
  );
  if (!mayRun(role)) return null;
  return (
    <Button
      size="small"
      busy={retry.isPending}
      aria-label={label}
      onClick={() => retry.mutate({ sourceId, ...(documentId === undefined ? {} : { documentId }) })}
    >
      {!retry.isPending && <RotateCcw aria-hidden />} {children}
    </Button>
  );
}
