import { runPurposes, type RunPurpose } from "@anneal/core/loop/settings";
import { cn } from "#lib/class-names.ts";

/** What a run is for, as it is chosen and as it is told afterwards. */
export const purposeWords = {
  everything: { title: "Everything", detail: "documents, training and serving an adapter" },
  search: { title: "Only make documents findable", detail: "parsed, compared and indexed, without training" },
} as const satisfies Record<RunPurpose, { title: string; detail: string }>;

type PurposeFieldProps = {
  value: RunPurpose;
  /** A run for any other is in progress, and two for the same never are. */
  purposes?: readonly RunPurpose[];
  onChange(purpose: RunPurpose): void;
};

export function PurposeField({ value, purposes = runPurposes, onChange }: PurposeFieldProps) {
  return (
    <fieldset className="space-y-2">
      <legend className="mb-2">What should it do?</legend>
      {runPurposes.map((purpose) => (
        <label
          key={purpose}
          className={cn("flex items-start gap-2", purposes.includes(purpose) ? "text-ink" : "text-muted")}
        >
          <input
            type="radio"
            name="purpose"
            className="mt-0.5 accent-accent"
            disabled={!purposes.includes(purpose)}
            checked={value === purpose}
            onChange={() => onChange(purpose)}
          />
          <span className="min-w-0">
            {purposeWords[purpose].title}{" "}
            <span className="text-muted">
              ({purposes.includes(purpose) ? purposeWords[purpose].detail : "in progress already"})
            </span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
