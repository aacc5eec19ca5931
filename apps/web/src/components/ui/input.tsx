import type { ComponentProps } from "react";
import { cn } from "#lib/class-names.ts";

export const fieldStyles =
  "w-full min-w-0 rounded-control border border-line-strong bg-panel px-2.5 text-13 text-ink transition-colors hover:border-faint disabled:opacity-50 aria-invalid:border-failed";

export function Input({ className, ...props }: ComponentProps<"input">) {
  return <input className={cn(fieldStyles, "h-8", className)} {...props} />;
}

export function Textarea({ className, ...props }: ComponentProps<"textarea">) {
  return <textarea className={cn(fieldStyles, "min-h-20 py-1.5 leading-5", className)} {...props} />;
}
