"use client";

import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { cn } from "#lib/class-names.ts";

const confirmMs = 1_500;

export function CopyButton({ text, label = "Copy", className }: { text: string; label?: string; className?: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), confirmMs);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      aria-label={copied ? "Copied" : label}
      title={label}
      className={cn(
        "grid size-6 shrink-0 place-items-center rounded-control text-faint hover:bg-hover hover:text-ink",
        className,
      )}
      onClick={async (event) => {
        event.preventDefault();
        event.stopPropagation();
        await navigator.clipboard.writeText(text);
        setCopied(true);
      }}
    >
      {copied ? <Check className="size-3.5 text-ready" /> : <Copy className="size-3.5" />}
    </button>
  );
}
