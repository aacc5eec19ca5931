import type { ComponentProps } from "react";
import { cn } from "#lib/class-names.ts";

/** A small neutral fact beside a name: a kind, a version, a count. What a thing is doing is a <Status>. */
export function Badge({
  className,
  tone = "neutral",
  ...props
}: ComponentProps<"span"> & { tone?: "neutral" | "accent" }) {
  return (
    <span
      className={cn(
        "inline-flex h-5 items-center align-middle gap-1 rounded-[5px] px-1.5 text-xs font-medium whitespace-nowrap",
        tone === "accent" ? "bg-accent-soft text-accent" : "bg-sunken text-muted dark:bg-raised",
        className,
      )}
      {...props}
    />
  );
}
