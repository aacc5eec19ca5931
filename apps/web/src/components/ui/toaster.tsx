"use client";

import { useTheme } from "next-themes";
import { toast, Toaster as Sonner } from "sonner";
import type { WireError } from "#lib/wire-error.ts";

export function Toaster() {
  const { resolvedTheme } = useTheme();
  return (
    <Sonner
      theme={resolvedTheme === "dark" ? "dark" : "light"}
      position="bottom-right"
      toastOptions={{
        classNames: {
          toast: "!rounded-panel !border-line !bg-raised !text-ink !shadow-raised !font-sans",
          description: "!text-muted",
          actionButton: "!bg-accent !text-on-accent",
        },
      }}
    />
  );
}

/** A failure of something the person just did and may already have left. */
export function toastError(error: WireError) {
  toast.error(error.message, {
    description: error.id ? `${error.action} (id ${error.id})` : error.action,
    duration: 10_000,
  });
}
