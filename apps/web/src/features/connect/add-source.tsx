"use client";

import { useMutation } from "@tanstack/react-query";
import { ArrowLeft } from "lucide-react";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import { Dialog, SheetContent } from "#components/ui/dialog.tsx";
import { FormFooter } from "#features/connect/form-footer.tsx";
import { KindFacts } from "#features/connect/kind-facts.tsx";
import { SourceForm } from "#features/connect/source-form.tsx";
import { SourceGallery, type SourceKind } from "#features/connect/source-gallery.tsx";
import { useDiscardQuestion } from "#features/connect/use-discard-question.tsx";
import { useTRPC } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

export function AddSource({ open, onOpenChange }: { open: boolean; onOpenChange(open: boolean): void }) {
  const trpc = useTRPC();
  const router = useRouter();
  const { href } = useWorkspace();
  const [kind, setKind] = useState<SourceKind | null>(null);
  const { onChangedness, leave, question } = useDiscardQuestion();
  const [footerSlot, setFooterSlot] = useState<HTMLElement | null>(null);
  const sync = useMutation(trpc.connect.sync.mutationOptions());
  const create = useMutation(
    trpc.connect.create.mutationOptions({
      meta: { inlineError: true },
      onSuccess: ({ sourceId }) => {
        onChangedness(false);
        toast.success("Source added. It is being read now.");
        sync.mutate({ sourceId });
        router.push(href(`/sources/${sourceId}`));
      },
    }),
  );
  const backToKinds = () => {
    create.reset();
    onChangedness(false);
    setKind(null);
  };
  const change = (next: boolean) => {
    if (next) onOpenChange(true);
    else
      leave(() => {
        backToKinds();
        onOpenChange(false);
      });
  };
  return (
    <>
      <Dialog open={open} onOpenChange={change}>
        <SheetContent
          title={kind?.title ?? "Add a source"}
          description={kind?.description ?? "What should Anneal read from?"}
          footer={
            kind && (
              <FormFooter slot={setFooterSlot}>
                <Button variant="ghost" className="mr-auto" onClick={() => leave(backToKinds)}>
                  <ArrowLeft aria-hidden /> Other kinds
                </Button>
                <Button type="submit" form="add-source" variant="primary" busy={create.isPending}>
                  Add and read
                </Button>
              </FormFooter>
            )
          }
        >
          {kind ? (
            <div className="space-y-5">
              <KindFacts facts={kind.facts} />
              <SourceForm
                formId="add-source"
                kind={kind}
                footerSlot={footerSlot}
                error={create.error && wireErrorOf(create.error)}
                onChangedness={onChangedness}
                onSubmit={(input) => create.mutate(input)}
              />
            </div>
          ) : (
            <SourceGallery onChoose={setKind} />
          )}
        </SheetContent>
      </Dialog>
      {question}
    </>
  );
}
