"use client";

import { useState } from "react";
import { Field } from "#components/ui/form-field.tsx";
import { Input } from "#components/ui/input.tsx";
import { Select } from "#components/ui/select.tsx";
import { findCronProblem } from "#lib/cron.ts";

const presets = [
  { value: "never", cron: null, label: "Never, only by hand" },
  { value: "quarter", cron: "*/15 * * * *", label: "Every 15 minutes" },
  { value: "hourly", cron: "0 * * * *", label: "Every hour" },
  { value: "daily", cron: "0 2 * * *", label: "Every day at 02:00 UTC" },
  { value: "weekly", cron: "0 2 * * 1", label: "Every Monday at 02:00 UTC" },
] as const;

type Choice = (typeof presets)[number]["value"] | "own";

type ScheduleFieldProps = { label: string; value: string | null; onChange(cron: string | null): void };

/** @param value a cron expression with five fields in UTC, an interval such as "@every 30m", or null for never. */
export function ScheduleField({ label, value, onChange }: ScheduleFieldProps) {
  const preset = presets.find((each) => each.cron === value);
  const [own, setOwn] = useState(false);
  const choice: Choice = own || !preset ? "own" : preset.value;
  return (
    <div className="space-y-3">
      <Field label={label}>
        {({ id, ...control }) => (
          <Select<Choice>
            id={id}
            {...control}
            value={choice}
            onChange={(next) => {
              setOwn(next === "own");
              const chosen = presets.find((each) => each.value === next);
              if (chosen) onChange(chosen.cron);
            }}
            options={[...presets, { value: "own" as const, label: "A cron expression or an interval" }]}
          />
        )}
      </Field>
      {choice === "own" && (
        <Field
          label="Cron expression or interval"
          hint="Minute, hour, day, month, weekday, in UTC; or @every with 30m, 6h or 2d."
        >
          {(control) => (
            <Input
              {...control}
              ref={(input) => input?.setCustomValidity(value === null ? "" : (findCronProblem(value) ?? ""))}
              required
              className="font-mono"
              value={value ?? ""}
              placeholder="30 5 * * 1-5"
              spellCheck={false}
              onChange={(event) => onChange(event.target.value)}
            />
          )}
        </Field>
      )}
    </div>
  );
}

export function describeSchedule(cron: string | null): string {
  if (cron?.startsWith("@every ")) return cron.replace("@every", "Every");
  return presets.find((each) => each.cron === cron)?.label ?? `Cron ${cron ?? ""}`;
}
