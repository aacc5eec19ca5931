import { explainDuplicate } from "@anneal/core/dedupe/explain-duplicate";
import type { Document } from "@anneal/db/queries/documents";

/** Why a document is a copy, without what earlier releases stored of the other one. */
export function viewDuplicate(duplicate: Document["duplicate"]): { code: string; reason: string } | null {
  return duplicate && { code: duplicate.code, reason: explainDuplicate(duplicate) };
}
