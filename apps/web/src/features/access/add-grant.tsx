"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { Button } from "#components/ui/button.tsx";
import { Dialog, DialogClose, DialogContent } from "#components/ui/dialog.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import { Field } from "#components/ui/form-field.tsx";
import { Select } from "#components/ui/select.tsx";
import { describeResource } from "#features/access/model-resources.ts";
import { useTRPC } from "#lib/trpc.ts";
import { wireErrorOf } from "#lib/wire-error.ts";

const everyone = "everyone";

export function AddGrant({ onClose }: { onClose(): void }) {
  const trpc = useTRPC();
  const [who, setWho] = useState(everyone);
  const [resource, setResource] = useState("assistant:*");
  const { data: members = [] } = useQuery(trpc.access.members.queryOptions());
  const { data: assistants = [] } = useQuery(trpc.assistants.list.queryOptions());
  const { data: options } = useQuery(trpc.assistants.options.queryOptions());
  const grant = useMutation(trpc.access.grant.mutationOptions({ meta: { inlineError: true }, onSuccess: onClose }));
  // A permission holds for an adapter under whatever alias.
  const adapters = [...new Set(options?.aliases.map((alias) => alias.name.split("@")[0]!))];
  const resources = [
    "assistant:*",
    ...assistants.map((assistant) => `assistant:${assistant.name}`),
    "adapter:*",
    ...adapters.map((name) => `adapter:${name}`),
    "base",
  ];
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    grant.mutate({ userId: who === everyone ? null : who, resource });
  }
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        title="Permit the use of a model"
        footer={
          <>
            <DialogClose asChild>
              <Button>Cancel</Button>
            </DialogClose>
            <Button type="submit" form="add-grant" variant="primary" busy={grant.isPending}>
              Permit
            </Button>
          </>
        }
      >
        <form id="add-grant" className="space-y-4" onSubmit={submit}>
          {grant.error && <ErrorNotice error={wireErrorOf(grant.error)} />}
          <Field label="Who">
            {({ id, ...control }) => (
              <Select
                id={id}
                {...control}
                value={who}
                onChange={setWho}
                options={[
                  { value: everyone, label: "Everyone in the workspace", hint: "Those who join later too" },
                  ...members.map(({ userId, name, email }) => ({ value: userId, label: name, hint: email })),
                ]}
              />
            )}
          </Field>
          <Field label="May use" hint="An adapter's or an assistant's permission does not let anyone read a document.">
            {({ id, ...control }) => (
              <Select
                id={id}
                {...control}
                value={resource}
                onChange={setResource}
                options={resources.map((value) => ({ value, label: describeResource(value) }))}
              />
            )}
          </Field>
        </form>
      </DialogContent>
    </Dialog>
  );
}
