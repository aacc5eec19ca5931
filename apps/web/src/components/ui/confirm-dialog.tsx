"use client";

import { useState, type ReactNode } from "react";
import type { WireError } from "#lib/wire-error.ts";
import { Button } from "#components/ui/button.tsx";
import { Dialog, DialogClose, DialogContent } from "#components/ui/dialog.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import { Input } from "#components/ui/input.tsx";

type ConfirmDialogProps = {
  open: boolean;
  onOpenChange(open: boolean): void;
  /** A question that names the thing: "Delete the source “Handbook”?" */
  title: string;
  /** What will happen, what will be destroyed and what stays. */
  children: ReactNode;
  /** The verb on the button: "Delete source". */
  action: string;
  /** The other button, where "Cancel" would not say what is kept: "Keep editing". */
  cancel?: string;
  destructive?: boolean;
  /** When given, must be typed before the button works: for what cannot be undone. */
  typedName?: string;
  busy?: boolean;
  error?: WireError | null;
  onConfirm(): void;
};

export function ConfirmDialog(props: ConfirmDialogProps) {
  const { open, onOpenChange, title, children, action, cancel, destructive, typedName, busy, error, onConfirm } = props;
  const [typed, setTyped] = useState("");
  const ready = typedName === undefined || typed === typedName;
  const changeOpen = (next: boolean) => {
    setTyped("");
    onOpenChange(next);
  };
  return (
    <Dialog open={open} onOpenChange={changeOpen}>
      <DialogContent
        title={title}
        footer={
          <>
            <DialogClose asChild>
              <Button>{cancel ?? "Cancel"}</Button>
            </DialogClose>
            <Button
              type="submit"
              form="confirm"
              variant={destructive ? "danger" : "primary"}
              disabled={!ready}
              busy={busy}
            >
              {action}
            </Button>
          </>
        }
      >
        <form
          id="confirm"
          className="space-y-4 text-13 text-muted"
          onSubmit={(event) => {
            event.preventDefault();
            if (ready && !busy) onConfirm();
          }}
        >
          {children}
          {typedName !== undefined && (
            <label className="block space-y-1.5">
              <span className="block">
                Type <strong className="font-mono font-medium text-ink select-all">{typedName}</strong> to confirm.
              </span>
              <Input
                value={typed}
                onChange={(event) => setTyped(event.target.value)}
                autoComplete="off"
                spellCheck={false}
                autoFocus
              />
            </label>
          )}
          {error && <ErrorNotice error={error} />}
        </form>
      </DialogContent>
    </Dialog>
  );
}
