import { aclFingerprint, nobody, type Acl } from "../access/acl.ts";
import type { Element } from "../document/element.ts";
import { NearDuplicateIndex } from "./near-duplicate-index.ts";
import { compareOrder, type Order } from "./order.ts";
import { defaultDedupePolicy, type DedupePolicy } from "./policy.ts";
import { countWords } from "./tokens.ts";

export type PassageSource = Order & {
  acl: Acl | null;
  elements: readonly Pick<Element, "kind" | "text">[];
};

/** One element that repeats an earlier one, of another document or of the same. */
export type DuplicatePassage = {
  /** Position in the document's elements. */
  element: number;
  duplicateOf: { documentId: string; element: number };
  code: "EXACT_DUPLICATE" | "NEAR_DUPLICATE";
  similarity: number;
  /** As for documents: only with the same audience may retrieval hide the passage; training always leaves it out. */
  sameAudience: boolean;
};

/**
 * Finds passages that stand in more than one place (legal footers, signatures, disclaimers): exact or near duplicates
 * by the same rule as for documents, the earliest kept. Headings, and passages below `passageMinWords`, are left alone.
 *
 * @param documents those that document-level deduplication kept, or every passage of a copy is reported.
 * @returns per document id, its duplicate passages in order; documents without any are absent.
 */
export async function dedupePassages(
  documents: readonly PassageSource[],
  policy: DedupePolicy = defaultDedupePolicy,
): Promise<Map<string, DuplicatePassage[]>> {
  const index = new NearDuplicateIndex(policy);
  const passages: { id: string; documentId: string; element: number }[] = [];
  const byId = new Map<string, { documentId: string; element: number }>();
  for (const document of documents.toSorted(compareOrder)) {
    for (const [element, { kind, text }] of document.elements.entries()) {
      if (kind === "title" || kind === "heading" || countWords(text) < policy.passageMinWords) continue;
      // The number is padded, because ids are compared as text and passage 10 comes after passage 9.
      const id = `${document.id}\u0000${String(element).padStart(9, "0")}`;
      passages.push({ id, documentId: document.id, element });
      byId.set(id, { documentId: document.id, element });
      await index.add({ id, firstSeenAtMs: document.firstSeenAtMs, text });
    }
  }
  const audiences = new Map(documents.map(({ id, acl }) => [id, aclFingerprint(acl ?? nobody)]));
  const found = new Map<string, DuplicatePassage[]>();
  for (const { id, documentId, element } of passages) {
    const decision = index.decisionOf(id);
    if (decision.status === "kept") continue;
    const original = byId.get(decision.duplicateOf);
    if (!original) throw new Error("A duplicate passage refers to one that was never added.");
    const duplicates = found.get(documentId) ?? [];
    duplicates.push({
      element,
      duplicateOf: original,
      code: decision.code,
      similarity: decision.similarity,
      sameAudience: audiences.get(documentId) === audiences.get(original.documentId),
    });
    found.set(documentId, duplicates);
  }
  return found;
}
