"use client";

import { useId, type ReactNode } from "react";

type FieldProps = {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
  optional?: boolean;
  /** Receives what ties the control to its label, hint and error. */
  children(control: { id: string; "aria-describedby"?: string; "aria-invalid"?: boolean }): ReactNode;
};

export function Field({ label, hint, error, optional, children }: FieldProps) {
  const id = useId();
  const noteId = `${id}-note`;
  const note = error ?? hint;
  return (
    <div className="space-y-1.5">
      <label htmlFor={id} className="flex items-baseline gap-2 text-13 font-medium">
        {label}
        {optional && <span className="text-xs font-normal text-faint">optional</span>}
      </label>
      {children({ id, ...(note ? { "aria-describedby": noteId } : {}), ...(error ? { "aria-invalid": true } : {}) })}
      {note && (
        <p id={noteId} className={error ? "text-xs text-failed" : "text-xs text-muted"}>
          {note}
        </p>
      )}
    </div>
  );
}
