import type { ReactNode } from "react";
import { cn } from "#lib/class-names.ts";

export type KeyValue = { label: string; value: ReactNode };

/** Facts of one thing, label beside value. */
export function KeyValues({ items, className }: { items: readonly KeyValue[]; className?: string }) {
  return (
    <dl className={cn("grid grid-cols-[minmax(6rem,auto)_1fr] gap-x-6 gap-y-2 text-13", className)}>
      {items.map(({ label, value }) => (
        <div key={label} className="contents">
          <dt className="text-muted">{label}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
