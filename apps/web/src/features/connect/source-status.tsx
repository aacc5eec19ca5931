import { TriangleAlert } from "lucide-react";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { NoStatus, Status } from "#components/ui/status.tsx";
import { nextReadOf, stateOfSource, stateOfSync, type SourceState } from "#features/connect/source-state.ts";

export function SourceStatus({ source }: { source: Parameters<typeof stateOfSource>[0] }) {
  return <State {...stateOfSource(source)} />;
}

export function SyncStatus({ sync }: { sync: Parameters<typeof stateOfSync>[0] }) {
  return <State {...stateOfSync(sync)} />;
}

export function NextRead({ source }: { source: Parameters<typeof nextReadOf>[0] }) {
  const next = nextReadOf(source);
  return typeof next === "string" ? next : <RelativeTime time={next} />;
}

function State({ kind, word, title }: SourceState) {
  if (kind === "none") return <NoStatus word={word} />;
  if (kind === "partial")
    return (
      <span title={title} className="inline-flex items-start gap-1.5 align-middle text-13 font-medium text-waiting">
        <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
        {word}
      </span>
    );
  return (
    <span title={title}>
      <Status kind={kind} word={word} />
    </span>
  );
}
