import type { Answers } from "#lib/trpc.ts";
import { Status } from "#components/ui/status.tsx";

type DocumentState = Pick<Answers["documents"]["get"], "status" | "duplicate" | "deletedAt" | "drop">;

/** What became of a document, in a word; the reason on hover. */
export function DocumentStatus({ document }: { document: DocumentState }) {
  if (document.deletedAt) return <Status kind="stopped" word="Deleted at source" />;
  if (document.duplicate?.isHidden) return <Status kind="stopped" word="Duplicate" />;
  switch (document.status) {
    case "fetched":
      return <Status kind="waiting" word="To be cleaned" />;
    case "kept":
      return <Status kind="ready" word="Kept" />;
    case "dropped":
      return (
        <span title={document.drop?.reason}>
          <Status kind="stopped" word="Dropped" />
        </span>
      );
    case "quarantined":
      return (
        <span title={document.drop?.reason}>
          <Status kind="failed" word="Quarantined" />
        </span>
      );
  }
}
