"use client";

import { Tabs as Radix } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { useUrlParam } from "#lib/url-state.ts";
import { cn } from "#lib/class-names.ts";

export type Tab<Value extends string> = { value: Value; label: string; count?: string; content: ReactNode };

type TabsProps<Value extends string> = {
  /** The first tab is the default and needs no parameter in the URL. */
  tabs: readonly [Tab<Value>, ...Tab<Value>[]];
  label: string;
  /** The URL parameter that holds the tab, so that a link opens it. */
  param?: string;
  className?: string;
};

export function Tabs<Value extends string>({ tabs, label, param = "tab", className }: TabsProps<Value>) {
  const [current, setCurrent] = useUrlParam(param, tabs[0].value);
  const value = tabs.some((tab) => tab.value === current) ? current : tabs[0].value;
  return (
    <Radix.Root value={value} onValueChange={setCurrent} className={className}>
      <Radix.List aria-label={label} className="-ml-1 mb-4 flex gap-3 overflow-x-auto border-b border-line">
        {tabs.map((tab) => (
          <TabTrigger key={tab.value} value={tab.value}>
            {tab.label}
            {tab.count !== undefined && <span className="tabular text-xs text-faint">{tab.count}</span>}
          </TabTrigger>
        ))}
      </Radix.List>
      {tabs.map((tab) => (
        <Radix.Content key={tab.value} value={tab.value}>
          {tab.content}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}

function TabTrigger({ className, ...props }: ComponentProps<typeof Radix.Trigger>) {
  return (
    <Radix.Trigger
      data-focus-inset
      className={cn(
        "-mb-px flex items-center gap-1.5 border-b-2 border-transparent px-1 py-2 text-13 font-medium whitespace-nowrap text-muted hover:text-ink data-[state=active]:border-accent data-[state=active]:text-ink",
        className,
      )}
      {...props}
    />
  );
}
