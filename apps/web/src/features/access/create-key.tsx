"use client";

import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { Button } from "#components/ui/button.tsx";
import { CodeSnippet } from "#components/ui/code-snippet.tsx";
import { Dialog, DialogClose, DialogContent } from "#components/ui/dialog.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import { Field } from "#components/ui/form-field.tsx";
import { Input } from "#components/ui/input.tsx";
import { Select } from "#components/ui/select.tsx";
import { useTRPC } from "#lib/trpc.ts";
import { wireErrorOf } from "#lib/wire-error.ts";

const lifetimes = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "One year" },
  { value: "never", label: "Until it is revoked" },
] as const;

type Lifetime = (typeof lifetimes)[number]["value"];

export function CreateKey({ open, onOpenChange }: { open: boolean; onOpenChange(open: boolean): void }) {
  const trpc = useTRPC();
  const [lifetime, setLifetime] = useState<Lifetime>("90");
  const create = useMutation(trpc.access.createKey.mutationOptions({ meta: { inlineError: true } }));
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    create.mutate({
      name: String(new FormData(event.currentTarget).get("name")),
      days: lifetime === "never" ? null : Number(lifetime),
    });
  }
  function change(next: boolean) {
    if (!next) create.reset();
    onOpenChange(next);
  }
  return (
    <Dialog open={open} onOpenChange={change}>
      {create.data ? (
        <DialogContent
          title="Your new key"
          dismissable={false}
          description="Copy it now: it is not stored and cannot be shown again."
          footer={
            <DialogClose asChild>
              <Button variant="primary">I have copied it</Button>
            </DialogClose>
          }
        >
          <div className="space-y-4">
            <CodeSnippet code={create.data.key} label="Copy the key" />
            <div>
              <h3 className="mb-1.5 text-xs text-muted">With any OpenAI client</h3>
              <CodeSnippet
                label="Copy the example"
                code={`from openai import OpenAI\n\nclient = OpenAI(\n    base_url="${window.location.origin}/api/v1",\n    api_key="${create.data.key.slice(0, 10)}…",\n)`}
              />
            </div>
          </div>
        </DialogContent>
      ) : (
        <DialogContent
          title="New API key"
          description="It acts as you, in this workspace, with the rights that you have when it is used."
          footer={
            <>
              <DialogClose asChild>
                <Button>Cancel</Button>
              </DialogClose>
              <Button type="submit" form="create-key" variant="primary" busy={create.isPending}>
                Make key
              </Button>
            </>
          }
        >
          <form id="create-key" className="space-y-4" onSubmit={submit}>
            {create.error && <ErrorNotice error={wireErrorOf(create.error)} />}
            <Field label="Name" hint="What it is for: you will look for it by this name when you want to revoke it.">
              {(control) => <Input {...control} name="name" required maxLength={100} autoFocus autoComplete="off" />}
            </Field>
            <Field label="Works for">
              {({ id, ...control }) => (
                <Select id={id} {...control} value={lifetime} onChange={setLifetime} options={lifetimes} />
              )}
            </Field>
          </form>
        </DialogContent>
      )}
    </Dialog>
  );
}
