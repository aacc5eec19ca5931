import { CopyButton } from "#components/ui/copy-button.tsx";
import { cn } from "#lib/class-names.ts";

/** An id or a digest, shortened, with the whole on hover and in the clipboard. */
export function Digest({ value, length = 8, className }: { value: string; length?: number; className?: string }) {
  const bare = value.replace(/^sha256:/, "");
  return (
    <span
      className={cn(
        "group/digest inline-flex items-center gap-0.5 align-middle font-mono text-xs text-muted",
        className,
      )}
    >
      <span title={value}>{bare.slice(0, length)}</span>
      <CopyButton text={value} label={`Copy ${value}`} className="size-5" />
    </span>
  );
}
