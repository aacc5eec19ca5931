"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { withheldSentence } from "@anneal/core/deploy/withheld-sentence";
import { Button } from "#components/ui/button.tsx";
import { Dialog, DialogClose, SheetContent } from "#components/ui/dialog.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { FormFooter } from "#features/connect/form-footer.tsx";
import { SourceForm } from "#features/connect/source-form.tsx";
import { useDiscardQuestion } from "#features/connect/use-discard-question.tsx";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { wireErrorOf } from "#lib/wire-error.ts";

type EditSourceProps = { source: Answers["connect"]["get"]; open: boolean; onOpenChange(open: boolean): void };

export function EditSource({ source, open, onOpenChange }: EditSourceProps) {
  const trpc = useTRPC();
  const { onChangedness, leave, question } = useDiscardQuestion();
  const [footerSlot, setFooterSlot] = useState<HTMLElement | null>(null);
  const { data: kinds } = useQuery({ ...trpc.connect.kinds.queryOptions(), enabled: open });
  const kind = kinds?.find((each) => each.kind === source.kind);
  const update = useMutation(
    trpc.connect.update.mutationOptions({
      meta: { inlineError: true },
      onSuccess: ({ isElsewhere, hasOtherReaders, hasOtherPeople, withheld }) => {
        toast.success("Saved. It counts from the next read.");
        if (isElsewhere)
          toast.warning(
            "It leads elsewhere, or may by its new credentials: documents without permissions of their own are hidden until they are read there.",
          );
        if (hasOtherReaders)
          toast.warning(
            "Other settings say now who reads documents: what was read with the old ones is hidden until it is read again.",
          );
        if (hasOtherPeople)
          toast.warning(
            "Other settings say now who people are: documents that refuse somebody are hidden until they are read again.",
          );
        for (const each of withheld) toast.warning(withheldSentence(each));
        onChangedness(false);
        onOpenChange(false);
      },
    }),
  );
  const change = (next: boolean) => {
    if (next) onOpenChange(true);
    else
      leave(() => {
        update.reset();
        onChangedness(false);
        onOpenChange(false);
      });
  };
  return (
    <>
      <Dialog open={open} onOpenChange={change}>
        <SheetContent
          title={`Edit “${source.name}”`}
          footer={
            <FormFooter slot={setFooterSlot}>
              <DialogClose asChild>
                <Button>Cancel</Button>
              </DialogClose>
              <Button type="submit" form="edit-source" variant="primary" busy={update.isPending}>
                Save
              </Button>
            </FormFooter>
          }
        >
          {kind ? (
            <SourceForm
              formId="edit-source"
              kind={kind}
              footerSlot={footerSlot}
              initial={source}
              error={update.error && wireErrorOf(update.error)}
              onChangedness={onChangedness}
              onSubmit={(input) => update.mutate({ ...input, sourceId: source.id })}
            />
          ) : (
            <SkeletonRows />
          )}
        </SheetContent>
      </Dialog>
      {question}
    </>
  );
}
