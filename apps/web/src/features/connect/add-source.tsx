"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { ArrowLeft, Database, Folder, Globe, Package, Plug, type LucideIcon } from "lucide-react";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import { Dialog, SheetContent } from "#components/ui/dialog.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { SourceForm } from "#features/connect/source-form.tsx";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Kind = Answers["connect"]["kinds"][number];

const kindIcons: Record<string, LucideIcon> = { file: Folder, s3: Package, postgres: Database, web: Globe };

export function AddSource({ open, onOpenChange }: { open: boolean; onOpenChange(open: boolean): void }) {
  const trpc = useTRPC();
  const router = useRouter();
  const { href } = useWorkspace();
  const [kind, setKind] = useState<Kind | null>(null);
  const sync = useMutation(trpc.connect.sync.mutationOptions());
  const create = useMutation(
    trpc.connect.create.mutationOptions({
      meta: { inlineError: true },
      onSuccess: ({ sourceId }) => {
        toast.success("Source added. It is being read now.");
        sync.mutate({ sourceId });
        router.push(href(`/sources/${sourceId}`));
      },
    }),
  );
  const change = (next: boolean) => {
    if (!next) setKind(null);
    onOpenChange(next);
  };
  return (
    <Dialog open={open} onOpenChange={change}>
      <SheetContent
        title={kind?.title ?? "Add a source"}
        description={kind?.description ?? "What should Anneal read from?"}
        footer={
          kind && (
            <>
              <Button
                variant="ghost"
                className="mr-auto"
                onClick={() => {
                  create.reset();
                  setKind(null);
                }}
              >
                <ArrowLeft aria-hidden /> Other kinds
              </Button>
              <Button type="submit" form="add-source" variant="primary" busy={create.isPending}>
                Add and read
              </Button>
            </>
          )
        }
      >
        {kind ? (
          <SourceForm
            formId="add-source"
            kind={kind}
            error={create.error && wireErrorOf(create.error)}
            onSubmit={(input) => create.mutate(input)}
          />
        ) : (
          <Gallery onChoose={setKind} />
        )}
      </SheetContent>
    </Dialog>
  );
}

function Gallery({ onChoose }: { onChoose(kind: Kind): void }) {
  const trpc = useTRPC();
  const { role } = useWorkspace();
  const { data, error, refetch } = useQuery(trpc.connect.kinds.queryOptions());
  if (error) return <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonRows rows={4} />;
  const isForbidden = (kind: Kind) => kind.administratorOnly && role !== "admin";
  const first = data.find((kind) => !isForbidden(kind));
  return (
    <ul className="space-y-2">
      {data.map((kind) => {
        const Icon = kindIcons[kind.kind] ?? Plug;
        const forbidden = isForbidden(kind);
        return (
          <li key={kind.kind}>
            <button
              type="button"
              disabled={forbidden}
              autoFocus={kind === first}
              onClick={() => onChoose(kind)}
              className="flex w-full items-start gap-3 rounded-panel border border-line p-4 text-left hover:border-line-strong hover:bg-hover disabled:opacity-60"
            >
              <Icon aria-hidden className="mt-0.5 size-5 shrink-0 text-accent" strokeWidth={1.5} />
              <span>
                <span className="block text-13 font-medium">{kind.title}</span>
                <span className="block text-13 text-muted">
                  {forbidden
                    ? "An administrator can add this kind: it reads the worker's own machine."
                    : kind.description}
                </span>
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
