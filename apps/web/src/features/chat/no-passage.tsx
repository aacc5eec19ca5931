import { EyeOff } from "lucide-react";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import type { WireError } from "#lib/wire-error.ts";

/** What a source deletes or closes after an answer is no failure of ours, and asking again changes nothing. */
export function NoPassage({ error, onRetry }: { error: WireError; onRetry(): void }) {
  if (error.code !== "NOT_FOUND") return <ErrorState error={error} onRetry={onRetry} />;
  return (
    <EmptyState icon={EyeOff} title="You cannot read this document any more">
      Since this answer was given, the document was deleted or is no longer for you. Its source decides who may read it.
    </EmptyState>
  );
}
