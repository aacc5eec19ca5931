"use client";

import { Minus, Plus } from "lucide-react";
import { Button } from "#components/ui/button.tsx";

type StepperProps = { label: string; value: number; min: number; max: number; onChange(value: number): void };

/** A small whole number between two buttons. */
export function Stepper({ label, value, min, max, onChange }: StepperProps) {
  return (
    <span
      role="group"
      aria-label={label}
      className="inline-flex items-center rounded-control border border-line-strong"
    >
      <Button
        variant="ghost"
        size="icon-small"
        aria-label={`${label}: one less`}
        disabled={value <= min}
        onClick={() => onChange(value - 1)}
      >
        <Minus />
      </Button>
      <output aria-label={label} className="tabular min-w-6 text-center text-13 font-medium">
        {value}
      </output>
      <Button
        variant="ghost"
        size="icon-small"
        aria-label={`${label}: one more`}
        disabled={value >= max}
        onClick={() => onChange(value + 1)}
      >
        <Plus />
      </Button>
    </span>
  );
}
