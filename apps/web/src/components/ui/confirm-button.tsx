"use client";

import { useState, type ComponentProps, type ReactNode } from "react";
import { Button } from "#components/ui/button.tsx";
import { ConfirmDialog } from "#components/ui/confirm-dialog.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Asked = Omit<ComponentProps<typeof ConfirmDialog>, "open" | "onOpenChange" | "busy" | "error" | "onConfirm">;

type ConfirmButtonProps = Asked & {
  /** What stands on the button that asks. */
  label: ReactNode;
  button?: Pick<ComponentProps<typeof Button>, "variant" | "size" | "className">;
  /** Its options want `meta: { inlineError: true }`: what goes wrong is shown in the dialog. */
  mutation: { isPending: boolean; error: unknown };
  /** Calls the mutation; `close` belongs in its `onSuccess`. */
  onConfirm(close: () => void): void;
};

/** A button that asks first, and stays open with the reason when it did not work. */
export function ConfirmButton({ label, button, mutation, onConfirm, ...asked }: ConfirmButtonProps) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button {...button} onClick={() => setAsking(true)}>
        {label}
      </Button>
      <ConfirmDialog
        {...asked}
        open={asking}
        onOpenChange={setAsking}
        busy={mutation.isPending}
        error={mutation.error ? wireErrorOf(mutation.error) : null}
        onConfirm={() => onConfirm(() => setAsking(false))}
      />
    </>
  );
}
