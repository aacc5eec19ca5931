"use client";

import { Check, ChevronDown } from "lucide-react";
import { Select as Radix } from "radix-ui";
import type { ReactNode, Ref } from "react";
import { fieldStyles } from "#components/ui/input.tsx";
import { cn } from "#lib/class-names.ts";

export type SelectOption<Value extends string> = { value: Value; label: ReactNode; hint?: string; disabled?: boolean };

type SelectProps<Value extends string> = {
  id?: string;
  ref?: Ref<HTMLButtonElement>;
  value: Value | undefined;
  onChange: (value: NoInfer<Value>) => void;
  options: readonly SelectOption<Value>[];
  /** Read out as the field's name when no <label> points at it. */
  label?: string;
  placeholder?: string;
  disabled?: boolean;
  className?: string;
  "aria-describedby"?: string;
  "aria-invalid"?: boolean;
};

export function Select<Value extends string>(props: SelectProps<Value>) {
  const { id, ref, value, onChange, options, label, placeholder, disabled, className, ...aria } = props;
  return (
    <Radix.Root value={value ?? ""} onValueChange={(next) => onChange(next as Value)} disabled={disabled}>
      <Radix.Trigger
        id={id}
        ref={ref}
        aria-label={label}
        className={cn(
          fieldStyles,
          "flex h-8 items-center justify-between gap-2 text-left data-placeholder:text-faint [&>span]:truncate",
          className,
        )}
        {...aria}
      >
        <Radix.Value placeholder={placeholder} />
        <ChevronDown className="size-4 shrink-0 text-faint" aria-hidden />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          position="popper"
          sideOffset={4}
          className="z-50 max-h-80 min-w-(--radix-select-trigger-width) animate-fade-in overflow-y-auto rounded-panel border border-line bg-raised p-1 shadow-raised"
        >
          <Radix.Viewport>
            {options.map((option) => (
              <Radix.Item
                key={option.value}
                value={option.value}
                disabled={option.disabled}
                className="relative flex cursor-default flex-col rounded-control py-1.5 pr-3 pl-7 text-13 outline-none select-none data-disabled:opacity-50 data-highlighted:bg-hover"
              >
                <Radix.ItemIndicator className="absolute top-2 left-2">
                  <Check className="size-3.5 text-accent" />
                </Radix.ItemIndicator>
                <Radix.ItemText>{option.label}</Radix.ItemText>
                {option.hint && <span className="text-xs text-muted">{option.hint}</span>}
              </Radix.Item>
            ))}
          </Radix.Viewport>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
