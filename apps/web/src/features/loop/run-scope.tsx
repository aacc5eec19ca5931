import { KeyValues } from "#components/ui/key-values.tsx";
import { Panel } from "#components/ui/panel.tsx";
import type { RunView } from "#features/loop/loop-picture.tsx";
import { purposeWords } from "#features/loop/purpose-field.tsx";

type Scoped = Pick<RunView, "sources">;
type Settings = RunView["settings"];

/** What a run reads and what comes of it: the name that answers differently afterwards. */
export function RunScope({ run }: { run: Pick<RunView, "sources" | "settings"> }) {
  return (
    <Panel title="What it is for">
      <KeyValues
        items={[
          { label: "Does", value: purposeWords[run.settings.purpose].title },
          ...factsOfScope(sourcesOf(run), run.settings),
        ]}
      />
    </Panel>
  );
}

export function factsOfScope(sources: string, settings: Settings): { label: string; value: string }[] {
  return [
    { label: "Reads", value: sources },
    ...(settings.purpose === "everything"
      ? [
          { label: "Dataset", value: settings.datasetName },
          { label: "Trains", value: `the adapter ${settings.adapterName}` },
          { label: "Serves it as", value: servedAs(settings) },
        ]
      : []),
    { label: "Assistant", value: settings.assistantName },
  ];
}

/** What comes of a run, in a word or a name. */
export function forWhat(settings: Settings): string {
  return settings.purpose === "everything" ? servedAs(settings) : "documents";
}

export function servedAs({ adapterName, alias }: Pick<Settings, "adapterName" | "alias">): string {
  return `${adapterName}@${alias}`;
}

/** "all sources", or those that a run was told to read by their names. */
export function sourcesOf({ sources }: Scoped): string {
  if (sources === null) return "all sources";
  const named = sources.flatMap(({ name }) => (name === null ? [] : [name]));
  const removed = sources.length - named.length;
  return [...named, ...(removed > 0 ? [removed === 1 ? "a removed source" : `${removed} removed sources`] : [])].join(
    ", ",
  );
}
