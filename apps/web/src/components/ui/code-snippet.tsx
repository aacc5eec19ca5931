"use client";

import { Tabs as Radix } from "radix-ui";
import { CopyButton } from "#components/ui/copy-button.tsx";
import { cn } from "#lib/class-names.ts";

/** Code to read and to copy; scrolls sideways rather than wrapping. */
export function CodeSnippet({ code, label = "Copy", className }: { code: string; label?: string; className?: string }) {
  return (
    <div className={cn("group relative rounded-panel border border-line bg-sunken", className)}>
      {/* A scrolling region takes focus, so that the keyboard can scroll it. */}
      <pre tabIndex={0} className="overflow-x-auto p-3 pr-10 font-mono text-xs leading-5">
        <code>{code}</code>
      </pre>
      <CopyButton text={code} label={label} className="absolute top-2 right-2" />
    </div>
  );
}

export function CodeTabs({ snippets }: { snippets: readonly { name: string; code: string }[] }) {
  return (
    <Radix.Root defaultValue={snippets[0]?.name}>
      <Radix.List aria-label="Language" className="mb-2 flex gap-1">
        {snippets.map(({ name }) => (
          <Radix.Trigger
            key={name}
            value={name}
            className="rounded-control px-2 py-1 text-xs font-medium text-muted hover:bg-hover data-[state=active]:bg-sunken data-[state=active]:text-ink"
          >
            {name}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {snippets.map(({ name, code }) => (
        <Radix.Content key={name} value={name}>
          <CodeSnippet code={code} label={`Copy the ${name} example`} />
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
