/** What a check saw of what a sync would read. `complete`: there is no more than that. */
export type Preview = { count: number; complete: boolean; samples: string[] };

export const sampleCount = 3;

export function addToPreview(preview: Preview, name: string): void {
  preview.count += 1;
  if (preview.samples.length < sampleCount) preview.samples.push(name);
}

/** "12 files, such as a.md, b.md and c.md"; "no file to read" */
export function describePreview({ count, complete, samples }: Preview, unit: string): string {
  if (count === 0) return complete ? `no ${unit} to read` : `no ${unit} to read as far as was looked`;
  const number = `${complete ? "" : "at least "}${count.toLocaleString("en")} ${count === 1 ? unit : `${unit}s`}`;
  return `${number}${samples.length < count ? ", such as " : ": "}${joinNames(samples)}`;
}

export function joinNames(names: string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
