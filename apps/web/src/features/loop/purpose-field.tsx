import { runPurposes, type RunPurpose } from "@anneal/core/loop/settings";

/** What a run is for, as it is chosen and as it is told afterwards. */
export const purposeWords = {
  everything: { title: "Everything", detail: "documents, training and serving an adapter" },
  search: { title: "Only make documents findable", detail: "parsed, compared and indexed, without training" },
} as const satisfies Record<RunPurpose, { title: string; detail: string }>;

type PurposeFieldProps = { value: RunPurpose; onChange(purpose: RunPurpose): void };

export function PurposeField({ value, onChange }: PurposeFieldProps) {
  return (
    <fieldset className="space-y-2">
      <legend className="mb-2">What should it do?</legend>
      {runPurposes.map((purpose) => (
        <label key={purpose} className="flex items-start gap-2 text-ink">
          <input
            type="radio"
            name="purpose"
            className="mt-0.5 accent-accent"
            checked={value === purpose}
            onChange={() => onChange(purpose)}
          />
          <span className="min-w-0">
            {purposeWords[purpose].title} <span className="text-muted">({purposeWords[purpose].detail})</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
