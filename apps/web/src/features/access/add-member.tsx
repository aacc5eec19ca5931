"use client";

import type { Role } from "@anneal/core/access/roles";
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import { Dialog, DialogClose, DialogContent } from "#components/ui/dialog.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import { Field } from "#components/ui/form-field.tsx";
import { Input } from "#components/ui/input.tsx";
import { Select } from "#components/ui/select.tsx";
import { leastRole, roleChoices } from "#features/access/roles.ts";
import { useTRPC } from "#lib/trpc.ts";
import { wireErrorOf } from "#lib/wire-error.ts";

export function AddMember({ open, onOpenChange }: { open: boolean; onOpenChange(open: boolean): void }) {
  const trpc = useTRPC();
  const [role, setRole] = useState<Role>(leastRole);
  const add = useMutation(
    trpc.access.addMember.mutationOptions({
      meta: { inlineError: true },
      onSuccess: ({ existed }, { name, password }) => {
        if (existed && password !== undefined)
          toast.warning("Added, with the account that they have. The password you entered was not set: theirs stays.");
        else toast.success(existed ? "Added. They keep the account that they have." : `${name} was added.`);
        onOpenChange(false);
      },
    }),
  );
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const password = String(form.get("password"));
    add.mutate({
      email: String(form.get("email")),
      name: String(form.get("name")),
      role,
      ...(password ? { password } : {}),
    });
  }
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent
        title="Add a member"
        footer={
          <>
            <DialogClose asChild>
              <Button>Cancel</Button>
            </DialogClose>
            <Button type="submit" form="add-member" variant="primary" busy={add.isPending}>
              Add
            </Button>
          </>
        }
      >
        <form id="add-member" className="space-y-4" onSubmit={submit}>
          {add.error && <ErrorNotice error={wireErrorOf(add.error)} />}
          <Field label="E-mail">
            {(control) => <Input {...control} name="email" type="email" required autoFocus autoComplete="off" />}
          </Field>
          <Field label="Name">{(control) => <Input {...control} name="name" required autoComplete="off" />}</Field>
          <Field label="Role">
            {({ id, ...control }) => (
              <Select id={id} {...control} value={role} onChange={setRole} options={roleChoices} />
            )}
          </Field>
          <Field
            label="First password"
            optional
            hint="At least 10 characters. Leave it empty for people who use single sign-on."
          >
            {(control) => (
              <Input {...control} name="password" type="password" minLength={10} autoComplete="new-password" />
            )}
          </Field>
        </form>
      </DialogContent>
    </Dialog>
  );
}
