import { NoStatus, Status } from "#components/ui/status.tsx";

type SourceStatusProps = {
  source: {
    syncing: boolean;
    paused: boolean;
    waitsUntil: Date | null;
    lastSyncAt: Date | null;
    lastSyncError: { message: string } | null;
  };
};

export function SourceStatus({ source }: SourceStatusProps) {
  if (source.syncing) return <Status kind="running" word="Reading" />;
  if (source.paused) return <Status kind="waiting" word="Paused" />;
  if (source.waitsUntil) return <Status kind="waiting" word="Waiting for the source" />;
  if (source.lastSyncError)
    return (
      <span title={source.lastSyncError.message}>
        <Status kind="failed" />
      </span>
    );
  if (source.lastSyncAt) return <Status kind="ready" word="Up to date" />;
  return <NoStatus word="Not read yet" />;
}
