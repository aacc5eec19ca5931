import { explainDuplicate } from "@anneal/core/dedupe/explain-duplicate";
import type { Document } from "@anneal/db/queries/documents";

/** `isHidden`: a search leaves it out, of everything or of some sources, and finds an older one with the same readers. */
type DuplicateView = { code: string; reason: string; isHidden: boolean };

/** Why a document is a copy, without what earlier releases stored of the other one; of a new text that is not known yet. */
export function viewDuplicate({ status, duplicate }: Pick<Document, "status" | "duplicate">): DuplicateView | null {
  if (status !== "kept" || duplicate === null) return null;
  const { code, hiddenIn = [] } = duplicate;
  return { code, reason: explainDuplicate(duplicate), isHidden: hiddenIn.length > 0 };
}
