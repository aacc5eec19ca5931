"use client";

import { Check, Minus } from "lucide-react";
import { Checkbox as RadixCheckbox, Switch as RadixSwitch } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "#lib/class-names.ts";

export function Checkbox({ className, ...props }: ComponentProps<typeof RadixCheckbox.Root>) {
  return (
    <RadixCheckbox.Root
      className={cn(
        "grid size-4 shrink-0 place-items-center rounded-[4px] border border-line-strong bg-panel hover:border-faint data-[state=checked]:border-accent data-[state=checked]:bg-accent data-[state=checked]:text-on-accent data-[state=indeterminate]:border-accent data-[state=indeterminate]:bg-accent data-[state=indeterminate]:text-on-accent",
        className,
      )}
      {...props}
    >
      <RadixCheckbox.Indicator className="group/indicator">
        <Check className="size-3 group-data-[state=indeterminate]/indicator:hidden" strokeWidth={3} />
        <Minus className="hidden size-3 group-data-[state=indeterminate]/indicator:block" strokeWidth={3} />
      </RadixCheckbox.Indicator>
    </RadixCheckbox.Root>
  );
}

export function Switch({ className, ...props }: ComponentProps<typeof RadixSwitch.Root>) {
  return (
    <RadixSwitch.Root
      className={cn(
        "inline-flex h-5 w-9 shrink-0 items-center rounded-full border border-transparent bg-line-strong px-0.5 transition-colors disabled:opacity-50 data-[state=checked]:bg-accent",
        className,
      )}
      {...props}
    >
      <RadixSwitch.Thumb className="size-4 rounded-full bg-panel shadow-sm transition-transform data-[state=checked]:translate-x-[14px]" />
    </RadixSwitch.Root>
  );
}
