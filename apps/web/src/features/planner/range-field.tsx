"use client";

import { useState } from "react";
import { Field } from "#components/ui/form-field.tsx";
import { Input } from "#components/ui/input.tsx";
import { formatNumber } from "#lib/format.ts";

type NumberFieldProps = {
  label: string;
  /** Null: what `fallback` says is taken. */
  value: number | null;
  onChange(value: number | null): void;
  /** Shown while nothing is typed: the number that is taken instead. */
  fallback?: string;
  unit?: string;
  hint?: string;
  error?: string;
  optional?: boolean;
};

/** A number that may be left out; what cannot be read as one changes nothing and is said. */
export function NumberField(props: NumberFieldProps) {
  const { label, value, onChange, fallback, unit, hint, error, optional } = props;
  const [text, setText] = useState(value === null ? "" : String(value));
  const [reported, setReported] = useState(value);
  if (value !== reported) {
    setReported(value);
    setText(value === null ? "" : String(value));
  }
  const problem = readNumber(text) === undefined ? "A number above 0." : error;
  return (
    <Field
      label={label}
      {...(hint === undefined ? {} : { hint })}
      {...(problem === undefined ? {} : { error: problem })}
      {...(optional ? { optional } : {})}
    >
      {(control) => (
        <span className="relative block">
          <Input
            {...control}
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              const next = readNumber(event.target.value);
              if (next === undefined || (next === null && !optional)) return;
              setReported(next);
              onChange(next);
            }}
            placeholder={fallback}
            inputMode="decimal"
            autoComplete="off"
            className={unit === undefined ? "tabular" : "tabular pr-16"}
          />
          {unit !== undefined && (
            <span
              aria-hidden
              className="pointer-events-none absolute inset-y-0 right-2.5 flex items-center text-xs text-faint"
            >
              {unit}
            </span>
          )}
        </span>
      )}
    </Field>
  );
}

/** Null: nothing there; undefined: nothing that can be read. */
function readNumber(text: string): number | null | undefined {
  const bare = text.replaceAll(/[\s,_]/g, "");
  if (bare === "") return null;
  const value = Number(bare);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

type RangeFieldProps = NumberFieldProps & {
  /** Where the slider can stand, ascending; any number between can be typed. */
  steps: readonly number[];
  /** Where it stands while nothing was chosen. */
  standing: number;
};

/** The same with a slider, whose steps grow with the number. */
export function RangeField({ steps, standing, ...field }: RangeFieldProps) {
  const shown = field.value ?? standing;
  const nearest = steps.reduce(
    (best, step, index) => (Math.abs(step - shown) < Math.abs(steps[best]! - shown) ? index : best),
    0,
  );
  return (
    <div className="space-y-1.5">
      <NumberField {...field} />
      <input
        type="range"
        aria-label={`${field.label}, slider`}
        aria-valuetext={`${formatNumber(shown)}${field.unit ? ` ${field.unit}` : ""}`}
        min={0}
        max={steps.length - 1}
        step={1}
        value={nearest}
        onChange={(event) => field.onChange(steps[Number(event.target.value)]!)}
        className="block w-full accent-(--accent)"
      />
    </div>
  );
}
