import { type Acl, aclFingerprint } from "../access/acl.ts";
import { type Chunk, embeddingText } from "./chunk-document.ts";
import { type Sha256, sha256OfText, stableUuid } from "./point-id.ts";

/** What the database remembers of a point in the vector index. */
export type IndexedChunk = {
  pointId: string;
  /** Everything in the payload but the ACL: where the chunk stands in its document and how it is cited. */
  placeFingerprint: string;
  aclFingerprint: string;
};

export type IdentifiedChunk = IndexedChunk & { chunk: Chunk; contentHash: string };

export type IndexingPlan = {
  /** New text: embed and write with vectors. */
  upsert: IdentifiedChunk[];
  /** Same text elsewhere in the document, or cited differently: rewrite the payload, keep the vectors. */
  setPayload: IdentifiedChunk[];
  /** Only the audience changed: overwrite the two ACL fields. */
  setAcl: IdentifiedChunk[];
  /** Point ids that the document no longer has. */
  delete: string[];
  unchanged: number;
};

export type DocumentPlace = { documentId: string; uri: string; title: string; acl: Acl };

/**
 * Gives every chunk of a document its point id: document, content and its number among equal contents, so that an
 * insertion above a chunk leaves its id, and with it its vectors, alone.
 */
export function identifyChunks(
  chunks: readonly Chunk[],
  document: DocumentPlace,
  sha256: Sha256 = sha256OfText,
): IdentifiedChunk[] {
  const seen = new Map<string, number>();
  const acl = aclFingerprint(document.acl);
  return chunks.map((chunk) => {
    const contentHash = sha256(embeddingText(chunk));
    const nth = seen.get(contentHash) ?? 0;
    seen.set(contentHash, nth + 1);
    const { ordinal, charStart, charEnd, section, places, container } = chunk;
    return {
      chunk,
      contentHash,
      pointId: stableUuid([document.documentId, contentHash, nth], sha256),
      placeFingerprint: sha256(
        JSON.stringify([document.uri, document.title, ordinal, charStart, charEnd, section, places, container]),
      ),
      aclFingerprint: acl,
    };
  });
}

/** Compares a document's points with its chunks now; applying the plan twice changes nothing the second time. */
export function planIndexing(existing: readonly IndexedChunk[], next: readonly IdentifiedChunk[]): IndexingPlan {
  const held = new Map(existing.map((chunk) => [chunk.pointId, chunk]));
  const wanted = new Set(next.map((chunk) => chunk.pointId));
  const plan: IndexingPlan = {
    upsert: [],
    setPayload: [],
    setAcl: [],
    delete: existing.map((chunk) => chunk.pointId).filter((id) => !wanted.has(id)),
    unchanged: 0,
  };
  for (const chunk of next) {
    const before = held.get(chunk.pointId);
    if (!before) plan.upsert.push(chunk);
    else if (before.placeFingerprint !== chunk.placeFingerprint) plan.setPayload.push(chunk);
    else if (before.aclFingerprint !== chunk.aclFingerprint) plan.setAcl.push(chunk);
    else plan.unchanged += 1;
  }
  return plan;
}

/** @param changes how many passages were written or removed; people call a chunk a passage */
export function wordIndexed(changes: number): string {
  if (changes === 0) return "Nothing changed.";
  return `${changes.toLocaleString("en-GB")} ${changes === 1 ? "passage" : "passages"} written or removed.`;
}
